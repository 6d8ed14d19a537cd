//! Who calls, and what they may do: a token becomes a [`Caller`], a policy's decision becomes a [`Permit`].
//!
//! Only this module can make either, and every command and query demands a permit, so that forgetting the check does
//! not compile. It knows no routes and no store: the client that is acted on is handed in. Whatever can't be decided
//! is denied; nothing here answers with an error of the server.

mod action;
mod caller;
mod config;
mod decisions;
mod log;
mod permit;
mod policy;
mod record;
mod replay;
#[cfg(test)]
pub(crate) mod testing;
mod tokens;
mod watch;

pub use action::Action;
pub use caller::Caller;
pub use config::{AuthConfig, AuthConfigError, AuthMode, DecisionsConfig, JwksUrl, Oidc, OrgId, PoliciesConfig, Share};
pub use decisions::{Access, PolicyReport};
pub use log::DecisionLog;
pub use permit::{DecisionId, Denied, Permit, Rows, Target};
pub use policy::{
    CaseOutcome, CaseReport, ConditionStep, Difference, Explanation, Finding, GrantStep, Matrix, MatrixRow, Policy,
    Question, RoleStep, Source, SourceFile,
};
pub use record::{Answer, Facts, Outcome, Record};
pub use replay::{Change, Moved, Replay, replay};
pub use tokens::{
    Grant, JwksError, LOCAL_AUDIENCE, LOCAL_ISSUER, LocalKey, LocalKeyError, MAX_TOKEN, TokenError, Tokens, is_org,
};
pub use watch::{PolicyChange, watch};
