//! The deliveries as the journal tells them: each lane in order, one at a time, nothing after its end, nothing superseded, and
//! nothing owed that never came.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fold::Fold;
use super::{Entry, Evidence, Findings};

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Flying,
    Failed { unknown: bool },
    Delivered,
    Parked,
    Discarded,
}

/// One delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub key: String,
    pub function: String,
    pub version: u64,
    pub owing: u64,
    pub end: End,
    pub note: Option<String>,
    pub external_id: Option<String>,
}

/// The deliveries of one adapter for one client or device, in the order of their first attempts.
#[derive(Debug, Default)]
pub struct Lane {
    pub deliveries: Vec<Delivery>,
}

impl Lane {
    fn find(&mut self, key: &str) -> Option<&mut Delivery> {
        self.deliveries.iter_mut().rev().find(|delivery| delivery.key == key)
    }

    /// Something was set aside, and what comes after it waits.
    pub fn is_held(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.end == End::Parked)
    }

    /// Deliveries of a function that came to this end.
    pub fn count(&self, function: &str, end: End) -> usize {
        self.deliveries.iter().filter(|delivery| delivery.function == function && delivery.end == end).count()
    }

    fn knows(&self, owing: u64) -> bool {
        self.deliveries.iter().any(|delivery| delivery.owing == owing)
    }
}

/// By adapter and client or device.
pub type Lanes = BTreeMap<(String, String), Lane>;

fn is_mirror(function: &str) -> bool {
    !is_question(function)
        && !matches!(function, "submit-document" | "set-device-state" | "transfer-device" | "reset-pin" | "send")
}

/// What has no effect needs no order.
fn is_question(function: &str) -> bool {
    function == "list-devices"
}

/// Reads all deliveries, and says what is wrong with them.
pub fn read(evidence: &mut Evidence<'_>, fold: &Fold, findings: &mut Findings) -> Lanes {
    let mut lanes = Lanes::new();
    let mut newest: HashMap<&str, u64> = HashMap::new();
    for entry in &evidence.entries {
        match entry.family() {
            "client" => {
                newest.insert(entry.about(), entry.version);
            }
            "delivery" => {
                let (adapter, lane) = entry.about().split_once('/').unwrap();
                let of = lanes.entry((adapter.to_owned(), lane.to_owned())).or_default();
                if let Some(wrong) = step(of, entry, newest.get(lane).copied()) {
                    findings
                        .push(format!("deliveries: {wrong}: entry {} in {} {}", entry.seq, entry.stream, entry.data));
                }
            }
            _ => {}
        }
    }
    findings.extend(owed(&evidence.entries, &lanes));
    for ((adapter, about), lane) in &lanes {
        for (at, delivery) in lane.deliveries.iter().enumerate() {
            *evidence.counts.entry(format!("deliveries {adapter} {:?}", delivery.end)).or_default() += 1;
            // A mirror that surely had no effect is superseded by a newer one.
            let superseded = delivery.end == (End::Failed { unknown: false })
                && is_mirror(&delivery.function)
                && (lane.deliveries.iter().skip(at + 1).any(|later| is_mirror(&later.function))
                    || is_moot(fold, adapter, about, lane, delivery));
            if matches!(delivery.end, End::Flying | End::Failed { .. }) && !superseded {
                findings.push(format!("deliveries: never came to its end: {adapter} {about} {delivery:?}"));
            }
        }
    }
    let parked = evidence.entries.iter().filter(|entry| entry.kind == "delivery.parked");
    for entry in parked {
        let of = (entry.data["function"].as_str().unwrap(), entry.data["reason"].as_str().unwrap());
        if !matches!(of, ("send" | "reset-pin", "outcome-unknown")) {
            findings.push(format!(
                "deliveries: set aside without need: entry {} in {} {}",
                entry.seq, entry.stream, entry.data
            ));
        }
    }
    lanes
}

fn step(lane: &mut Lane, entry: &Entry, newest: Option<u64>) -> Option<String> {
    let data = &entry.data;
    let key = data["key"].as_str().or_else(|| data["delivery"]["id"].as_str())?.to_owned();
    if entry.kind == "delivery.attempted" {
        return attempted(lane, entry, newest);
    }
    let Some(delivery) = lane.find(&key) else { return Some("an end without a beginning".to_owned()) };
    let before = delivery.end;
    delivery.end = match entry.kind.as_str() {
        "delivery.failed" => End::Failed { unknown: data["unknown"] == true },
        "delivery.delivered" => End::Delivered,
        "delivery.parked" => End::Parked,
        "delivery.discarded" => End::Discarded,
        _ => End::Failed { unknown: false },
    };
    if delivery.end == End::Delivered {
        delivery.note = data["note"].as_str().map(str::to_owned);
        delivery.external_id = data["externalId"].as_str().map(str::to_owned);
    }
    let fits = match before {
        End::Flying => delivery.end != End::Discarded,
        End::Parked => matches!(entry.kind.as_str(), "delivery.discarded" | "delivery.retried"),
        _ => false,
    };
    (!fits).then(|| format!("{} after {before:?}", entry.kind))
}

fn attempted(lane: &mut Lane, entry: &Entry, newest: Option<u64>) -> Option<String> {
    let data = &entry.data;
    let (key, function) = (data["key"].as_str()?, data["function"].as_str()?);
    let (version, owing) = (data["version"].as_u64()?, data["owing"].as_u64()?);
    let mirror = is_mirror(function);
    let ordered = |other: &&Delivery| other.key != key && !is_question(&other.function) && !is_question(function);
    let others: Vec<&Delivery> = lane.deliveries.iter().filter(ordered).collect();
    let open = |other: &&&Delivery| matches!(other.end, End::Flying | End::Failed { unknown: true });
    let mut wrong = others.iter().find(open).map(|other| format!("begun while the outcome of {} is open", other.key));
    let same_kind = || others.iter().filter(|other| is_mirror(&other.function) == mirror);
    if mirror && let Some(newer) = same_kind().find(|other| other.version > version) {
        wrong = wrong.or_else(|| Some(format!("version {version} begun after {}", newer.version)));
    }
    let parked = |other: &&&Delivery| matches!(other.end, End::Parked | End::Failed { .. });
    if !mirror && let Some(held) = same_kind().find(parked) {
        wrong = wrong.or_else(|| Some(format!("begun while {} holds the lane", held.key)));
    }
    if !mirror && let Some(later) = same_kind().find(|other| other.owing > owing) {
        wrong = wrong.or_else(|| Some(format!("owed since {owing}, begun after what is owed since {}", later.owing)));
    }
    if let Some(delivery) = lane.find(key) {
        let before = delivery.end;
        delivery.end = End::Flying;
        // Flying: the hub died meanwhile, and asks again with the same key.
        let fits = matches!(before, End::Flying | End::Failed { .. });
        let unsafe_repeat =
            matches!(before, End::Flying | End::Failed { unknown: true }) && matches!(function, "send" | "reset-pin");
        wrong = wrong.or_else(|| (!fits).then(|| format!("another attempt after {before:?}")));
        return wrong.or_else(|| unsafe_repeat.then(|| "repeated though nobody knows its outcome".to_owned()));
    }
    let (note, external_id) = (None, None);
    let (key, function) = (key.to_owned(), function.to_owned());
    if mirror && newest.is_some_and(|newest| newest != version) {
        wrong = wrong.or_else(|| Some(format!("superseded: version {version} first begun when {newest:?} was there")));
    }
    lane.deliveries.push(Delivery { key, function, version, owing, end: End::Flying, note, external_id });
    wrong
}

/// Whether the client has moved on since the mirror's delivery to where nothing newer is owed: archived before the system knew
/// it, or back at what was screened.
fn is_moot(fold: &Fold, adapter: &str, about: &str, lane: &Lane, delivery: &Delivery) -> bool {
    let Some(client) = fold.clients.get(about).filter(|client| client.version > delivery.version) else { return false };
    let gone = client.status == "archived";
    if adapter == "kyc" {
        return gone || fold.screened(about, lane).is_some_and(|screened| screened == client.screening_subject());
    }
    gone && !lane.deliveries.iter().any(|other| is_mirror(&other.function) && other.end == End::Delivered)
}

/// Every command and message that the journal owes has a delivery, unless its lane is held.
fn owed(entries: &[Entry], lanes: &Lanes) -> Findings {
    let mut findings = Findings::new();
    let mut owners: HashMap<&str, String> = HashMap::new();
    let mut due: HashSet<(&str, String, u64)> = HashSet::new();
    for entry in entries {
        let (about, seq) = (entry.about(), entry.seq);
        let owner = entry.data["client"].as_str().unwrap_or_default().to_owned();
        match entry.kind.as_str() {
            "client.activated" | "client.archived" | "client.updated" => {
                due.insert(("messaging", about.to_owned(), seq));
            }
            "document.received" => {
                due.insert(("kyc", about.to_owned(), seq));
            }
            "device.enrolled" => {
                owners.insert(about, owner);
            }
            "device.locked" | "device.unlocked" | "device.activated" | "device.deactivated" => {
                due.insert(("identity", about.to_owned(), seq));
                if matches!(entry.action.as_str(), "CL010" | "CL012") {
                    due.insert(("messaging", owner, seq));
                }
            }
            "device.transferred" => {
                due.insert(("identity", about.to_owned(), seq));
                for end in ["from", "to"] {
                    due.insert(("messaging", entry.data[end].as_str().unwrap().to_owned(), seq));
                }
                owners.insert(about, entry.data["to"].as_str().unwrap().to_owned());
            }
            "device.pin-reset" => {
                due.insert(("identity", about.to_owned(), seq));
            }
            "delivery.delivered" if entry.data["function"] == "reset-pin" => {
                let device = about.rsplit('/').next().unwrap();
                due.insert(("messaging", owners.get(device).cloned().unwrap_or_default(), seq));
            }
            _ => {}
        }
    }
    for (adapter, about, seq) in due {
        let lane = lanes.get(&(adapter.to_owned(), about.clone()));
        if !lane.is_some_and(|lane| lane.knows(seq) || lane.is_held()) {
            findings.push(format!("lost: nothing was sent to {adapter} for {about}, owed by entry {seq}"));
        }
    }
    findings
}
