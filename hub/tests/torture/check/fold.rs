//! Clients, devices and favourites as the journal has left them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::Entry;
use super::deliveries::{End, Lane};

/// A client at one version.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub org: String,
    pub version: u64,
    pub status: String,
    pub profile: Value,
    /// It was active once: from then on the outside systems mirror it.
    pub mirrored: bool,
}

impl Client {
    /// What a screening looks at: under other data it has to be repeated.
    pub fn screening_subject(&self) -> [Value; 6] {
        let looked_at = [
            "/name",
            "/individual/dateOfBirth",
            "/individual/nationality",
            "/corporate/legalName",
            "/corporate/registrationNumber",
            "/address/country",
        ];
        let read = |pointer| self.profile.pointer(pointer).cloned().unwrap_or_default();
        let mut subject = looked_at.map(read);
        if self.profile["kind"] == "individual" {
            subject[5] = Value::Null;
        }
        subject
    }
}

/// A device at one version.
#[derive(Debug, Clone, Default)]
pub struct Device {
    pub client: String,
    pub external_id: String,
    pub active: bool,
    pub locked: bool,
    pub removed: bool,
    pub version: u64,
}

/// All of them, newest, and every client at each of its versions.
#[derive(Debug, Default)]
pub struct Fold {
    pub clients: BTreeMap<String, Client>,
    pub devices: BTreeMap<String, Device>,
    /// Organisation, member, client.
    pub stars: BTreeSet<(String, String, String)>,
    pub versions: HashMap<(String, u64), Client>,
}

impl Fold {
    /// Folds the journal.
    pub fn of(entries: &[Entry]) -> Self {
        let mut fold = Self::default();
        for entry in entries {
            match entry.family() {
                "client" => fold.client(entry),
                "device" => fold.device(entry),
                "star" => fold.star(entry),
                _ => {}
            }
        }
        fold
    }

    /// What the newest screening of the client looked at, by the deliveries to KYC.
    pub fn screened(&self, reference: &str, lane: &Lane) -> Option<[Value; 6]> {
        let mut screenings = lane.deliveries.iter().filter(|delivery| delivery.function == "verify");
        let newest = screenings.rfind(|screening| screening.end == End::Delivered)?;
        self.versions.get(&(reference.to_owned(), newest.version)).map(Client::screening_subject)
    }

    fn client(&mut self, entry: &Entry) {
        let client = self.clients.entry(entry.about().to_owned()).or_default();
        client.org.clone_from(&entry.org);
        client.version = entry.version;
        if entry.data["profile"].is_object() {
            client.profile = entry.data["profile"].clone();
        }
        let status = match entry.kind.as_str() {
            "client.activated" => Some("active"),
            "client.rejected" => Some("rejected"),
            "client.archived" => Some("archived"),
            _ => entry.data["status"].as_str(),
        };
        if let Some(status) = status {
            status.clone_into(&mut client.status);
        }
        client.mirrored |= client.status == "active";
        self.versions.insert((entry.about().to_owned(), entry.version), client.clone());
    }

    fn device(&mut self, entry: &Entry) {
        let device = self.devices.entry(entry.about().to_owned()).or_default();
        device.version = entry.version;
        let text = |name: &str| entry.data[name].as_str().unwrap_or_default().to_owned();
        let flag = |name: &str| entry.data[name].as_bool();
        if entry.kind == "device.enrolled" {
            (device.client, device.external_id) = (text("client"), text("externalId"));
        }
        if entry.kind == "device.transferred" {
            device.client = text("to");
        }
        device.removed = entry.kind == "device.removed" || (device.removed && entry.kind != "device.changed");
        device.active = flag("active").unwrap_or(device.active);
        device.locked = flag("locked").unwrap_or(device.locked);
        for change in entry.data["changes"].as_array().into_iter().flatten() {
            match (change["pointer"].as_str(), change["to"].as_bool()) {
                (Some("/active"), Some(to)) => device.active = to,
                (Some("/locked"), Some(to)) => device.locked = to,
                _ => {}
            }
        }
    }

    fn star(&mut self, entry: &Entry) {
        let member = entry.about().to_owned();
        let reference = entry.data["reference"].as_str().unwrap_or_default().to_owned();
        let star = (entry.org.clone(), member, reference);
        match entry.kind.as_str() {
            "client.starred" => {
                self.stars.insert(star);
            }
            "client.unstarred" => {
                self.stars.remove(&star);
            }
            _ => {}
        }
    }
}
