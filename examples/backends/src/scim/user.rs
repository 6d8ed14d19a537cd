//! Users: what a client's credentials hang on.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::stored::Stored;

use super::error::Refusal;
use super::{Resource, Scim, State, body, filter, list_response, patch, scim, stamp, text, version};

/// The schema of a user (RFC 7643, section 4.1).
pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

impl Scim {
    pub(super) fn list_users(&self, call: &Call) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        let Some(filter) = call.param("filter") else {
            return Ok(list_response(&state.user_order, &state.users, call));
        };
        let wanted = filter::read(filter)?;
        let id = match wanted.attribute.as_str() {
            "externalid" => state.by_external_id.get(&wanted.value),
            "username" => state.by_user_name.get(&wanted.value.to_lowercase()),
            "id" => Some(&wanted.value).filter(|id| state.users.contains_key(*id)),
            _ => {
                return Err(Refusal::bad("invalidFilter", "Users are found by id, userName or externalId."));
            }
        };
        Ok(list_response(id.map_or(&[], std::slice::from_ref), &state.users, call))
    }

    pub(super) fn create_user(&self, call: &Call) -> Result<Answer, Refusal> {
        let mut user = body(call)?;
        check(&user)?;
        let mut state = self.state.lock();
        state.check_unique(&user, None)?;
        let n = state.next("users");
        let id = self.new_id("scim.user", &n.to_string());
        user.insert("id".to_owned(), json!(id));
        user.entry("active").or_insert(json!(true));
        stamp(&mut user, "User", None, 1);
        let reference = reference(&user);
        self.effect("user.created", &reference, &id).record(payload_version(&user), true);
        let answer = scim(StatusCode::CREATED, &user).with("location", &format!("/scim/Users/{id}"));
        state.insert_user(&id, &user);
        self.enrol_first(&mut state, &id, &reference);
        Ok(answer)
    }

    pub(super) fn read_user(&self, id: &str) -> Result<Answer, Refusal> {
        let state = self.state.lock();
        state.user(id).map(|user| scim(StatusCode::OK, &user))
    }

    pub(super) fn replace_user(&self, id: &str, call: &Call) -> Result<Answer, Refusal> {
        let user = body(call)?;
        self.change_user(id, |_| Ok(user))
    }

    pub(super) fn patch_user(&self, id: &str, call: &Call) -> Result<Answer, Refusal> {
        let request = body(call)?;
        self.change_user(id, |old| patch::apply(old, &request))
    }

    fn change_user(
        &self,
        id: &str,
        change: impl FnOnce(&Resource) -> Result<Resource, Refusal>,
    ) -> Result<Answer, Refusal> {
        let mut state = self.state.lock();
        let old = state.user(id)?;
        let mut user = change(&old)?;
        check(&user)?;
        state.check_unique(&user, Some(id))?;
        user.entry("active").or_insert(json!(true));
        for kept in ["id", "meta"] {
            user.extend(old.get(kept).map(|value| (kept.to_owned(), value.clone())));
        }
        let changed = user != old;
        if changed {
            let created = old.get("meta").and_then(|meta| meta.get("created"));
            stamp(&mut user, "User", created, version(&old) + 1);
        }
        let kind = match (old.get("active"), user.get("active")) {
            (Some(Value::Bool(true)), Some(Value::Bool(false))) => "user.disabled",
            (Some(Value::Bool(false)), Some(Value::Bool(true))) => "user.enabled",
            _ => "user.updated",
        };
        self.effect(kind, &reference(&user), id).record(payload_version(&user), changed);
        let answer = scim(StatusCode::OK, &user);
        state.remove_keys(&old);
        state.insert_keys(id, &user);
        state.users.insert(id.to_owned(), Stored::keep(&user));
        Ok(answer)
    }

    pub(super) fn delete_user(&self, id: &str) -> Result<Answer, Refusal> {
        let mut state = self.state.lock();
        let user = state.user(id)?;
        state.users.remove(id);
        state.remove_keys(&user);
        state.user_order.retain(|other| other != id);
        for device in state.by_owner.remove(id).unwrap_or_default() {
            state.devices.remove(&device);
        }
        self.effect("user.deleted", &reference(&user), id).record(None, true);
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}

impl State {
    pub(super) fn user(&self, id: &str) -> Result<Resource, Refusal> {
        self.users.get(id).map(Stored::load).ok_or_else(|| Refusal::not_found("User", id))
    }

    /// The external id of a device's owner, or the owner's own id.
    pub(super) fn reference_of(&self, user: &str) -> String {
        self.user(user).map_or_else(|_| user.to_owned(), |user| reference(&user))
    }

    fn check_unique(&self, user: &Resource, own: Option<&str>) -> Result<(), Refusal> {
        let taken = |holder: Option<&String>| holder.is_some_and(|holder| Some(holder.as_str()) != own);
        if taken(self.by_user_name.get(&text(user, "userName").unwrap_or_default().to_lowercase())) {
            return Err(Refusal::taken("userName"));
        }
        if taken(text(user, "externalId").and_then(|id| self.by_external_id.get(id))) {
            return Err(Refusal::taken("externalId"));
        }
        Ok(())
    }

    fn insert_user(&mut self, id: &str, user: &Resource) {
        self.insert_keys(id, user);
        self.user_order.push(id.to_owned());
        self.users.insert(id.to_owned(), Stored::keep(user));
    }

    fn insert_keys(&mut self, id: &str, user: &Resource) {
        if let Some(name) = text(user, "userName") {
            self.by_user_name.insert(name.to_lowercase(), id.to_owned());
        }
        if let Some(external_id) = text(user, "externalId") {
            self.by_external_id.insert(external_id.to_owned(), id.to_owned());
        }
    }

    fn remove_keys(&mut self, user: &Resource) {
        if let Some(name) = text(user, "userName") {
            self.by_user_name.remove(&name.to_lowercase());
        }
        if let Some(external_id) = text(user, "externalId") {
            self.by_external_id.remove(external_id);
        }
    }
}

fn reference(user: &Resource) -> String {
    text(user, "externalId").or(text(user, "id")).unwrap_or_default().to_owned()
}

/// The version that an extension's attribute of that name carries.
fn payload_version(user: &Resource) -> Option<u64> {
    let mut extensions = user.iter().filter(|(name, _)| name.starts_with("urn:"));
    extensions.find_map(|(_, extension)| extension.get("version")?.as_u64())
}

fn check(user: &Resource) -> Result<(), Refusal> {
    let schemas = user.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.contains(&json!(SCHEMA))) {
        return Err(Refusal::bad("invalidValue", "The schemas attribute does not name the User schema."));
    }
    if text(user, "userName").is_none_or(|name| name.trim().is_empty()) {
        return Err(Refusal::bad("invalidValue", "Attribute userName is required."));
    }
    let is = |name: &str, right: fn(&Value) -> bool| user.get(name).is_none_or(right);
    if !is("active", Value::is_boolean) || !is("externalId", Value::is_string) || !is("emails", Value::is_array) {
        return Err(Refusal::bad("invalidValue", "active is a boolean, externalId a text, emails a list."));
    }
    Ok(())
}
