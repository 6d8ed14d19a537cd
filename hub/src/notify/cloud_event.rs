//! An entry of the journal as a CloudEvent 1.0 in structured JSON (CloudEvents JSON format and NATS binding).
//!
//! Invariant: `data` holds names, never values; an event can be kept by anybody who may know that a client exists.

use async_nats::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::config::SubjectPrefix;
use super::source::SourceEntry;

/// The media type of a structured event.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json";
/// The header with the entry's `seq`, by which the position is found again.
pub(super) const SEQ_HEADER: &str = "Hub-Seq";

/// `source`: the hub itself.
const SOURCE: &str = "/clients-hub";
/// What every `type` begins with, whatever the subjects are configured to.
const TYPE_PREFIX: &str = "backoffice.clients.";
/// Families of kinds that are announced. Deliveries, policies, adapters and idempotency are the hub's own business; what
/// the CRM knows is not the hub's to tell.
const FAMILIES: [&str; 4] = ["client.", "kyc.", "document.", "device."];
/// Nesting beyond which a created record is named as a whole.
const DEPTH_MAX: usize = 4;

/// Whether entries of this kind are announced.
#[must_use]
pub fn is_announced(kind: &str) -> bool {
    FAMILIES.iter().any(|family| kind.starts_with(family))
}

/// An event on its way out.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) payload: Bytes,
}

impl Outgoing {
    /// # Errors
    /// Never in practice: every part can be written as JSON.
    pub(super) fn of(entry: &SourceEntry, prefix: &SubjectPrefix) -> Result<Self, serde_json::Error> {
        let payload = serde_json::to_vec(&CloudEvent::of(entry))?.into();
        let subject = format!("{}.{}.{}", prefix.as_str(), entry.org, entry.kind);
        Ok(Self { seq: entry.seq, id: entry.id.to_string(), subject, payload })
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", CONTENT_TYPE);
        headers.insert(async_nats::header::NATS_MESSAGE_ID, self.id.as_str());
        headers.insert(SEQ_HEADER, self.seq.to_string());
        headers
    }
}

#[derive(Debug, Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    #[serde(rename = "type")]
    event_type: String,
    subject: &'a str,
    #[serde(serialize_with = "millis")]
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    reference: &'a str,
    /// Of the client or device; null where the entry moves neither.
    version: Option<u64>,
    /// Null where the hub acted by itself.
    action: Option<&'a str>,
    changed: Vec<String>,
}

impl<'a> CloudEvent<'a> {
    fn of(entry: &'a SourceEntry) -> Self {
        let (stream, name) = entry.stream.split_once('/').unwrap_or(("", &entry.stream));
        let details = entry.data.as_ref().and_then(|data| serde_json::from_str::<Details<'a>>(data.get()).ok());
        let starred = details.as_ref().filter(|_| stream == "star").and_then(|details| details.reference);
        let reference = starred.unwrap_or_else(|| name.rsplit('/').next().unwrap_or(name));
        let data = Data {
            reference,
            version: matches!(stream, "client" | "device").then_some(entry.version),
            action: Some(entry.action.as_str()).filter(|action| !action.is_empty()),
            changed: details.map(|details| details.changed(&entry.kind)).unwrap_or_default(),
        };
        Self {
            specversion: "1.0",
            id: entry.id,
            source: SOURCE,
            event_type: format!("{TYPE_PREFIX}{}", entry.kind),
            subject: reference,
            time: entry.time,
            datacontenttype: "application/json",
            data,
        }
    }
}

/// What of an entry's data tells which members it changed.
#[derive(Debug, Deserialize)]
struct Details<'a> {
    #[serde(default)]
    changes: Vec<Changed>,
    #[serde(default)]
    profile: Value,
    #[serde(default, borrow)]
    reference: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Changed {
    pointer: String,
}

impl Details<'_> {
    fn changed(self, kind: &str) -> Vec<String> {
        let fixed = match kind {
            "client.created" => {
                let mut names = Vec::new();
                collect(&mut String::new(), &self.profile, DEPTH_MAX, &mut names);
                return names;
            }
            "client.starred" | "client.unstarred" => "/starred",
            "device.pin-reset" => "/pinResetAt",
            _ if kind.starts_with("kyc.") => "/kyc",
            _ if kind.starts_with("document.") => "/kyc/documents",
            _ => return self.changes.into_iter().map(|change| change.pointer).collect(),
        };
        vec![fixed.to_owned()]
    }
}

/// Names every member that has a value, as JSON Pointers (RFC 6901). An array counts as one.
fn collect(pointer: &mut String, value: &Value, depth: usize, names: &mut Vec<String>) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (name, member) in members {
                let length = pointer.len();
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                collect(pointer, member, depth.saturating_sub(1), names);
                pointer.truncate(length);
            }
        }
        Value::Null => {}
        _ => names.push(pointer.clone()),
    }
}

fn millis<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn entry(kind: &str, stream: &str, data: &Value) -> SourceEntry {
        SourceEntry {
            seq: 42,
            id: Uuid::from_u128(7),
            time: DateTime::from_timestamp_millis(1_763_000_000_123).unwrap(),
            org: "org-1".to_owned(),
            stream: stream.to_owned(),
            version: 3,
            kind: kind.to_owned(),
            action: "CL004".to_owned(),
            data: Some(serde_json::value::to_raw_value(data).unwrap().into()),
        }
    }

    fn event(entry: &SourceEntry) -> Value {
        serde_json::from_slice(&Outgoing::of(entry, &SubjectPrefix::default()).unwrap().payload).unwrap()
    }

    #[test]
    fn an_update_names_what_changed_and_no_value() {
        let changes = json!([{"pointer": "/email", "from": "a@b.example", "to": "c@d.example"}, {"pointer": "/tags"}]);
        let updated =
            entry("client.updated", "client/CL-1", &json!({"profile": {"email": "c@d.example"}, "changes": changes}));
        assert_eq!(
            event(&updated),
            json!({
                "specversion": "1.0", "id": "00000000-0000-0000-0000-000000000007", "source": "/clients-hub",
                "type": "backoffice.clients.client.updated", "subject": "CL-1", "time": "2025-11-13T02:13:20.123Z",
                "datacontenttype": "application/json",
                "data": {"reference": "CL-1", "version": 3, "action": "CL004", "changed": ["/email", "/tags"]},
            })
        );
        let outgoing = Outgoing::of(&updated, &SubjectPrefix::default()).unwrap();
        assert_eq!(outgoing.subject, "backoffice.clients.org-1.client.updated");
        assert_eq!(outgoing.headers().get(SEQ_HEADER).unwrap().as_str(), "42");
    }

    #[test]
    fn a_created_client_names_what_it_has() {
        let profile = json!({"name": "A", "email": null, "address": {"city": "Ulm", "line2": null}, "tags": ["x"]});
        let data = &event(&entry("client.created", "client/CL-1", &json!({"profile": profile})))["data"];
        assert_eq!(data["changed"], json!(["/address/city", "/name", "/tags"]));
    }

    #[test]
    fn a_favourite_is_the_clients_and_moves_no_version() {
        let mut starred = entry("client.starred", "star/m-1", &json!({"reference": "CL-9"}));
        starred.action = String::new();
        let event = event(&starred);
        assert_eq!(event["subject"], "CL-9");
        assert_eq!(
            event["data"],
            json!({"reference": "CL-9", "version": null, "action": null, "changed": ["/starred"]})
        );
    }

    #[test]
    fn an_erased_entry_is_still_announced() {
        let erased = SourceEntry { data: None, ..entry("client.updated", "client/CL-1", &json!({})) };
        assert_eq!(event(&erased)["data"]["changed"], json!([]));
    }

    #[test]
    fn the_hubs_own_business_is_not_announced() {
        for kind in [
            "delivery.attempted",
            "request.answered",
            "policy.changed",
            "adapter.configured",
            "notify.published",
            "relationship.refreshed",
        ] {
            assert!(!is_announced(kind), "{kind}");
        }
        for kind in ["client.created", "client.unstarred", "kyc.checked", "document.received", "device.pin-reset"] {
            assert!(is_announced(kind), "{kind}");
        }
    }

    proptest! {
        #[test]
        fn no_value_of_a_profile_gets_out(email in "[a-z]{8}@secret", city in "secret[a-z]{4}", kind in "client\\.(created|updated)") {
            let changes = json!([{"pointer": "/email", "from": null, "to": email}]);
            let data = json!({"profile": {"email": email, "address": {"city": city}}, "changes": changes, "statusReason": city});
            let payload = Outgoing::of(&entry(&kind, "client/CL-1", &data), &SubjectPrefix::default()).unwrap().payload;
            prop_assert!(!String::from_utf8_lossy(&payload).contains("secret"));
        }
    }
}
