//! The bodies of decisions on deliveries that were set aside (CX031).

use super::body::body;
use super::fields::{FieldError, Fields, Flaw};
use super::formats::{opaque, reason};
use super::tree::{Members, Tree};
use crate::domain::delivery::{Adapter, Function};
use crate::domain::parked::{Decision, ParkedFilter, REASONS};

/// A decision on one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionBody {
    /// Why; at most 500 characters.
    pub reason: Option<String>,
}

/// A decision on all that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionsBody {
    /// Which.
    pub filter: ParkedFilter,
    /// Why; at most 500 characters.
    pub reason: Option<String>,
    /// Only say what would be met.
    pub dry_run: bool,
}

impl DecisionBody {
    /// Reads `{"reason"}`; no body and null are an empty one. To discard needs a reason.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: Option<&Tree<'_>>, decision: Decision) -> Result<Self, Vec<FieldError>> {
        let empty = Tree::Object(Members::default());
        let json = json.filter(|json| !json.is_null()).unwrap_or(&empty);
        body(json, &["reason"], |fields| Some(Self { reason: justified(fields, decision, false) }))
    }
}

impl DecisionsBody {
    /// Reads `{"filter", "reason", "dryRun"}`. To discard needs a reason, to ask what would be discarded does not.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(json: &Tree<'_>, decision: Decision) -> Result<Self, Vec<FieldError>> {
        body(json, &["filter", "reason", "dryRun"], |fields| {
            let dry_run = fields.optional_flag("dryRun").unwrap_or(false);
            let filter = filter(fields);
            let reason = justified(fields, decision, dry_run);
            Some(Self { filter: filter?, reason, dry_run })
        })
    }
}

fn justified(fields: &mut Fields<'_, '_>, decision: Decision, dry_run: bool) -> Option<String> {
    let given = fields.optional("reason", reason);
    // One that is there and can't be read has been refused already.
    let missing = given.as_ref().map_or(!fields.has("reason"), Option::is_none);
    if missing && decision == Decision::Discard && !dry_run {
        fields.refuse("reason", Flaw::new("required", "to discard needs a reason"));
    }
    given.flatten()
}

fn filter(fields: &mut Fields<'_, '_>) -> Option<ParkedFilter> {
    if !fields.has("filter") {
        fields.refuse(
            "filter",
            Flaw::new("required", "this field is required; {} means all deliveries that are set aside"),
        );
        return None;
    }
    let known = ["adapter", "org", "client", "device", "reason", "function"];
    fields.object("filter", &known, |fields| {
        Some(ParkedFilter {
            adapter: fields.optional("adapter", adapter),
            org: fields.optional("org", opaque),
            client: fields.optional("client", opaque),
            device: fields.optional("device", opaque),
            reason: fields.optional("reason", reason_code),
            function: fields.optional("function", function),
        })
    })
}

/// An adapter by its name.
///
/// # Errors
/// `unknown-value`, with the names that there are.
pub fn adapter(sent: &str) -> Result<Adapter, Flaw> {
    Adapter::parse(sent).ok_or_else(|| unknown(&Adapter::ALL.map(Adapter::as_str)))
}

/// A function by its name.
///
/// # Errors
/// `unknown-value`, with the names that there are.
pub fn function(sent: &str) -> Result<Function, Flaw> {
    Function::parse(sent).ok_or_else(|| unknown(&Function::ALL.map(Function::as_str)))
}

/// Why a delivery was set aside.
///
/// # Errors
/// `unknown-value`, with the codes that there are.
pub fn reason_code(sent: &str) -> Result<String, Flaw> {
    if REASONS.contains(&sent) { Ok(sent.to_owned()) } else { Err(unknown(&REASONS)) }
}

fn unknown(accepted: &[&str]) -> Flaw {
    Flaw::new("unknown-value", format!("accepted: {}", accepted.join(", ")))
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
    fn to_discard_needs_a_reason_and_to_retry_does_not() {
        assert_eq!(DecisionBody::parse(None, Decision::Retry).unwrap().reason, None);
        assert_eq!(DecisionBody::parse(Some(&Tree::from(&json!({}))), Decision::Retry).unwrap().reason, None);
        for json in [None, Some(json!(null)), Some(json!({})), Some(json!({"reason": " "}))] {
            let errors = DecisionBody::parse(json.as_ref().map(Tree::from).as_ref(), Decision::Discard).unwrap_err();
            assert_eq!(codes(errors), [("/reason".to_owned(), "required")], "{json:?}");
        }
        let errors = DecisionBody::parse(Some(&Tree::from(&json!({"reason": 7}))), Decision::Discard).unwrap_err();
        assert_eq!(codes(errors), [("/reason".to_owned(), "wrong-type")]);
    }

    #[test]
    fn a_filter_is_asked_for_and_read_strictly() {
        let none = DecisionsBody::parse(&Tree::from(&json!({})), Decision::Discard).unwrap_err();
        assert_eq!(codes(none), [("/filter".to_owned(), "required"), ("/reason".to_owned(), "required")]);
        let wrong =
            json!({"filter": {"adapter": "ledger", "reason": "x", "function": "y", "colour": 1}, "dryRun": true});
        let expected = [
            ("/filter/colour".to_owned(), "unknown-field"),
            ("/filter/adapter".to_owned(), "unknown-value"),
            ("/filter/reason".to_owned(), "unknown-value"),
            ("/filter/function".to_owned(), "unknown-value"),
        ];
        assert_eq!(codes(DecisionsBody::parse(&Tree::from(&wrong), Decision::Discard).unwrap_err()), expected);
        let all = DecisionsBody::parse(&Tree::from(&json!({"filter": {}, "dryRun": true})), Decision::Discard).unwrap();
        assert_eq!(all, DecisionsBody { filter: ParkedFilter::default(), reason: None, dry_run: true });
    }
}
