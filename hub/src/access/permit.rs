//! The proof that something may be done, and what a refusal tells the caller.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::action::Action;
use super::caller::Caller;
use super::policy::{Policy, View};
use crate::domain::client::Client;
use crate::domain::filter::{Attribute, Attributes};

/// Names one decision, in the log and in a denial's problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionId {
    process: u64,
    number: u64,
}

impl fmt::Display for DecisionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DC-{:016x}-{:x}", self.process, self.number)
    }
}

/// Hands out ids that no other process has handed out.
pub(super) struct DecisionIds {
    process: u64,
    next: AtomicU64,
}

impl DecisionIds {
    pub(super) fn new() -> Self {
        Self { process: rand::random(), next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> DecisionId {
        DecisionId { process: self.process, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// The client that is acted on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The reference as the caller gave it.
    pub reference: &'a str,
    /// The client, where the caller's organisation has it. Policy comes before existence.
    pub client: Option<&'a Client>,
}

impl<'a> Target<'a> {
    pub(super) fn view(self) -> View<'a> {
        View::of(Some(self.reference), self.client.map(|client| client as &dyn Attributes<Attribute>))
    }
}

/// A member may do an action. Made by [`super::Access::permit`] alone.
#[derive(Debug, Clone)]
pub struct Permit {
    pub(super) caller: Arc<Caller>,
    pub(super) action: Action,
    pub(super) decision: DecisionId,
    pub(super) policy: Arc<Policy>,
    pub(super) client_version: Option<u64>,
    /// The roles whose conditions pick the rows of a listing.
    pub(super) rows: Vec<u16>,
}

impl Permit {
    /// Who may.
    #[must_use]
    pub const fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// What.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The organisation within which it may be done.
    #[must_use]
    pub fn org(&self) -> &str {
        self.caller.org()
    }

    /// The member who does it.
    #[must_use]
    pub fn member(&self) -> &str {
        self.caller.member()
    }

    /// The decision.
    #[must_use]
    pub const fn decision_id(&self) -> DecisionId {
        self.decision
    }

    /// The policy that decided.
    #[must_use]
    pub fn policy_digest(&self) -> &str {
        self.policy.digest()
    }

    /// Where the decision rests on a condition about the client: the version that was looked at. Whoever acts on another
    /// version asks again.
    #[must_use]
    pub const fn conditional_on_client(&self) -> Option<u64> {
        self.client_version
    }

    /// For a listing (CL001, CL009): which rows may be seen; `None` where all may.
    #[must_use]
    pub fn rows(&self) -> Option<Rows<'_>> {
        (!self.rows.is_empty()).then_some(Rows(self))
    }
}

/// The rows of a listing that its conditions allow.
#[derive(Clone, Copy)]
pub struct Rows<'a>(&'a Permit);

impl Rows<'_> {
    /// Whether a row may be seen. It has to offer `reference` and `assignedTo` as plain, not as folded, text.
    #[must_use]
    pub fn allows(&self, row: &dyn Attributes<Attribute>) -> bool {
        let Self(permit) = self;
        permit.policy.allows_row(&permit.caller, permit.action, &permit.rows, View::row(row))
    }
}

/// A member may not do an action. Says no more than a caller may know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} is not allowed (decision {decision_id})")]
pub struct Denied {
    /// What.
    pub action: Action,
    /// The decision, to be asked about.
    pub decision_id: DecisionId,
    /// The policy that denied it, such as `P_BO_001`; none where no role grants it.
    pub policy: Option<String>,
    /// The member of the body that may not be changed, where the rest of the request would be allowed.
    pub field: Option<&'static str>,
}
