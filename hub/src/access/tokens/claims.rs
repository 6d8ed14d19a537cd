//! What a token claims, and whether it may (RFC 9068, section 2.2; `api.md`).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::super::caller::Caller;
use super::{LOCAL_AUDIENCE, LOCAL_ISSUER, TokenError, strict};
use crate::domain::HUB;

/// How far two clocks may be apart.
pub(super) const LEEWAY_SECONDS: i64 = 60;

/// The longest member id, in bytes.
const MAX_MEMBER: usize = 256;

/// The latest expiry that is read as a moment: the year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// Whether `id` can be an organisation's: `[A-Za-z0-9_-]{1,64}`.
#[must_use]
pub fn is_org(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// What the hub's own key can vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The member's id.
    pub member: String,
    /// The organisation.
    pub org: String,
    /// The role codes.
    pub roles: Vec<String>,
    /// The references assigned to the member.
    pub clients: Vec<String>,
    /// How the organisation's subscription to Backoffice stands; `active` opens it.
    pub subscription: Option<String>,
    /// From when it holds.
    pub from: DateTime<Utc>,
    /// For how long.
    pub lifetime: Duration,
}

impl Grant {
    pub(super) fn claims(&self) -> Value {
        let from = self.from.timestamp();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        json!({
            "iss": LOCAL_ISSUER, "aud": LOCAL_AUDIENCE, "sub": self.member, "iat": from, "nbf": from,
            "exp": from.saturating_add(lifetime), "roles": self.roles, "clients": self.clients,
            "org": { "id": self.org, "apps": { "backoffice": self.subscription } },
        })
    }
}

/// Whose tokens for whom are accepted.
pub(super) struct Expected {
    pub(super) issuer: String,
    pub(super) audience: String,
}

impl Expected {
    /// The caller that a payload, whose signature holds, speaks of.
    pub(super) fn caller(&self, payload: &[u8], now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let claims = strict::object(payload)
            .ok_or_else(|| TokenError::invalid("the claims are no JSON object without duplicate names"))?;
        if text(&claims, "iss")? != self.issuer {
            return Err(TokenError::invalid("iss is not the configured issuer"));
        }
        if !self.is_for_us(claims.get("aud")) {
            return Err(TokenError::invalid("aud does not name the configured audience"));
        }
        let expires_at = lifetime(&claims, now)?;
        let member = text(&claims, "sub")?;
        if member.is_empty() || member.len() > MAX_MEMBER || member.chars().any(char::is_control) {
            return Err(TokenError::invalid("sub has to be 1 to 256 bytes without control characters"));
        }
        if member == HUB {
            return Err(TokenError::invalid("sub `hub` stands for the hub itself, on the record and everywhere"));
        }
        let roles = texts(claims.get("roles"), "roles")?.ok_or_else(|| TokenError::invalid("roles is missing"))?;
        let clients = texts(claims.get("clients"), "clients")?.unwrap_or_default();
        let (org, apps) = organisation(&claims)?;
        Ok(Caller::new(member.to_owned(), org, expires_at).with(roles, clients).with_apps(apps))
    }

    fn is_for_us(&self, aud: Option<&Value>) -> bool {
        match aud {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| one.as_str() == Some(&self.audience))
            }
            _ => false,
        }
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, TokenError> {
    let value = claims.get(name).and_then(Value::as_str);
    value.ok_or_else(|| TokenError::Invalid(format!("{name} has to be a string")))
}

/// Until when the token holds, if it holds now.
fn lifetime(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<DateTime<Utc>, TokenError> {
    let exp = seconds(claims.get("exp"), "exp")?.ok_or_else(|| TokenError::invalid("exp is missing"))?;
    let nbf = seconds(claims.get("nbf"), "nbf")?;
    let now = now.timestamp();
    if now >= exp.timestamp() + LEEWAY_SECONDS {
        return Err(TokenError::Expired);
    }
    if nbf.is_some_and(|nbf| now < nbf.timestamp() - LEEWAY_SECONDS) {
        return Err(TokenError::invalid("nbf lies in the future"));
    }
    Ok(exp)
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction.
fn seconds(value: Option<&Value>, name: &str) -> Result<Option<DateTime<Utc>>, TokenError> {
    let Some(value) = value else { return Ok(None) };
    let number = value.as_f64().filter(|number| (0.0..=MAX_SECONDS).contains(number));
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked, and the fraction does not matter")]
    let moment = number.and_then(|number| DateTime::from_timestamp(number as i64, 0));
    moment.map(Some).ok_or_else(|| TokenError::Invalid(format!("{name} has to be a number of seconds since 1970")))
}

fn texts(value: Option<&Value>, name: &str) -> Result<Option<Vec<String>>, TokenError> {
    let wrong = || TokenError::Invalid(format!("{name} has to be an array of strings"));
    let Some(value) = value else { return Ok(None) };
    let elements = value.as_array().ok_or_else(wrong)?;
    elements
        .iter()
        .map(|element| element.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The organisation and its subscriptions. One that is not a text is none: policies then deny, the token is valid.
fn organisation(claims: &Map<String, Value>) -> Result<(String, BTreeMap<String, String>), TokenError> {
    let org = claims.get("org").and_then(Value::as_object);
    let org = org.ok_or_else(|| TokenError::invalid("org has to be an object"))?;
    let id = org.get("id").and_then(Value::as_str).filter(|id| is_org(id));
    let id = id.ok_or_else(|| TokenError::invalid("org.id has to be 1 to 64 letters, digits, `_` or `-`"))?;
    let apps = org.get("apps").and_then(Value::as_object).into_iter().flatten();
    let states = apps.filter_map(|(app, state)| Some((app.clone(), state.as_str()?.to_owned())));
    Ok((id.to_owned(), states.collect()))
}
