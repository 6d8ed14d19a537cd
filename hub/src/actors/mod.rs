//! Actors and who watches over them.
//!
//! Here: the actix system on a thread of its own, supervision that really restarts what panicked, the bounded
//! mailbox that everybody else holds, and the tree that says how each actor is. It refuses to know what an actor
//! does; clients, devices and links to adapters are made by factories that are handed in.
//!
//! Invariants:
//! - Nobody outside this module holds an `actix::Addr`; a [`Mailbox`] is the only way in, and it is bounded.
//! - Every message is answered: with its result, or with why there is none.
//! - What the tree gives up is escalated; what the root gives up ends the process ([`Tree::fatal`]).
//! - Nothing here blocks; an actor that does costs its thread, and the second such thread ends the process.

pub mod adapter_watch;
pub mod adapters;
pub mod command;
pub mod commands;
mod decisions;
mod desk;
mod jobs;
pub mod mailbox;
pub mod metrics;
pub mod node;
mod records;
mod shard;
pub mod supervisor;
pub mod system;
pub mod tree;

pub use crate::journal::RequestKey;
pub use crate::sync::accounts::AccountsView;
pub use crate::sync::decide::Ruling;
pub use crate::sync::parked::{Census, ParkedPage, Place};
pub use jobs::JobView;
pub use mailbox::{Mailbox, MailboxError};
pub use node::{ActorReport, ActorState, LastFailure, TreeReport};
pub use supervisor::lifeline::Lifeline;
pub use supervisor::policy::RestartPolicy;
pub use supervisor::{ChildSpec, Seat, TaskSpec, group, supervise, supervise_task};
pub use system::{ActorSystem, ActorThread};
pub use tree::{Fatal, Tree, TreeError};
