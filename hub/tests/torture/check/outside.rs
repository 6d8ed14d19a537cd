//! The outside systems: one effect for each delivery, in order, and in the end the same as the hub.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::deliveries::{End, Lane, Lanes};
use super::fold::{Client, Fold};
use super::{Evidence, Findings};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub fn look(evidence: &mut Evidence<'_>, fold: &Fold, lanes: &Lanes) -> Findings {
    let outside = evidence.outside.clone();
    let effects: Vec<&Value> = list(&outside, "/effects").collect();
    for effect in &effects {
        let (system, kind) = (text(effect, "system"), text(effect, "kind"));
        evidence.count(format!("effects {system} {kind}"), 1);
    }
    let mut findings = once(&effects);
    findings.extend(order(&effects));
    findings.extend(messages(&outside, &effects, fold, lanes));
    let seen = Seen::of(&outside);
    for (reference, client) in &fold.clients {
        findings.extend(mirrors(reference, client, &seen, lanes));
        findings.extend(screening(reference, client, fold, lanes));
    }
    findings.extend(devices(&effects, &seen, fold, lanes));
    findings.extend(unlisted(&seen, fold));
    findings
}

/// One customer, contact and identity for each client, and one effect for each key that the system knows.
fn once(effects: &[&Value]) -> Findings {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for effect in effects.iter().filter(|effect| effect["changed"] == true) {
        let (system, kind) = (text(effect, "system"), text(effect, "kind"));
        let what = match kind {
            "client.created" | "account.created" | "contact.created" | "user.created" | "client.activated"
            | "client.closed" => format!("{system} {kind} for {}", text(effect, "reference")),
            "client.updated" | "mail.accepted" if effect["key"].is_string() => {
                format!("{system} {kind} for key {}", text(effect, "key"))
            }
            _ => continue,
        };
        *seen.entry(what).or_default() += 1;
    }
    let doubled = seen.into_iter().filter(|(_, count)| *count > 1);
    doubled.map(|(what, count)| format!("doubled: {count} times {what}")).collect()
}

/// Versions never go back, neither for a record nor for an identity.
fn order(effects: &[&Value]) -> Findings {
    let mut newest: HashMap<(&str, &str), u64> = HashMap::new();
    let mut findings = Findings::new();
    for effect in effects {
        let (Some(version), object) = (effect["version"].as_u64(), text(effect, "object")) else { continue };
        let before = newest.insert((text(effect, "system"), object), version);
        if before.is_some_and(|before| before > version) {
            findings.push(format!("superseded: {before:?} was there before {effect}"));
        }
    }
    findings
}

/// One mail for each delivery, and as many texts and PINs as were delivered, or may have been.
fn messages(outside: &Value, effects: &[&Value], fold: &Fold, lanes: &Lanes) -> Findings {
    let mut findings = Findings::new();
    let mut mails: HashMap<&str, usize> = HashMap::new();
    for mail in list(outside, "/systems/mail/messages") {
        *mails.entry(mail["customArgs"]["delivery_key"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let mut texts: HashMap<&str, usize> = HashMap::new();
    for message in list(outside, "/systems/sms/messages") {
        *texts.entry(text(message, "to")).or_default() += 1;
    }
    let mut pins: HashMap<&str, usize> = HashMap::new();
    for effect in effects.iter().filter(|effect| effect["kind"] == "device.pinReset") {
        *pins.entry(text(effect, "object")).or_default() += 1;
    }
    let mut known = 0;
    for ((adapter, about), lane) in lanes {
        match adapter.as_str() {
            "messaging" => {
                for delivery in &lane.deliveries {
                    let sent = mails.get(delivery.key.as_str()).copied().unwrap_or_default();
                    known += sent;
                    let by_mail = delivery.note.as_deref() == Some("email");
                    let fits = match delivery.end {
                        End::Delivered => sent == usize::from(by_mail),
                        _ => sent <= 1,
                    };
                    if !fits {
                        findings.push(format!("messages: {sent} mails to {about} for {delivery:?}"));
                    }
                }
                let phone = fold.clients.get(about).map(|client| text(&client.profile, "phone")).unwrap_or_default();
                let sent = texts.remove(phone).unwrap_or_default();
                let by_text = lane
                    .deliveries
                    .iter()
                    .filter(|delivery| delivery.end == End::Delivered && delivery.note.as_deref() != Some("email"));
                findings.extend(within(&format!("texts to {about}"), sent, by_text.count(), unknown(lane, "send")));
            }
            "identity" if about.starts_with("DV-") => {
                let device = fold.devices.get(about).map(|device| device.external_id.as_str()).unwrap_or_default();
                let sent = pins.remove(device).unwrap_or_default();
                let done = lane.count("reset-pin", End::Delivered);
                findings.extend(within(&format!("PINs of {about}"), sent, done, unknown(lane, "reset-pin")));
            }
            _ => {}
        }
    }
    let all: usize = mails.values().sum();
    if all != known {
        findings.push(format!("messages: {} mails that no delivery owns", all - known));
    }
    findings
        .extend(texts.into_iter().map(|(to, count)| format!("messages: {count} texts to {to} that no delivery owns")));
    findings.extend(
        pins.into_iter().map(|(device, count)| format!("messages: {count} PINs of {device} that nobody asked")),
    );
    findings
}

/// What may or may not have had its effect.
fn unknown(lane: &Lane, function: &str) -> usize {
    lane.count(function, End::Parked) + lane.count(function, End::Discarded)
}

fn within(what: &str, found: usize, sure: usize, perhaps: usize) -> Option<String> {
    let fits = (sure..=sure + perhaps).contains(&found);
    (!fits).then(|| format!("messages: {found} {what}, expected {sure} and up to {perhaps} more"))
}

/// What the systems hold, by the hub's reference.
struct Seen<'a> {
    customers: HashMap<&'a str, &'a Value>,
    contacts: HashMap<&'a str, &'a Value>,
    users: HashMap<&'a str, &'a Value>,
    /// By the identity system's own id.
    devices: HashMap<&'a str, &'a Value>,
    /// The hub's reference of a user.
    references: HashMap<&'a str, &'a str>,
}

impl<'a> Seen<'a> {
    fn of(outside: &'a Value) -> Self {
        let customers = list(outside, "/systems/fineract/clients").map(|kept| &kept["client"]);
        let contacts =
            ["accounts", "contacts"].map(|of| list(outside, &format!("/systems/espocrm/{of}")).collect::<Vec<_>>());
        let users = || list(outside, "/systems/scim/users");
        let devices = list(outside, "/systems/scim/devices");
        Self {
            customers: customers.map(|client| (text(client, "externalId"), client)).collect(),
            contacts: contacts.into_iter().flatten().map(|record| (text(record, "cClientReference"), record)).collect(),
            users: users().map(|user| (text(user, "externalId"), user)).collect(),
            devices: devices.map(|device| (text(device, "id"), device)).collect(),
            references: users().map(|user| (text(user, "id"), text(user, "externalId"))).collect(),
        }
    }
}

fn mirrors(reference: &str, client: &Client, seen: &Seen<'_>, lanes: &Lanes) -> Findings {
    let gone = client.status == "archived";
    let delivered = |adapter: &str| {
        lanes.get(&(adapter.to_owned(), reference.to_owned())).is_some_and(|lane| {
            lane.deliveries.iter().any(|delivery| {
                delivery.end == End::Delivered && delivery.external_id.is_some() && delivery.function != "send"
            })
        })
    };
    let mut wrong = Vec::new();
    let mut compare = |system: &str, adapter: &str, kept: Option<&&Value>, wanted: &[(&str, Value)]| match kept {
        None if client.mirrored && (!gone || delivered(adapter)) => wrong.push(format!("{system} does not have it")),
        Some(_) if !client.mirrored => wrong.push(format!("{system} has it, though it was never active")),
        Some(kept) => {
            for (pointer, value) in wanted {
                let found = kept.pointer(pointer).cloned().unwrap_or(Value::Null);
                if found != *value {
                    wrong.push(format!("{system} has {found} at {pointer}, not {value}"));
                }
            }
        }
        None => {}
    };
    let profile = &client.profile;
    let open = [
        ("/emailAddress", profile["email"].clone()),
        ("/displayName", profile["name"].clone()),
        ("/status/id", 300.into()),
    ];
    let closed = [("/status/id", 600.into())];
    compare("core banking", "core-banking", seen.customers.get(reference), if gone { &closed[..] } else { &open[..] });
    let open = [
        ("/emailAddress", profile["email"].clone()),
        ("/cClientSegment", profile["segment"].clone()),
        ("/name", profile["name"].clone()),
        ("/cClientVersion", client.version.into()),
        ("/cClientStatus", client.status.clone().into()),
    ];
    let closed = [("/cClientStatus", "archived".into())];
    compare("the CRM", "crm", seen.contacts.get(reference), if gone { &closed[..] } else { &open[..] });
    let open = [
        ("/displayName", profile["name"].clone()),
        ("/emails/0/value", profile["email"].clone()),
        ("/active", (client.status == "active").into()),
        ("/urn:backoffice:params:scim:schemas:extension:2.0:Client/version", client.version.into()),
    ];
    let closed = [("/active", false.into())];
    compare("identity", "identity", seen.users.get(reference), if gone { &closed[..] } else { &open[..] });
    wrong
        .into_iter()
        .map(|wrong| format!("differs: {reference} ({}, version {}): {wrong}", client.status, client.version))
        .collect()
}

/// A client that is still there was screened under the data that it has.
fn screening(reference: &str, client: &Client, fold: &Fold, lanes: &Lanes) -> Option<String> {
    let lane = lanes.get(&("kyc".to_owned(), reference.to_owned()));
    let screened = lane.and_then(|lane| fold.screened(reference, lane));
    let (gone, wanted) = (matches!(client.status.as_str(), "archived" | "rejected"), client.screening_subject());
    (!gone && screened.as_ref() != Some(&wanted))
        .then(|| format!("differs: {reference} is {wanted:?}, but was screened as {screened:?}"))
}

fn devices(effects: &[&Value], seen: &Seen<'_>, fold: &Fold, lanes: &Lanes) -> Findings {
    let mut findings = Findings::new();
    let mut moves: HashMap<&str, Vec<&str>> = HashMap::new();
    for effect in effects.iter().filter(|effect| effect["kind"] == "device.transferred") {
        moves.entry(text(effect, "object")).or_default().push(text(effect, "reference"));
    }
    for (reference, device) in &fold.devices {
        let lane = lanes.get(&("identity".to_owned(), reference.clone()));
        let Some(there) = seen.devices.get(device.external_id.as_str()) else {
            findings.push(format!("differs: identity does not have the device {reference}"));
            continue;
        };
        let moved = moves.remove(device.external_id.as_str()).unwrap_or_default();
        let transfers = lane.map_or(0, |lane| lane.count("transfer-device", End::Delivered));
        if moved.len() != transfers {
            findings
                .push(format!("doubled: {reference} was moved to {moved:?}, but {transfers} transfers were delivered"));
        }
        let archived = fold.clients.get(&device.client).is_some_and(|client| client.status == "archived");
        if archived && device.active {
            findings.push(format!("differs: the device {reference} of the archived {} is active", device.client));
        }
        if lane.is_some_and(Lane::is_held) {
            continue;
        }
        let owner =
            there["owner"]["value"].as_str().and_then(|user| seen.references.get(user)).copied().unwrap_or_default();
        let found = (there["active"].as_bool(), there["locked"].as_bool(), owner);
        let wanted = (Some(device.active), Some(device.locked), device.client.as_str());
        if found != wanted {
            findings.push(format!(
                "differs: device {reference} (version {}): identity has (active, locked, owner) {found:?}, the hub {wanted:?}",
                device.version
            ));
        }
    }
    findings
}

/// Devices of which the hub does not know, although its client was provisioned and is there.
fn unlisted(seen: &Seen<'_>, fold: &Fold) -> Findings {
    let known: HashSet<&str> = fold.devices.values().map(|device| device.external_id.as_str()).collect();
    let missing = seen.devices.iter().filter(|(id, device)| {
        let owner = device["owner"]["value"].as_str().and_then(|user| seen.references.get(user));
        let client = owner.and_then(|owner| fold.clients.get(*owner));
        !known.contains(**id) && client.is_some_and(|client| client.status != "archived")
    });
    missing.map(|(id, _)| format!("lost: the device {id} was enrolled, and the hub never listed it")).collect()
}
