//! The small bodies: commands on devices, favourites, reviews and archiving.
//!
//! References in them are opaque text of any shape: whether they exist is not a question of form.

use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{FieldError, Fields};
use super::formats::{one_of, opaque, reason};
use super::tree::Tree;

/// CL010.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct LockBody {
    /// Which device.
    pub device: String,
    /// Lock or unlock.
    pub locked: bool,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// CL011.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct TransferBody {
    /// Which device.
    pub device: String,
    /// The client that owns it.
    pub from: String,
    /// The client that is to own it.
    pub to: String,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// CL012.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct ActivateBody {
    /// Which device.
    pub device: String,
    /// Activate or deactivate.
    pub active: bool,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// CL013.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct ResetPinBody {
    /// Which device.
    pub device: String,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// CL008.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ToSchema)]
pub struct StarBody {
    /// To set it; left out it toggles.
    pub starred: Option<bool>,
}

/// What a review may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The client passes.
    Approve,
    /// The client is refused.
    Reject,
}

/// CX004.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct ReviewBody {
    /// Approve or reject.
    pub decision: Decision,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// CL005.
#[derive(Debug, Clone, Default, PartialEq, Eq, ToSchema)]
pub struct ArchiveBody {
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

const DECISIONS: &[(&str, Decision)] = &[("approve", Decision::Approve), ("reject", Decision::Reject)];

impl LockBody {
    /// Reads `{"device", "locked", "reason"}`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>) -> Result<Self, Vec<FieldError>> {
        body(json, &["device", "locked", "reason"], |fields| {
            let (device, locked) = (fields.required("device", opaque), fields.flag("locked"));
            let reason = why(fields);
            Some(Self { device: device?, locked: locked?, reason })
        })
    }
}

impl TransferBody {
    /// Reads `{"device", "from", "to", "reason"}`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>) -> Result<Self, Vec<FieldError>> {
        body(json, &["device", "from", "to", "reason"], |fields| {
            let device = fields.required("device", opaque);
            let (from, to) = (fields.required("from", opaque), fields.required("to", opaque));
            let reason = why(fields);
            Some(Self { device: device?, from: from?, to: to?, reason })
        })
    }
}

impl ActivateBody {
    /// Reads `{"device", "active", "reason"}`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>) -> Result<Self, Vec<FieldError>> {
        body(json, &["device", "active", "reason"], |fields| {
            let (device, active) = (fields.required("device", opaque), fields.flag("active"));
            let reason = why(fields);
            Some(Self { device: device?, active: active?, reason })
        })
    }
}

impl ResetPinBody {
    /// Reads `{"device", "reason"}`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>) -> Result<Self, Vec<FieldError>> {
        body(json, &["device", "reason"], |fields| {
            let device = fields.required("device", opaque);
            let reason = why(fields);
            Some(Self { device: device?, reason })
        })
    }
}

impl StarBody {
    /// Reads `{"starred"}`; no body and null are an empty one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: Option<&Tree<'_>>) -> Result<Self, Vec<FieldError>> {
        optional_body(json, &["starred"], |fields| Some(Self { starred: fields.optional_flag("starred") }))
    }
}

impl ReviewBody {
    /// Reads `{"decision", "reason"}`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>) -> Result<Self, Vec<FieldError>> {
        body(json, &["decision", "reason"], |fields| {
            let decision = fields.required("decision", one_of(DECISIONS));
            let reason = why(fields);
            Some(Self { decision: decision?, reason })
        })
    }
}

impl ArchiveBody {
    /// Reads `{"reason"}`; no body and null are an empty one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: Option<&Tree<'_>>) -> Result<Self, Vec<FieldError>> {
        optional_body(json, &["reason"], |fields| Some(Self { reason: why(fields) }))
    }
}

fn why(fields: &mut Fields<'_, '_>) -> Option<String> {
    fields.optional("reason", reason).flatten()
}

fn optional_body<T: Default>(
    json: Option<&Tree<'_>>,
    known: &[&str],
    read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
) -> Result<T, Vec<FieldError>> {
    match json {
        None | Some(Tree::Null) => Ok(T::default()),
        Some(json) => body(json, known, read),
    }
}

pub(super) fn body<T>(
    json: &Tree<'_>,
    known: &[&str],
    read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
) -> Result<T, Vec<FieldError>> {
    let mut errors = Vec::new();
    let value = read(&mut Fields::open(json, known, &mut errors));
    match value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(errors),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(errors: Vec<FieldError>) -> Vec<(String, &'static str)> {
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let errors =
            TransferBody::parse(&Tree::from(&json!({"device": 1, "to": null, "reason": "x".repeat(501), "pin": "1"})));
        let expected = [
            ("/pin".to_owned(), "unknown-field"),
            ("/device".to_owned(), "wrong-type"),
            ("/from".to_owned(), "required"),
            ("/to".to_owned(), "required"),
            ("/reason".to_owned(), "too-long"),
        ];
        assert_eq!(codes(errors.unwrap_err()), expected);
    }

    #[test]
    fn a_document_that_is_no_object_is_one_error() {
        assert_eq!(codes(LockBody::parse(&Tree::from(&json!([1]))).unwrap_err()), [(String::new(), "wrong-type")]);
        assert_eq!(
            codes(StarBody::parse(Some(&Tree::from(&json!("x")))).unwrap_err()),
            [(String::new(), "wrong-type")]
        );
    }

    #[test]
    fn a_reason_may_be_blank_and_a_body_absent() {
        let lock = LockBody::parse(&Tree::from(&json!({"device": "DV-1", "locked": true, "reason": " "}))).unwrap();
        assert_eq!(lock, LockBody { device: "DV-1".into(), locked: true, reason: None });
        assert_eq!(StarBody::parse(None).unwrap(), StarBody { starred: None });
        assert_eq!(
            StarBody::parse(Some(&Tree::from(&json!({"starred": false})))).unwrap(),
            StarBody { starred: Some(false) }
        );
        assert_eq!(ArchiveBody::parse(Some(&Tree::Null)).unwrap(), ArchiveBody { reason: None });
    }

    #[test]
    fn the_other_commands_read_their_members() {
        assert!(ActivateBody::parse(&Tree::from(&json!({"device": "DV-1", "active": false}))).is_ok());
        assert!(ResetPinBody::parse(&Tree::from(&json!({"device": "DV-1"}))).is_ok());
        let review = ReviewBody::parse(&Tree::from(&json!({"decision": "reject", "reason": "a match"}))).unwrap();
        assert_eq!(review, ReviewBody { decision: Decision::Reject, reason: Some("a match".into()) });
        let wrong = ReviewBody::parse(&Tree::from(&json!({"decision": "maybe"}))).unwrap_err();
        assert_eq!(wrong.first().unwrap().detail, "accepted: approve, reject");
    }
}
