//! Bringing the outside systems into step: one link for each adapter, lanes within it, behind every request.
//!
//! * What is owed is derived from the journal (`domain::due`, `domain::owed`), never queued on the side.
//! * An attempt is durable before anything is sent; its outcome is an entry too.
//! * Within a lane one at a time and in order; a slow or dead system delays no other.
//! * An unknown outcome is repeated with its own key and body where that is safe, and set aside where it is not.

pub mod accounts;
mod asides;
pub mod breaker;
pub mod call;
pub mod cases;
pub mod clock;
mod convert;
pub mod decide;
pub mod devices;
pub mod documents;
pub mod entries;
pub mod inbox;
pub mod link;
pub mod parked;
pub mod relationship;
pub mod schedule;
mod settle;
mod step;
pub mod work;
