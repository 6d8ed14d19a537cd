//! What the CRM knows of the relationship: who looks after the client, what is open, and when they last spoke.

use adapter_kit::types::Disposition;
use adapter_kit::{Call, Session, rfc3339};
use chrono::NaiveDateTime;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::espo::{Fields, List, PAGE, Target, filter, refusal};
use crate::{Communication, Feedback, RelationshipSummary};

/// Times as EspoCRM writes them, in UTC.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The states of a case in which nobody works on it any more.
const CLOSED: [&str; 3] = ["Closed", "Rejected", "Duplicate"];

/// The contract's bound on either list.
const MOST_ENTRIES: usize = 50;
const BEST_SCORE: f64 = 10.0;

/// A link to communications: its name, what the contract calls the channel, and the field with the time.
const CHANNELS: [(&str, &str, &str); 3] =
    [("calls", "call", "dateStart"), ("meetings", "meeting", "dateStart"), ("emails", "email", "dateSent")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owned {
    assigned_user_name: Option<String>,
}

#[derive(Deserialize)]
struct Case {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    name: Option<String>,
    date_start: Option<String>,
    date_sent: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    created_at: Option<String>,
    score: Option<f64>,
    description: Option<String>,
}

/// What the CRM knows now.
pub fn summary(session: &Session<'_>, external_id: &str) -> Result<RelationshipSummary, Disposition> {
    let fields = Fields::read(session.settings());
    let target = Target::read(external_id)?;
    let communications = communications(session, target)?;
    Ok(RelationshipSummary {
        owner: owner(session, target)?,
        open_cases: open_cases(session, target)?,
        last_contact_at: communications.first().map(|newest| newest.at.clone()),
        communications,
        feedback: feedback(session, target, fields.feedback_link.as_deref())?,
    })
}

fn owner(session: &Session<'_>, target: Target<'_>) -> Result<Option<String>, Disposition> {
    let call = Call::get("api", target.path()?).query("select", "assignedUserName");
    let owned: Owned = session.send(call)?.success(refusal)?.json()?;
    Ok(owned.assigned_user_name)
}

fn list<T: DeserializeOwned>(session: &Session<'_>, call: Call) -> Result<List<T>, Disposition> {
    session.send(call.query("maxSize", PAGE))?.success(refusal)?.json()
}

/// EspoCRM counts, unless it was told not to for speed; then what one page shows is the least that is true.
fn open_cases(session: &Session<'_>, target: Target<'_>) -> Result<u32, Disposition> {
    let call = filter(Call::get("api", target.link("cases")?), "notIn", "status", &CLOSED);
    let cases: List<Case> = list(session, call.query("select", "id"))?;
    Ok(u32::try_from(cases.total).unwrap_or_else(|_| u32::try_from(cases.list.len()).unwrap_or(u32::MAX)))
}

fn communications(session: &Session<'_>, target: Target<'_>) -> Result<Vec<Communication>, Disposition> {
    let mut all = Vec::new();
    for (link, channel, time) in CHANNELS {
        let call = Call::get("api", target.link(link)?);
        // What is only planned is no contact yet. An e-mail has no such state.
        let call = if channel == "email" { call } else { filter(call, "equals", "status", &["Held"]) };
        let call = call.query("select", &format!("name,{time}")).query("orderBy", time).query("order", "desc");
        let found: List<Activity> = list(session, call)?;
        all.extend(found.list.into_iter().filter_map(|activity| communication(activity, channel)));
    }
    all.sort_by(|one, other| other.at.cmp(&one.at));
    all.truncate(MOST_ENTRIES);
    Ok(all)
}

fn communication(activity: Activity, channel: &str) -> Option<Communication> {
    let at = moment(activity.date_start.or(activity.date_sent).as_deref()?)?;
    Some(Communication { at, channel: channel.to_owned(), subject: activity.name.unwrap_or_default() })
}

fn feedback(session: &Session<'_>, target: Target<'_>, link: Option<&str>) -> Result<Vec<Feedback>, Disposition> {
    let Some(link) = link else { return Ok(Vec::new()) };
    let call = Call::get("api", target.link(link)?).query("select", "createdAt,score,description");
    let found: List<Answered> = list(session, call.query("orderBy", "createdAt").query("order", "desc"))?;
    let entries = found.list.into_iter().filter_map(|answered| {
        let at = moment(answered.created_at.as_deref()?)?;
        Some(Feedback { at, score: answered.score.and_then(score), text: answered.description })
    });
    Ok(entries.take(MOST_ENTRIES).collect())
}

/// 0 to 10, rounded; nothing where the survey has another scale.
fn score(score: f64) -> Option<u8> {
    // In bounds, so the conversion is exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..=BEST_SCORE).contains(&score).then(|| score.round() as u8)
}

/// `2026-03-01 10:00:00` → `2026-03-01T10:00:00.000Z`.
fn moment(text: &str) -> Option<String> {
    NaiveDateTime::parse_from_str(text, TIME_FORMAT).ok().map(|time| rfc3339(time.and_utc()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;
    use serde_json::{Value, json};

    use super::*;

    fn page(entries: Value) -> Value {
        json!({"total": entries.as_array().map_or(0, Vec::len), "list": entries})
    }

    fn script() -> Script {
        Script::new()
            .answer(200, page(json!([{"id": "1", "name": "Welcome call", "dateStart": "2026-03-01 10:00:00"}])))
            .answer(200, page(json!([{"id": "2", "name": "Visit", "dateStart": "2026-04-01 09:00:00"}, {"id": "3"}])))
            .answer(200, page(json!([{"id": "4", "name": "Documents", "dateSent": "2026-03-15 08:30:00"}])))
            .answer(200, json!({"id": "66a1", "assignedUserName": "Ingrid Solheim"}))
    }

    #[test]
    fn everything_is_gathered_newest_first() {
        let script = script().answer(200, json!({"total": 2, "list": [{"id": "c"}, {"id": "d"}]}));
        let summary = summary(&Session::new(&script), "Account/66a1").unwrap();
        assert_eq!((summary.owner.as_deref(), summary.open_cases), (Some("Ingrid Solheim"), 2));
        assert_eq!(summary.last_contact_at.as_deref(), Some("2026-04-01T09:00:00.000Z"));
        let channels: Vec<&str> = summary.communications.iter().map(|entry| entry.channel.as_str()).collect();
        assert_eq!(channels, ["meeting", "email", "call"]);
        assert!(summary.feedback.is_empty());
        let lines = script.lines();
        assert_eq!(
            lines[0],
            "GET api /Account/66a1/calls?where[0][type]=equals&where[0][attribute]=status\
                              &where[0][value]=Held&select=name,dateStart&orderBy=dateStart&order=desc&maxSize=50"
        );
        assert_eq!(
            lines[4],
            "GET api /Account/66a1/cases?where[0][type]=notIn&where[0][attribute]=status\
                              &where[0][value][]=Closed&where[0][value][]=Rejected&where[0][value][]=Duplicate\
                              &select=id&maxSize=50"
        );
    }

    #[test]
    fn cases_are_counted_where_the_crm_does_not() {
        let script = script().answer(200, json!({"total": -1, "list": [{"id": "c"}]}));
        assert_eq!(summary(&Session::new(&script), "Account/66a1").unwrap().open_cases, 1);
    }

    #[test]
    fn feedback_comes_from_the_link_that_the_settings_name() {
        let answers = json!([{"createdAt": "2026-05-01 00:00:00", "score": 9, "description": "Good"},
                             {"createdAt": "2026-04-01 00:00:00", "score": 11}, {"score": 1}]);
        let script =
            script().setting("feedback-link", "surveys").answer(200, page(json!([]))).answer(200, page(answers));
        let feedback = summary(&Session::new(&script), "Account/66a1").unwrap().feedback;
        let scores: Vec<Option<u8>> = feedback.iter().map(|entry| entry.score).collect();
        assert_eq!(scores, [Some(9), None]);
    }

    #[test]
    fn times_that_are_none_are_left_out() {
        assert_eq!(moment("2026-03-01 10:00:00").as_deref(), Some("2026-03-01T10:00:00.000Z"));
        assert_eq!((moment("yesterday"), moment("2026-13-01 10:00:00")), (None, None));
    }
}
