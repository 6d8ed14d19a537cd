//! The front as a caller meets it: whole requests through the pipeline and everything behind it.

mod checks;
mod clients;
mod contract;
mod isolation;
mod socket;
mod support;
mod tls;
