//! What is linked to a record: cases, calls, meetings, e-mails, and survey answers under the custom link `cFeedback`. Nobody
//! writes them here; about half of the records have an open case and two communications, a third an answer, made up from the seed and the record when they are asked for.

use chrono::{Duration, NaiveDateTime};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use crate::chance;

use super::record::{Record, TIME_FORMAT};

const CASES: [&str; 3] = ["Card delivery delayed", "Wrong address on statement", "Question on fees"];
const CALLS: [&str; 3] = ["Welcome call", "Annual review", "Follow-up on documents"];
const EMAILS: [&str; 3] = ["Documents received", "Your questions on fees", "Appointment confirmed"];
const FEEDBACK: [&str; 2] = ["Quick and friendly", "Had to call twice"];
const MEETINGS: [&str; 2] = ["Branch visit", "Portfolio review"];

/// The entries of a link; nothing where the record has no such link.
pub(super) fn entries(seed: u64, record: &Record, link: &str) -> Option<Vec<Map<String, Value>>> {
    let mut chance = chance::about(seed, "espocrm.related", record.reference());
    let has_any = chance.random_bool(0.5);
    let writes = chance.random_bool(0.5);
    let answers = chance.random_ratio(1, 3);
    let wanted = match link {
        "cFeedback" => answers,
        "cases" | "calls" => has_any,
        "emails" => has_any && writes,
        "meetings" => has_any && !writes,
        _ => return None,
    };
    if !wanted {
        return Some(Vec::new());
    }
    Some(vec![entry(record, link, &mut chance)])
}

fn entry(record: &Record, link: &str, chance: &mut StdRng) -> Map<String, Value> {
    let days = chance.random_range(2..60);
    let at = NaiveDateTime::parse_from_str(record.text("createdAt").unwrap_or_default(), TIME_FORMAT)
        .unwrap_or_default()
        - Duration::days(days);
    let minutes = chance.random_range(10..45);
    let (at, end) =
        (at.format(TIME_FORMAT).to_string(), (at + Duration::minutes(minutes)).format(TIME_FORMAT).to_string());
    let specific = match link {
        "cases" => {
            json!({"name": pick(&CASES, chance), "number": chance.random_range(1..5000), "status": "Assigned",
                          "priority": "Normal", "type": "Question"})
        }
        "calls" => {
            json!({"name": pick(&CALLS, chance), "status": "Held", "direction": "Outbound", "dateStart": at,
                          "dateEnd": end})
        }
        "emails" => {
            let subject = pick(&EMAILS, chance);
            json!({"name": subject, "subject": subject, "status": "Archived", "dateSent": at})
        }
        "cFeedback" => {
            json!({"name": "Survey", "score": chance.random_range(0..=10), "description": pick(&FEEDBACK, chance)})
        }
        _ => {
            json!({"name": pick(&MEETINGS, chance), "status": "Held", "dateStart": at, "dateEnd": end})
        }
    };
    let common = json!({
        "id": format!("{}{}", record.id(), link.get(..1).unwrap_or_default()), "deleted": false, "createdAt": at, "modifiedAt": at,
        "parentType": record.kind.name(), "parentId": record.id(), "parentName": record.name(),
        "assignedUserId": record.text("assignedUserId"), "assignedUserName": record.text("assignedUserName"),
    });
    [common, specific].into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect()
}

fn pick<'a>(among: &[&'a str], chance: &mut StdRng) -> &'a str {
    among.get(chance.random_range(0..among.len())).copied().unwrap_or_default()
}
