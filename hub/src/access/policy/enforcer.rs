//! casbin, asked. It is never reloaded: another policy is another enforcer.
//!
//! The first definition (`r`, `p`, `e`, `m`) answers whether a role grants an action. The second (`r2`, `p2`, `e2`,
//! `m2`, through the enforce context) answers whether a condition line bars it: casbin knows only `p_eft` as an
//! effect's name, so that a match of the second definition can be told from none, but not be a `deny`.
//! An error or a panic within casbin is a denial.

use std::panic::{AssertUnwindSafe, catch_unwind};

use casbin::{CoreApi as _, DefaultModel, EnforceContext, Enforcer, MemoryAdapter, MgmtApi as _, Model as _};
use futures::executor::block_on;

use super::conditions::Condition;
use super::model::Model;
use super::rules::Rules;
use crate::access::action::Action;

/// casbin's answer to both definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// The role's permissions open the action.
    pub(super) granted: bool,
    /// A condition that applies does not hold.
    pub(super) barred: bool,
}

impl Answer {
    const DENIED: Self = Self { granted: false, barred: true };

    /// Both definitions agree that it may be done.
    pub(super) const fn allows(self) -> bool {
        self.granted && !self.barred
    }
}

/// An enforcer over fixed rules.
pub(super) struct Casbin(Enforcer);

impl Casbin {
    /// An enforcer with these rules.
    pub(super) fn new(model: &Model, rules: &Rules, conditions: &[Condition]) -> Result<Self, casbin::Error> {
        let mut definitions = DefaultModel::default();
        for (section, key, value) in model.definitions() {
            definitions.add_def(section, key, value);
        }
        block_on(async {
            let mut enforcer = Enforcer::new(definitions, MemoryAdapter::default()).await?;
            enforcer.enable_auto_save(false);
            for rule in &rules.holds {
                enforcer.add_grouping_policy(vec![rule.role.clone(), rule.permission.clone()]).await?;
            }
            for rule in &rules.opens {
                enforcer.add_policy(vec![rule.permission.clone(), rule.action.as_str().to_owned()]).await?;
            }
            for condition in conditions {
                enforcer.add_named_policy("p2", condition.rule()).await?;
            }
            Ok(Self(enforcer))
        })
    }

    /// Whether `role` may do `action` while the conditions with the ids `held` hold.
    pub(super) fn ask(&self, role: &str, action: Action, held: &[&str]) -> Answer {
        let request = (role, action.as_str(), held.to_vec());
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let granted = self.0.enforce(request.clone())?;
            let barred = self.0.enforce_with_context(EnforceContext::new("2"), request.clone())?;
            Ok::<Answer, casbin::Error>(Answer { granted, barred })
        }));
        match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::error!(%error, role, %action, "casbin could not decide: denied");
                Answer::DENIED
            }
            Err(_) => {
                tracing::error!(role, %action, "casbin panicked: denied");
                Answer::DENIED
            }
        }
    }
}
