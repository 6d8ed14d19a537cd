//! The commands of the `hub` program, one file each.

pub mod policy;
