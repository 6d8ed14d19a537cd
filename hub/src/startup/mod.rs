//! The composition root: one short step for each stage of starting, in the order in which the stages need each other.

pub mod data;
