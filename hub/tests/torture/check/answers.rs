//! What the members were told against what the journal holds: nothing answered is lost, nothing refused was done, nothing
//! was done twice, and a repeated request has one answer.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::fold::Fold;
use super::{Entry, Evidence, Findings};
use crate::book::{Asked, Book, Told};

pub fn look(evidence: &Evidence<'_>, fold: &Fold) -> Findings {
    let mut findings = Findings::new();
    let mut done: HashMap<&str, Vec<&Entry>> = HashMap::new();
    for entry in evidence.entries.iter().filter(|entry| entry.request_id.starts_with("torture-")) {
        done.entry(&entry.request_id).or_default().push(entry);
    }
    for asked in &evidence.asked {
        let entries = done.remove(Book::request_id(asked.number).as_str()).unwrap_or_default();
        if let Some(wrong) = one(asked, &entries, fold) {
            let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
            let (number, what, told) = (asked.number, asked.request.what, &asked.told);
            findings.push(format!(
                "answers: {wrong}: request {number} ({what} {} {}), entries {seqs:?}, told {told:?}",
                asked.request.path, asked.request.body
            ));
        }
    }
    for id in done.keys() {
        findings.push(format!("answers: the journal has entries of {id}, which nobody asked"));
    }
    findings.extend(repeats(&evidence.asked));
    findings.extend(doubles(&evidence.entries));
    findings.extend(stars(&evidence.entries));
    findings
}

/// A member makes a client a favourite only where it is none, and the other way round.
fn stars(entries: &[Entry]) -> Findings {
    let mut is: HashMap<(&str, &str, String), &str> = HashMap::new();
    let mut findings = Findings::new();
    for entry in entries.iter().filter(|entry| matches!(entry.kind.as_str(), "client.starred" | "client.unstarred")) {
        let of = (entry.org.as_str(), entry.about(), entry.data["reference"].to_string());
        let before = is.insert(of, &entry.kind).unwrap_or("client.unstarred");
        if before == entry.kind {
            findings.push(format!("doubled: entry {}: {} twice in a row in {}", entry.seq, entry.kind, entry.stream));
        }
    }
    findings
}

fn one(asked: &Asked, entries: &[&Entry], fold: &Fold) -> Option<String> {
    // Devices that came while their client was being archived are deactivated behind it, under the same request.
    let late = |entry: &Entry| asked.request.what == "archive" && entry.kind == "device.deactivated";
    if !entries.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq || late(pair[1])) {
        return Some("done more than once".to_owned());
    }
    let told = asked.told.as_ref()?;
    match told.status {
        200..300 if told.replayed => (!entries.is_empty()).then(|| "a replay that wrote".to_owned()),
        200..300 => succeeded(asked, told, entries, fold),
        400..500 | 503 => (!entries.is_empty()).then(|| "refused, and done nevertheless".to_owned()),
        _ => Some("an answer that should not be".to_owned()),
    }
}

fn succeeded(asked: &Asked, told: &Told, entries: &[&Entry], fold: &Fold) -> Option<String> {
    let of = |kinds: &[&str]| entries.iter().find(|entry| kinds.contains(&entry.kind.as_str())).copied();
    let (sent, answer) = (&asked.request.body, &told.body);
    match asked.request.what {
        "create" => match of(&["client.created"]) {
            Some(entry) if entry.about() == answer["reference"] && same_profile(&entry.data["profile"], sent) => None,
            Some(_) => Some("created as something else".to_owned()),
            None => Some("an answered creation is lost".to_owned()),
        },
        "edit" => edited(asked, answer, of(&["client.updated"]), fold),
        "archive" => match of(&["client.archived"]) {
            Some(_) => None,
            None => (answer["status"] != "archived").then(|| "an answered archiving is lost".to_owned()),
        },
        "star" => starred(sent, answer, of(&["client.starred", "client.unstarred"])),
        "lock" => device(answer, "locked", sent, of(&["device.locked", "device.unlocked"])),
        "activate" => device(answer, "active", sent, of(&["device.activated", "device.deactivated"])),
        "transfer" => match of(&["device.transferred"]) {
            Some(entry) if entry.version == answer["version"] && entry.data["to"] == sent["to"] => None,
            // Handed to its own owner: nothing happens.
            None if sent["from"] == sent["to"] && answer["client"] == sent["to"] => None,
            _ => Some("an answered transfer is lost".to_owned()),
        },
        "reset" => match of(&["device.pin-reset"]) {
            Some(entry) if entry.data["resetId"] == answer["resetId"] => None,
            _ => Some("an answered reset is lost".to_owned()),
        },
        "document" => of(&["document.received"]).is_none().then(|| "an answered document is lost".to_owned()),
        "review" => of(&["kyc.reviewed"]).is_none().then(|| "an answered review is lost".to_owned()),
        _ => (!entries.is_empty()).then(|| "a reading that wrote".to_owned()),
    }
}

/// What was sent is what is kept, as far as the checker looks.
fn same_profile(kept: &Value, sent: &Value) -> bool {
    ["segment", "email", "phone"].iter().all(|name| kept[name] == sent[name])
}

fn edited(asked: &Asked, answer: &Value, entry: Option<&Entry>, fold: &Fold) -> Option<String> {
    let reference = answer["reference"].as_str()?.to_owned();
    let version = answer["version"].as_u64()?;
    let Some(kept) = fold.versions.get(&(reference, version)) else {
        return Some("an answered edit is lost: no such version".to_owned());
    };
    if !same_profile(&kept.profile, &asked.request.body) {
        return Some(format!("an answered edit is lost: that version is {}", kept.profile));
    }
    if let Some(status) = asked.request.body["status"].as_str().filter(|status| kept.status != **status) {
        return Some(format!("an answered status is lost: {status} became {}", kept.status));
    }
    match (entry, asked.request.if_match) {
        // A screening may have moved the client on since: the answer shows it as it is then, never as it was before.
        (Some(entry), _) if entry.version > version => {
            Some("answered with an older version than was written".to_owned())
        }
        (Some(entry), Some(wanted)) if entry.version != wanted + 1 => Some("If-Match was not honoured".to_owned()),
        _ => None,
    }
}

fn starred(sent: &Value, answer: &Value, entry: Option<&Entry>) -> Option<String> {
    let said = answer["starred"].as_bool();
    match (entry.map(|entry| entry.kind == "client.starred"), sent["starred"].as_bool()) {
        (Some(did), _) => (said != Some(did)).then(|| "starred as something else".to_owned()),
        (None, Some(wanted)) => (said != Some(wanted)).then(|| "an answered star is lost".to_owned()),
        (None, None) => Some("an answered toggle is lost".to_owned()),
    }
}

fn device(answer: &Value, flag: &str, sent: &Value, entry: Option<&Entry>) -> Option<String> {
    if let Some(entry) = entry {
        return answer["version"]
            .as_u64()
            .is_none_or(|version| entry.version > version)
            .then(|| "answered with an older version than was written".to_owned());
    }
    // A locked device is never active; to deactivate it may be nothing new.
    (answer[flag] != sent[flag]).then(|| "an answered command on a device is lost".to_owned())
}

/// All successful answers to one key are the same, only the first is not a replay, and after it nothing else is answered.
fn repeats(asked: &[Asked]) -> Findings {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Asked>> = BTreeMap::new();
    for asked in asked {
        if let Some(key) = &asked.request.key {
            groups.entry((&asked.org, &asked.member, key)).or_default().push(asked);
        }
    }
    let mut findings = Findings::new();
    for ((_, _, key), group) in groups {
        let answers: Vec<(&Asked, &Told)> =
            group.iter().filter_map(|asked| Some((*asked, asked.told.as_ref()?))).collect();
        let good: Vec<&Told> = answers.iter().map(|(_, told)| *told).filter(|told| told.is_ok()).collect();
        let Some(first) = good.iter().min_by_key(|told| told.at) else { continue };
        if let Some(other) = good.iter().find(|told| (told.status, &told.body) != (first.status, &first.body)) {
            findings.push(format!("repeats: {key} was answered with {} and with {}", first.body, other.body));
        }
        if good.iter().filter(|told| !told.replayed).count() > 1 {
            findings.push(format!("repeats: {key} was answered as new more than once"));
        }
        let after = |(asked, told): &&(&Asked, &Told)| {
            asked.sent > first.at && !told.is_ok() && told.status != 503 && told.code() != "request-in-progress"
        };
        if let Some((asked, told)) = answers.iter().find(after) {
            findings.push(format!(
                "repeats: {key} was answered {}, then request {} got {told:?}",
                first.status, asked.number
            ));
        }
        let body = group[0].request.what == "create";
        if let Some((_, told)) = answers.iter().find(|(_, told)| body && told.code() == "duplicate-client") {
            findings.push(format!("repeats: {key} met the client that it had made itself: {told:?}"));
        }
    }
    findings
}

/// A client for each number, never two.
fn doubles(entries: &[Entry]) -> Findings {
    let mut made: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == "client.created") {
        let phone = entry.data["profile"]["phone"].as_str().unwrap_or_default();
        made.entry(format!("{} {phone}", entry.org)).or_default().push(entry.about());
    }
    let doubled = made.into_iter().filter(|(_, clients)| clients.len() > 1);
    doubled.map(|(who, clients)| format!("doubled: {who} is {clients:?}")).collect()
}
