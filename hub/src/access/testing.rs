//! Callers and permits for the tests of other modules.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Access, Action, Caller, Permit};

/// The organisation that operates the hub in tests.
pub(crate) const OPERATORS: &str = "operators";

/// The repository's own policy.
pub(crate) fn access() -> Access {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    Access::load(&folder, OPERATORS).expect("the repository's policies have no finding")
}

/// A member with an active subscription.
pub(crate) fn caller(member: &str, org: &str, roles: &[&str]) -> Arc<Caller> {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let apps = [("backoffice".to_owned(), "active".to_owned())].into();
    let expires_at: DateTime<Utc> = DateTime::UNIX_EPOCH;
    Arc::new(Caller::new(member.to_owned(), org.to_owned(), expires_at).with(roles, Vec::new()).with_apps(apps))
}

/// A permit for an administrator of `org`.
pub(crate) fn permit(member: &str, org: &str, action: Action) -> Permit {
    let role = if action.is_operation() { "OP001" } else { "RP001" };
    access().permit(&caller(member, org, &[role]), action, None).unwrap()
}
