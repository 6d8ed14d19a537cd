//! Screening: what the lists' answer means for the client.

use std::collections::BTreeMap;

use adapter_kit::types::{Disposition, Profile};
use adapter_kit::{Answer, Call, Session, below, rfc3339};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::opensanctions::{Rules, refusal, required_documents};
use crate::query::example;
use crate::{Approval, Case, Document, Verdict};

/// The most matches that are asked for, and so the most reasons.
const MOST_MATCHES: &str = "5";
const LONGEST_REASON: usize = 300;

#[derive(Deserialize)]
struct Screened {
    responses: BTreeMap<String, Response>,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
    #[serde(default)]
    results: Vec<Match>,
}

#[derive(Deserialize)]
struct Match {
    id: String,
    caption: String,
    schema: String,
    score: f64,
    #[serde(default)]
    datasets: Vec<String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(default)]
    topics: Vec<String>,
}

/// Screens the client, and then looks whether its documents are there.
pub fn verify(session: &Session<'_>, profile: &Profile, documents: &[Document]) -> Result<Verdict, Disposition> {
    let rules = Rules::read(session.settings())?;
    let required = required_documents(session.settings(), profile.kind)?;
    let answer = ask(session, &rules, profile)?;
    let reasons = reasons(matches(&answer, &profile.reference)?, rules.threshold);
    if !reasons.is_empty() {
        return Ok(Verdict::Pending(Case { id: None, reasons }));
    }
    let missing: Vec<String> = required.into_iter().filter(|kind| !has(documents, kind)).collect();
    if !missing.is_empty() {
        return Ok(Verdict::NeedsDocuments(missing));
    }
    Ok(Verdict::Approved(Approval { expires_at: expiry(&answer, profile, rules.validity_days) }))
}

fn ask(session: &Session<'_>, rules: &Rules, profile: &Profile) -> Result<Answer, Disposition> {
    let mut call = Call::post("api", below(&["match", &rules.dataset])?)
        .without_effect()
        .query("threshold", &rules.threshold.to_string())
        .query("limit", MOST_MATCHES)
        .json(&json!({"queries": {&profile.reference: example(profile)}}));
    if let Some(algorithm) = &rules.algorithm {
        call = call.query("algorithm", algorithm);
    }
    session.send(call)?.success(refusal)
}

/// What the service found for this client. A batch answers 200 even where the one query in it failed.
fn matches(answer: &Answer, reference: &str) -> Result<Vec<Match>, Disposition> {
    let mut screened: Screened = answer.json()?;
    match screened.responses.remove(reference) {
        Some(response) if response.status == 200 => Ok(response.results),
        Some(_) => Err(answer.nonsense("the query in it failed")),
        None => Err(answer.nonsense("it does not answer the query")),
    }
}

fn reasons(mut matches: Vec<Match>, threshold: f64) -> Vec<String> {
    matches.retain(|found| found.score >= threshold);
    matches.sort_by(|one, other| other.score.total_cmp(&one.score));
    matches.iter().map(reason).collect()
}

fn reason(found: &Match) -> String {
    let list = |name: &str, values: &[String]| match values {
        [] => String::new(),
        values => format!(", {name} {}", values.join(" ")),
    };
    let text = format!(
        "possible match {:.2}: {} ({}, {}{}{})",
        found.score,
        found.caption,
        found.schema,
        found.id,
        list("topics", &found.properties.topics),
        list("datasets", &found.datasets),
    );
    text.chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect()
}

fn has(documents: &[Document], kind: &str) -> bool {
    documents.iter().any(|document| document.document_type.eq_ignore_ascii_case(kind))
}

/// The end of the approval, by the service's clock; where it shows none, from the last change of the profile, which is earlier.
fn expiry(answer: &Answer, profile: &Profile, days: i64) -> Option<String> {
    let changed = || DateTime::parse_from_rfc3339(&profile.updated_at).ok().map(|time| time.to_utc());
    let from: DateTime<Utc> = answer.date().or_else(changed)?;
    Some(rfc3339(from.checked_add_signed(TimeDelta::try_days(days)?)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::{Script, individual};
    use serde_json::Value;

    use super::*;

    const DATE: (&str, &str) = ("Date", "Sun, 01 Mar 2026 10:00:00 GMT");

    fn answered(results: Value) -> Value {
        json!({"responses": {individual().reference: {"status": 200, "results": results, "total": {"value": 1}}}, "limit": 5})
    }

    fn listed(score: f64) -> Value {
        json!({"id": "NK-1", "caption": "Drazen Volkovar", "schema": "Person", "score": score, "match": true,
               "datasets": ["sanctions"], "properties": {"topics": ["sanction"], "name": ["Drazen Volkovar"]}})
    }

    fn document(kind: &str) -> Document {
        Document {
            id: "d".into(),
            document_type: kind.into(),
            media_type: "image/png".into(),
            digest: String::new(),
            size: 1,
            submitted_at: String::new(),
        }
    }

    fn verified(script: Script, documents: &[Document]) -> Result<Verdict, Disposition> {
        verify(&Session::new(&script), &individual(), documents)
    }

    #[test]
    fn no_match_is_an_approval_with_an_end() {
        let script = Script::new().setting("validity-days", "30").answer_with(200, &[DATE], answered(json!([])));
        let verdict = verify(&Session::new(&script), &individual(), &[]).unwrap();
        assert_eq!(verdict, Verdict::Approved(Approval { expires_at: Some("2026-03-31T10:00:00.000Z".into()) }));
        assert_eq!(script.lines(), ["POST api /match/default?threshold=0.7&limit=5"]);
        assert_eq!(script.sent(0)["queries"][individual().reference]["schema"], json!("Person"));
    }

    #[test]
    fn a_match_is_for_a_person_to_decide() {
        let script =
            Script::new().answer_with(200, &[DATE], answered(json!([listed(0.72), listed(0.93), listed(0.69)])));
        let Verdict::Pending(case) = verified(script, &[]).unwrap() else { panic!("not pending") };
        let best = "possible match 0.93: Drazen Volkovar (Person, NK-1, topics sanction, datasets sanctions)";
        assert_eq!((case.id, case.reasons.len(), case.reasons[0].as_str()), (None, 2, best));
    }

    #[test]
    fn the_threshold_is_the_settings() {
        let script =
            Script::new().setting("threshold", "0.95").answer_with(200, &[DATE], answered(json!([listed(0.93)])));
        assert!(matches!(verified(script, &[]).unwrap(), Verdict::Approved(_)));
    }

    #[test]
    fn documents_are_asked_for_where_the_settings_require_them() {
        let script = || {
            let required = r#"["passport", "proof-of-address"]"#;
            Script::new().setting("required-documents-individual", required).answer(200, answered(json!([])))
        };
        let missing = verified(script(), &[document("passport")]).unwrap();
        assert_eq!(missing, Verdict::NeedsDocuments(vec!["proof-of-address".into()]));
        let all = [document("passport"), document("proof-of-address")];
        assert!(matches!(verified(script(), &all).unwrap(), Verdict::Approved(_)));
    }

    #[test]
    fn without_a_date_the_approval_counts_from_the_profile() {
        let script = Script::new().answer(200, answered(json!([])));
        let expected = Approval { expires_at: Some("2027-03-02T11:00:00.000Z".into()) };
        assert_eq!(verified(script, &[]).unwrap(), Verdict::Approved(expected));
    }

    #[test]
    fn no_failure_is_ever_unknown() {
        for script in [
            Script::new().fail(HttpFailure::TimedOut),
            Script::new().answer(500, json!({})),
            Script::new().answer_text(200, "<html>"),
            Script::new().answer(200, json!({"responses": {}})),
            Script::new().answer(200, json!({"responses": {individual().reference: {"status": 500}}})),
        ] {
            assert!(matches!(verified(script, &[]), Err(Disposition::Retry(_))));
        }
    }

    #[test]
    fn an_unknown_dataset_is_rejected_and_a_malformed_setting_is_named() {
        let script = Script::new().setting("dataset", "nowhere").answer(404, json!({"detail": "No such dataset."}));
        assert!(matches!(verified(script, &[]), Err(Disposition::Reject(_))));
        let script = Script::new().setting("threshold", "2");
        assert!(matches!(verified(script, &[]), Err(Disposition::Unavailable(why)) if why.contains("threshold")));
    }
}
