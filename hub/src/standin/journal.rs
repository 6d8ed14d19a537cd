//! Stand-in until `journal` is merged.
#![allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey { pub key: String, pub body: String }
