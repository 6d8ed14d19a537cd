//! Devices: enrolled at the identity system, never through SCIM; SCIM changes their state and owner and resets their PIN.

use chrono::{Duration, Utc};
use http::StatusCode;
use rand::RngExt;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::chance;
use crate::effects::rfc3339;
use crate::stored::Stored;

use super::error::Refusal;
use super::{Resource, Scim, State, body, filter, list_response, patch, scim, stamp, text, version};

/// The schema of the resource type.
pub(super) const SCHEMA: &str = "urn:backoffice:params:scim:schemas:2.0:Device";

/// Kinds of device with a model and a label.
const MODELS: [(&str, &str, &str); 5] = [
    ("mobile", "Pixel 9", "Phone"),
    ("token", "Digipass 270", "Key fob"),
    ("card-reader", "CAP Reader 2", "Card reader"),
    ("browser", "Firefox on Linux", "Office laptop"),
    ("pos", "Move 5000", "Till 1"),
];
const PIN_VALID_HOURS: i64 = 24;

/// What happens to a device at the identity system itself, as a test asks for it.
#[derive(Debug)]
pub enum Happening {
    /// A device is enrolled for the user, with these attributes over the made-up ones.
    Enrol(Resource),
    /// Attributes of a device change.
    Change(String, Resource),
    /// A device is removed.
    Remove(String),
}

impl Scim {
    pub(super) fn list_devices(&self, call: &Call) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        let wanted = filter::read(call.param("filter").unwrap_or_default())?;
        let ids: &[String] = match wanted.attribute.as_str() {
            "owner.value" | "owner" => state.by_owner.get(&wanted.value).map_or(&[], Vec::as_slice),
            "id" if state.devices.contains_key(&wanted.value) => std::slice::from_ref(&wanted.value),
            "id" => &[],
            _ => {
                return Err(Refusal::bad("invalidFilter", "Devices are found by owner.value or id."));
            }
        };
        Ok(list_response(ids, &state.devices, call))
    }

    pub(super) fn read_device(&self, id: &str) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        state.device(id).map(|device| scim(StatusCode::OK, &device))
    }

    pub(super) fn patch_device(&self, id: &str, call: &Call) -> Result<Answer, Refusal> {
        let request = body(call)?;
        let mut state = self.state.lock();
        let device = patch::apply(&state.device(id)?, &request)?;
        let device = self.store_device(&mut state, id, device)?;
        Ok(scim(StatusCode::OK, &device))
    }

    /// Puts a changed device in the place of the old one, and moves it where its owner is another now.
    fn store_device(&self, state: &mut State, id: &str, mut device: Resource) -> Result<Resource, Refusal> {
        state.check_device(&device)?;
        let old = state.device(id)?;
        let (from, to) = (owner(&old).to_owned(), owner(&device).to_owned());
        device.insert("owner".to_owned(), reference_to(&to));
        let changed = device != old;
        if changed {
            let created = old.get("meta").and_then(|meta| meta.get("created"));
            stamp(&mut device, "Device", created, version(&old) + 1);
        }
        let kind = if from == to { "device.changed" } else { "device.transferred" };
        self.effect(kind, &state.reference_of(&to), id).record(None, changed);
        if from != to {
            state.disown(&from, id);
            state.by_owner.entry(to).or_default().push(id.to_owned());
        }
        state.devices.insert(id.to_owned(), Stored::keep(&device));
        Ok(device)
    }

    pub(super) fn delete_device(&self, id: &str) -> Result<Answer, Refusal> {
        let mut state = self.state.lock();
        self.remove_device(&mut state, id)?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    fn remove_device(&self, state: &mut State, id: &str) -> Result<Resource, Refusal> {
        let device = state.device(id)?;
        state.devices.remove(id);
        state.disown(owner(&device), id);
        self.effect("device.removed", &state.reference_of(owner(&device)), id).record(None, true);
        Ok(device)
    }

    pub(super) fn reset_pin(&self, id: &str) -> Result<Answer, Refusal> {
        let mut state = self.state.lock();
        let reference = state.reference_of(owner(&state.device(id)?));
        let n = state.next(id);
        let reset = self.new_id("scim.pin", &format!("{id}/{n}"));
        self.effect("device.pinReset", &reference, id).record(None, true);
        let expires_at = rfc3339(Utc::now() + Duration::hours(PIN_VALID_HOURS));
        Ok(scim(StatusCode::CREATED, &json!({"id": reset, "device": id, "expiresAt": expires_at})))
    }

    /// The devices of a new user.
    pub(super) fn enrol_first(&self, state: &mut State, user: &str, reference: &str) {
        let mut chance = chance::about(self.seed, "scim.devices", reference);
        for _ in 0..chance.random_range(2..=3) {
            let device = self.made_up(state, user, reference);
            self.enrol(state, &device);
        }
    }

    fn made_up(&self, state: &mut State, user: &str, reference: &str) -> Resource {
        // Counted for the reference, not the user: no id comes back when a user is provisioned again.
        let n = state.next(&format!("devices of {reference}"));
        let about = format!("{reference}/{n}");
        let mut chance = chance::about(self.seed, "scim.device", &about);
        let (kind, model, label) = MODELS.get(chance.random_range(0..MODELS.len())).copied().unwrap_or_default();
        let device = json!({"schemas": [SCHEMA], "id": self.new_id("scim.device", &about), "deviceType": kind,
                            "owner": reference_to(user), "model": model,
                            "label": label, "active": true, "locked": false, "enrolledAt": rfc3339(Utc::now())});
        let mut device = device.as_object().cloned().unwrap_or_default();
        stamp(&mut device, "Device", None, 1);
        device
    }

    fn enrol(&self, state: &mut State, device: &Resource) {
        let (id, owner) = (text(device, "id").unwrap_or_default(), owner(device));
        self.effect("device.enrolled", &state.reference_of(owner), id).record(None, true);
        state.by_owner.entry(owner.to_owned()).or_default().push(id.to_owned());
        state.devices.insert(id.to_owned(), Stored::keep(device));
    }

    /// Lets something happen at the identity system itself; the user is named by its external id or its own id.
    ///
    /// # Errors
    /// Says what is not there, or what about the device is wrong.
    pub fn happen(&self, user: &str, happening: Happening) -> Result<Value, String> {
        let mut state = self.state.lock();
        let user = state.by_external_id.get(user).cloned().unwrap_or_else(|| user.to_owned());
        self.let_happen(&mut state, &user, happening).map(Value::Object).map_err(|refusal| refusal.to_string())
    }

    fn let_happen(&self, state: &mut State, user: &str, happening: Happening) -> Result<Resource, Refusal> {
        state.user(user)?;
        match happening {
            Happening::Enrol(attributes) => {
                let reference = state.reference_of(user);
                let mut device = self.made_up(state, user, &reference);
                overwrite(&mut device, attributes);
                state.check_device(&device)?;
                self.enrol(state, &device);
                Ok(device)
            }
            Happening::Remove(device) => {
                let device = state.named_or_first(user, device);
                self.remove_device(state, &device)
            }
            Happening::Change(device, attributes) => {
                let id = state.named_or_first(user, device);
                let mut device = state.device(&id)?;
                overwrite(&mut device, attributes);
                self.store_device(state, &id, device)
            }
        }
    }
}

fn reference_to(user: &str) -> Value {
    json!({"value": user, "$ref": format!("/scim/Users/{user}")})
}

/// Takes over attributes that a test names; the id stays.
fn overwrite(device: &mut Resource, mut attributes: Resource) {
    attributes.remove("id");
    device.extend(attributes);
}

impl State {
    fn device(&self, id: &str) -> Result<Resource, Refusal> {
        self.devices.get(id).map(Stored::load).ok_or_else(|| Refusal::not_found("Device", id))
    }

    /// The device that a test names, or the user's first.
    fn named_or_first(&self, user: &str, device: String) -> String {
        let first = self.by_owner.get(user).and_then(|devices| devices.first()).cloned();
        if device.is_empty() { first.unwrap_or_default() } else { device }
    }

    fn disown(&mut self, owner: &str, id: &str) {
        if let Some(devices) = self.by_owner.get_mut(owner) {
            devices.retain(|device| device != id);
        }
    }

    fn check_device(&self, device: &Resource) -> Result<(), Refusal> {
        let is = |name: &str, right: fn(&Value) -> bool| device.get(name).is_some_and(right);
        if !is("active", Value::is_boolean) || !is("locked", Value::is_boolean) {
            return Err(Refusal::bad("invalidValue", "active and locked are booleans."));
        }
        if !is("deviceType", Value::is_string) {
            return Err(Refusal::bad("invalidValue", "deviceType is a text."));
        }
        if !self.users.contains_key(owner(device)) {
            return Err(Refusal::bad("invalidValue", "owner.value is not the id of a user."));
        }
        Ok(())
    }
}

fn owner(device: &Resource) -> &str {
    device.get("owner").and_then(|owner| owner.get("value")).and_then(Value::as_str).unwrap_or_default()
}
