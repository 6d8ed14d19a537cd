//! Where imported clients go.

use std::future::Future;

use crate::domain::validate::Draft;

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is a client now, with this reference.
    New(String),
    /// Its claim was taken: an earlier run has created it.
    AlreadyThere,
}

/// Why a line did not become a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkError {
    /// This line can't: a duplicate, for example. Others may.
    Refused(String),
    /// Nothing can, for now: the import stops.
    Stopped(String),
}

/// Creates clients: in the journal of a stopped hub, or through a running one.
pub trait Sink {
    /// Creates the client of line `line`, once for each `claim`.
    fn create(&self, draft: Draft, line: u64, claim: String)
    -> impl Future<Output = Result<Created, SinkError>> + Send;
}
