//! Real processes under a random load, killed and disturbed at random; then everything is healed, and a checker looks for
//! what was lost, doubled, reordered or superseded.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SEED` | what everything random is drawn from; printed, so that a round can be played again |
//! | `KILLS` | the long round ends after so many SIGKILLs … |
//! | `SECONDS` | … or after this time, whichever comes first |
//!
//! `round` is the order of things, `work` the members, `disturb` what goes wrong, `book` who asked what and was told what,
//! `check` the verdict. The same seed draws the same plan; how far each process has come when it is killed is up to the
//! machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "../e2e/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the end-to-end tests, which use all of it")]
mod harness;

mod book;
mod check;
mod disturb;
mod operator;
mod places;
mod profiles;
mod round;
mod work;

use round::Plan;

#[test]
fn a_short_round_loses_doubles_and_reorders_nothing() {
    round::play(Plan::short());
}

#[test]
#[ignore = "minutes long: `make torture`"]
fn a_long_round_loses_doubles_and_reorders_nothing() {
    round::play(Plan::long());
}
