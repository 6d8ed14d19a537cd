//! Device events of the identity system, taken as hints to list devices again.
//!
//! Whoever may publish on `backoffice.devices.<org>` could say anything, so nothing of an event becomes data: it only
//! says for whom to ask. What it says is bounded and of plain characters before it goes any further.

use serde::Deserialize;

use super::config::is_name;

/// The subjects of device events, one for each organisation.
pub(super) const SUBJECTS: &str = "backoffice.devices.*";

const ORG_MAX: usize = 64;
const NAME_MAX: usize = 128;
const PAYLOAD_MAX: usize = 64 * 1024;

/// What an event says has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// `device.enrolled`
    Enrolled,
    /// `device.changed`
    Changed,
    /// `device.removed`
    Removed,
}

/// A reason to list somebody's devices again. At least one of the three names is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceHint {
    /// The organisation, from the subject.
    pub org: String,
    /// What is said to have happened.
    pub change: DeviceChange,
    /// `data.client`: the client's reference.
    pub client: Option<String>,
    /// `data.user`: the identity system's id of the user.
    pub user: Option<String>,
    /// `data.device`, or else the event's `subject`: the identity system's id of the device.
    pub device: Option<String>,
}

/// Why an event is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum HintError {
    #[error("the subject is not `backoffice.devices.<org>`")]
    Subject,
    #[error("longer than 64 KiB")]
    TooLong,
    #[error("not a structured CloudEvent 1.0 in JSON")]
    NotACloudEvent,
    #[error("the type is none of device.enrolled, device.changed, device.removed")]
    Type,
    #[error("names no client, user or device, or one of over 128 characters or with others than printable ASCII")]
    Names,
}

#[derive(Deserialize)]
struct Event {
    specversion: String,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    data: Names,
}

#[derive(Default, Deserialize)]
struct Names {
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    device: Option<String>,
}

/// Reads an event. A type may have a prefix of the sender's, as `com.example.device.enrolled`.
pub(super) fn read(subject: &str, payload: &[u8]) -> Result<DeviceHint, HintError> {
    let org =
        subject.rsplit('.').next().filter(|org| is_name(org) && org.len() <= ORG_MAX).ok_or(HintError::Subject)?;
    if payload.len() > PAYLOAD_MAX {
        return Err(HintError::TooLong);
    }
    let event: Event = serde_json::from_slice(payload).map_err(|_| HintError::NotACloudEvent)?;
    if event.specversion != "1.0" {
        return Err(HintError::NotACloudEvent);
    }
    let change = change(&event.event_type).ok_or(HintError::Type)?;
    let Names { client, user, device } = event.data;
    let device = device.or(event.subject);
    let given = [&client, &user, &device];
    if given.iter().all(|name| name.is_none()) || !given.into_iter().flatten().all(|name| is_plain(name)) {
        return Err(HintError::Names);
    }
    Ok(DeviceHint { org: org.to_owned(), change, client, user, device })
}

fn change(event_type: &str) -> Option<DeviceChange> {
    let (family, what) = event_type.rsplit_once('.')?;
    if family.rsplit('.').next() != Some("device") {
        return None;
    }
    match what {
        "enrolled" => Some(DeviceChange::Enrolled),
        "changed" => Some(DeviceChange::Changed),
        "removed" => Some(DeviceChange::Removed),
        _ => None,
    }
}

fn is_plain(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn take(subject: &str, event: &Value) -> Result<DeviceHint, HintError> {
        read(subject, event.to_string().as_bytes())
    }

    #[test]
    fn an_enrolment_says_for_whom_to_ask() {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/idp", "type": "device.enrolled", "subject": "d-1",
                           "data": {"client": "CL-1", "user": "u-1", "model": "ignored"}});
        let hint = take("backoffice.devices.org-1", &event).unwrap();
        assert_eq!((hint.org.as_str(), hint.change), ("org-1", DeviceChange::Enrolled));
        assert_eq!(
            (hint.client.as_deref(), hint.user.as_deref(), hint.device.as_deref()),
            (Some("CL-1"), Some("u-1"), Some("d-1"))
        );
        assert!(
            take(
                "backoffice.devices.o",
                &json!({"specversion": "1.0", "type": "com.idp.device.removed", "subject": "d"})
            )
            .is_ok()
        );
    }

    #[test]
    fn what_is_malformed_is_refused_for_what_it_is() {
        let good = |event_type: &str, data: Value| json!({"specversion": "1.0", "type": event_type, "data": data});
        let one = json!({"device": "d"});
        for (subject, event, expected) in [
            ("backoffice.devices.o r g", good("device.changed", one.clone()), HintError::Subject),
            ("backoffice.devices.o", json!([]), HintError::NotACloudEvent),
            (
                "backoffice.devices.o",
                json!({"specversion": "0.3", "type": "device.changed", "subject": "d"}),
                HintError::NotACloudEvent,
            ),
            ("backoffice.devices.o", good("device.stolen", one.clone()), HintError::Type),
            ("backoffice.devices.o", good("mydevice.changed", one), HintError::Type),
            ("backoffice.devices.o", good("device.changed", json!({})), HintError::Names),
            ("backoffice.devices.o", good("device.changed", json!({"user": "a\nb"})), HintError::Names),
            ("backoffice.devices.o", good("device.changed", json!({"user": "x".repeat(129)})), HintError::Names),
        ] {
            assert_eq!(take(subject, &event), Err(expected), "{subject} {event}");
        }
        assert_eq!(read("backoffice.devices.o", &vec![b' '; PAYLOAD_MAX + 1]), Err(HintError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(subject in ".{0,40}", payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&subject, &payload);
        }

        #[test]
        fn what_is_taken_is_bounded(org in "[^.]{0,80}", user in ".{0,200}") {
            let event = json!({"specversion": "1.0", "type": "device.changed", "data": {"user": user}});
            if let Ok(hint) = take(&format!("backoffice.devices.{org}"), &event) {
                prop_assert!(is_name(&hint.org) && hint.org.len() <= 64);
                prop_assert!(hint.user.is_some_and(|user| user.len() <= 128 && user.is_ascii()));
            }
        }
    }
}
