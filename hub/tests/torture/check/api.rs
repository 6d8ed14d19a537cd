//! What the hub shows in the end: lists, clients, devices, favourites and history, against the journal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fold::Fold;
use super::{Evidence, Findings};
use crate::harness::Member;

/// More pages than there can be.
const MOST_PAGES: usize = 200;

pub async fn look(evidence: &mut Evidence<'_>, fold: &Fold) -> Findings {
    let mut findings = Findings::new();
    let orgs: BTreeSet<&String> = fold.clients.values().map(|client| &client.org).collect();
    let mut looked = 0;
    for org in orgs {
        let admin = evidence.world.admin(org);
        lists(&admin, org, fold, &mut findings).await;
        for member in 0..4 {
            favourites(evidence, org, &format!("m-{member}"), fold, &mut findings).await;
        }
        for (reference, client) in fold.clients.iter().filter(|(_, client)| client.org == *org) {
            looked += 1;
            let shown = admin.client(reference).await;
            let wanted = (client.version, client.status.as_str(), &client.profile["segment"], &client.profile["email"]);
            let found = (
                shown["version"].as_u64().unwrap(),
                shown["status"].as_str().unwrap(),
                &shown["segment"],
                &shown["email"],
            );
            if found != wanted {
                findings.push(format!("api: {reference} is shown as {found:?}, the journal has {wanted:?}"));
            }
            devices(&admin, reference, fold, &mut findings).await;
            history(evidence, &admin, reference, &mut findings).await;
        }
    }
    evidence.count("clients", looked);
    evidence.count("devices", fold.devices.len());
    findings
}

/// All items of a list, page by page.
async fn walk(member: &Member<'_>, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let page = member.get(&format!("{path}{cursor}")).await.ok(200);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
    panic!("a list without an end: {path}");
}

async fn lists(admin: &Member<'_>, org: &str, fold: &Fold, findings: &mut Findings) {
    let items = walk(admin, "/clients/profile?limit=200&sort=createdAt").await;
    let shown: BTreeMap<&str, (u64, &str)> = items
        .iter()
        .map(|item| {
            (item["reference"].as_str().unwrap(), (item["version"].as_u64().unwrap(), item["status"].as_str().unwrap()))
        })
        .collect();
    if shown.len() != items.len() {
        findings.push(format!("api: the list of {org} shows {} clients {} times", shown.len(), items.len()));
    }
    let there = fold.clients.iter().filter(|(_, client)| client.org == *org && client.status != "archived");
    let wanted: BTreeMap<&str, (u64, &str)> =
        there.map(|(reference, client)| (reference.as_str(), (client.version, client.status.as_str()))).collect();
    for (reference, (version, status)) in &wanted {
        if shown.get(reference) != Some(&(*version, *status)) {
            findings.push(format!(
                "api: the list of {org} shows {reference} as {:?}, not {version} {status}",
                shown.get(reference)
            ));
        }
    }
    findings.extend(
        shown
            .keys()
            .filter(|shown| !wanted.contains_key(*shown))
            .map(|shown| format!("api: the list of {org} shows {shown}")),
    );
}

async fn favourites(evidence: &Evidence<'_>, org: &str, member: &str, fold: &Fold, findings: &mut Findings) {
    let person = evidence.world.member(org, member, &["RP001"]);
    let items = walk(&person, "/clients/profile?limit=200&starred=true").await;
    let shown: BTreeSet<String> = items.iter().map(|item| item["reference"].as_str().unwrap().to_owned()).collect();
    let mine = fold.stars.iter().filter(|(of, who, reference)| {
        of == org && who == member && fold.clients.get(reference).is_some_and(|client| client.status != "archived")
    });
    let wanted: BTreeSet<String> = mine.map(|(_, _, reference)| reference.clone()).collect();
    if shown != wanted {
        let difference: Vec<&String> = shown.symmetric_difference(&wanted).collect();
        findings.push(format!("api: the favourites of {member} in {org} differ in {difference:?}"));
    }
}

async fn devices(admin: &Member<'_>, reference: &str, fold: &Fold, findings: &mut Findings) {
    let list = admin.get(&format!("/clients/device/{reference}")).await.ok(200);
    let shown: BTreeMap<&str, (bool, bool, u64)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let flag = |name: &str| item[name].as_bool().unwrap();
            (item["device"].as_str().unwrap(), (flag("active"), flag("locked"), item["version"].as_u64().unwrap()))
        })
        .collect();
    let there = fold.devices.iter().filter(|(_, device)| device.client == reference && !device.removed);
    let wanted: BTreeMap<&str, (bool, bool, u64)> =
        there.map(|(name, device)| (name.as_str(), (device.active, device.locked, device.version))).collect();
    if shown != wanted {
        findings.push(format!("api: the devices of {reference} are shown as {shown:?}, the journal has {wanted:?}"));
    }
}

/// Every change of the client's own stream stands in its history, once.
async fn history(evidence: &Evidence<'_>, admin: &Member<'_>, reference: &str, findings: &mut Findings) {
    let items = walk(admin, &format!("/clients/history/{reference}?limit=200")).await;
    let seqs: Vec<u64> = items.iter().map(|item| item["seq"].as_u64().unwrap()).collect();
    if !seqs.windows(2).all(|pair| pair[0] > pair[1]) {
        findings.push(format!("api: the history of {reference} is not newest first: {seqs:?}"));
    }
    let shown: BTreeSet<u64> = seqs.into_iter().collect();
    let own = format!("client/{reference}");
    let missing: Vec<u64> = evidence
        .entries
        .iter()
        .filter(|entry| entry.stream == own && !shown.contains(&entry.seq))
        .map(|entry| entry.seq)
        .collect();
    if !missing.is_empty() {
        findings.push(format!("api: the history of {reference} lacks {missing:?}"));
    }
}
