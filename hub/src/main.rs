//! The `hub` program.

fn main() {}
