//! Devices: listed for an owner, locked and activated, moved to another owner, and given a new PIN.

use adapter_kit::log::Level;
use adapter_kit::types::{Disposition, Receipt};
use adapter_kit::{Session, reject};
use serde::Deserialize;
use serde_json::json;

use crate::scim::{List, change, equals, get, post, send};
use crate::{Device, DeviceState, DeviceType, PinReset};

const PAGE: usize = 100;
/// 1,000 devices: beyond that something is wrong with the identity system, not with the client.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    id: String,
    #[serde(default)]
    device_type: String,
    model: Option<String>,
    label: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    locked: bool,
    enrolled_at: Option<String>,
    owner: Option<Owner>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Owner {
    value: String,
}

#[derive(Deserialize)]
struct Meta {
    created: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reset {
    id: String,
    expires_at: Option<String>,
}

/// The devices of a user, page by page.
pub fn list(session: &Session<'_>, user: &str) -> Result<Vec<Device>, Disposition> {
    let mut resources: Vec<Resource> = Vec::new();
    for _ in 0..MOST_PAGES {
        let call = get(&["Devices"])?
            .query("filter", &equals("owner.value", user))
            .query("startIndex", &(resources.len() + 1).to_string())
            .query("count", &PAGE.to_string());
        let page: List<Resource> = send(session, call)?.json()?;
        let at_end = page.resources.is_empty();
        resources.extend(page.resources);
        if at_end || resources.len() >= page.total_results {
            return Ok(resources.into_iter().filter_map(|resource| device(session, resource)).collect());
        }
    }
    Err(reject(format!("the user has more than {} devices", resources.len())))
}

/// The device, where it is of a type that the contract knows.
fn device(session: &Session<'_>, resource: Resource) -> Option<Device> {
    let device_type = match resource.device_type.as_str() {
        "mobile" => DeviceType::Mobile,
        "token" => DeviceType::Token,
        "card-reader" => DeviceType::CardReader,
        "pos" => DeviceType::Pos,
        "browser" => DeviceType::Browser,
        _ => {
            session.hub().log(Level::Warn, "a device of an unknown type is left out");
            return None;
        }
    };
    Some(Device {
        id: resource.id,
        device_type,
        model: resource.model,
        label: resource.label,
        active: resource.active,
        locked: resource.locked,
        enrolled_at: resource.enrolled_at.or_else(|| resource.meta.and_then(|meta| meta.created)),
    })
}

/// Sets what the device may do. What is so already stays so.
pub fn set_state(session: &Session<'_>, id: &str, state: &DeviceState) -> Result<Receipt, Disposition> {
    let reason = state.reason.as_ref().filter(|_| state.locked);
    let attributes = json!({"active": state.active, "locked": state.locked, "lockReason": reason});
    change(session, ("Devices", id), &attributes)?;
    Ok(receipt(id, None))
}

/// Moves the device. One that has arrived already is left as it is: it may have been activated since.
pub fn transfer(session: &Session<'_>, id: &str, (from, to): (&str, &str)) -> Result<Receipt, Disposition> {
    let resource: Resource = send(session, get(&["Devices", id])?)?.json()?;
    let owner = resource.owner.map(|owner| owner.value);
    if owner.as_deref() == Some(to) {
        return Ok(receipt(id, Some("was moved already")));
    }
    if owner.as_deref() != Some(from) {
        return Err(reject("the device belongs to neither of the two identities"));
    }
    let attributes = json!({"owner": {"value": to}, "active": false});
    change(session, ("Devices", id), &attributes)?;
    Ok(receipt(id, None))
}

/// Has a new PIN issued. Each request issues one more.
pub fn reset_pin(session: &Session<'_>, id: &str) -> Result<PinReset, Disposition> {
    let call = post(&["Devices", id, "pinReset"], &json!({}))?.unrepeatable();
    let reset: Reset = send(session, call)?.json()?;
    Ok(PinReset { id: reset.id, expires_at: reset.expires_at })
}

fn receipt(id: &str, note: Option<&str>) -> Receipt {
    Receipt { external_id: id.to_owned(), note: note.map(str::to_owned) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::Script;
    use serde_json::Value;

    use super::*;

    fn resource(id: &str, kind: &str) -> Value {
        json!({"id": id, "deviceType": kind, "owner": {"value": "u-1"}, "model": "Pixel 9", "active": true, "locked": false,
               "meta": {"created": "2026-03-01T10:00:00.000Z"}})
    }

    fn patched(script: &Script, place: usize) -> Value {
        script.sent(place)["Operations"][0]["value"].clone()
    }

    #[test]
    fn devices_are_listed_by_owner() {
        let page = json!({"totalResults": 2, "Resources": [resource("d-1", "mobile"), resource("d-2", "toaster")]});
        let script = Script::new().answer(200, page);
        let devices = list(&Session::new(&script), "u-1").unwrap();
        let expected = Device {
            id: "d-1".into(),
            device_type: DeviceType::Mobile,
            model: Some("Pixel 9".into()),
            label: None,
            active: true,
            locked: false,
            enrolled_at: Some("2026-03-01T10:00:00.000Z".into()),
        };
        assert_eq!(devices, [expected]);
        assert_eq!(script.lines(), ["GET api /Devices?filter=owner.value eq \"u-1\"&startIndex=1&count=100"]);
    }

    #[test]
    fn pages_are_followed_to_the_end_and_no_further() {
        let page = |id: &str| json!({"totalResults": 2, "Resources": [resource(id, "token")]});
        let script = Script::new().answer(200, page("d-1")).answer(200, page("d-2"));
        assert_eq!(list(&Session::new(&script), "u-1").unwrap().len(), 2);
        let endless = (0..20).fold(Script::new(), |script, _| {
            script.answer(200, json!({"totalResults": 999_999, "Resources": [resource("d", "token")]}))
        });
        assert!(matches!(list(&Session::new(&endless), "u-1"), Err(Disposition::Reject(_))));
        assert_eq!(endless.lines().len(), MOST_PAGES);
    }

    #[test]
    fn a_state_is_set_whole() {
        let script = Script::new().answer(200, json!({"id": "d-1"}));
        let state = DeviceState { active: false, locked: true, reason: Some("lost".into()) };
        assert!(set_state(&Session::new(&script), "d-1", &state).is_ok());
        assert_eq!(script.lines(), ["PATCH api /Devices/d-1"]);
        assert_eq!(patched(&script, 0), json!({"active": false, "locked": true, "lockReason": "lost"}));
    }

    #[test]
    fn unlocking_clears_the_reason() {
        let script = Script::new().answer(200, json!({"id": "d-1"}));
        let state = DeviceState { active: true, locked: false, reason: Some("found".into()) };
        assert!(set_state(&Session::new(&script), "d-1", &state).is_ok());
        assert_eq!(patched(&script, 0), json!({"active": true, "locked": false, "lockReason": null}));
    }

    #[test]
    fn a_device_is_moved_once() {
        let script = Script::new().answer(200, resource("d-1", "token")).answer(200, json!({"id": "d-1"}));
        assert!(transfer(&Session::new(&script), "d-1", ("u-1", "u-2")).is_ok());
        assert_eq!(patched(&script, 1), json!({"owner": {"value": "u-2"}, "active": false}));
        let script = Script::new().answer(200, resource("d-1", "token"));
        let moved = transfer(&Session::new(&script), "d-1", ("u-0", "u-1")).unwrap();
        assert_eq!((moved.note.as_deref(), script.lines().len()), (Some("was moved already"), 1));
    }

    #[test]
    fn a_strangers_device_stays() {
        let script = Script::new().answer(200, resource("d-1", "token"));
        let outcome = transfer(&Session::new(&script), "d-1", ("u-2", "u-3"));
        assert!(matches!(outcome, Err(Disposition::Reject(_))));
        assert_eq!(script.lines().len(), 1);
    }

    #[test]
    fn a_pin_is_reset() {
        let script = Script::new().answer(201, json!({"id": "r-1", "expiresAt": "2026-03-02T10:00:00.000Z"}));
        let reset = reset_pin(&Session::new(&script), "d-1").unwrap();
        assert_eq!(reset, PinReset { id: "r-1".into(), expires_at: Some("2026-03-02T10:00:00.000Z".into()) });
        assert_eq!(script.lines(), ["POST api /Devices/d-1/pinReset"]);
    }

    #[test]
    fn a_reset_whose_answer_is_lost_is_unknown() {
        for script in [
            Script::new().fail(HttpFailure::TimedOut),
            Script::new().answer(201, json!({})),
            Script::new().answer(502, json!({})),
            Script::new().answer(503, json!({})),
            Script::new().answer(408, json!({})),
            Script::new().answer(302, json!({})),
        ] {
            assert!(matches!(reset_pin(&Session::new(&script), "d-1"), Err(Disposition::Unknown(_))));
        }
        let refused = Script::new().answer_with(503, &[("Retry-After", "2")], json!({}));
        assert!(matches!(reset_pin(&Session::new(&refused), "d-1"), Err(Disposition::Retry(_))));
    }
}
