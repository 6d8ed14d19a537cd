//! `conformance.toml`: what a vendor says of the product, so that the suite can play it.
//!
//! Either rules that answer requests, or endpoints where a simulator or a test instance of the product listens; and what
//! no outsider can see: which requests change nothing though their method says so, and which header carries the
//! idempotency key.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::adapters::EndpointConfig;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What the component reads with `settings.get`, as in `[adapters.<name>.settings]`.
    #[serde(default)]
    pub settings: BTreeMap<String, toml::Value>,
    /// As `[adapters.<name>.endpoints.<endpoint>]`: where the product or its simulator listens, and the credential.
    #[serde(default)]
    pub endpoints: BTreeMap<String, EndpointConfig>,
    /// The header that carries the idempotency key, where the product knows one.
    #[serde(default)]
    pub key_header: Option<String>,
    /// Requests that change nothing though their method says so, such as `POST /search`.
    #[serde(default)]
    pub reads: Vec<Pattern>,
    /// Ids that no function tells.
    #[serde(default)]
    pub known: Known,
    /// What is answered where no endpoint is given; the first rule that fits.
    #[serde(default, rename = "answer")]
    pub rules: Vec<Rule>,
}

/// Ids of things in the outside system.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// A device of whatever client.
    #[serde(default)]
    pub device: Option<String>,
    /// A KYC case.
    #[serde(default)]
    pub case: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What other rules call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Only requests to this endpoint.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Which requests.
    pub request: Pattern,
    /// Only once the rule of this name has answered, in the same case.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether the request changes something; by default all but GET and HEAD do.
    #[serde(default)]
    pub effect: Option<bool>,
    /// The answer's status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The answer's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The answer's body.
    #[serde(default)]
    pub json: Option<Value>,
    /// The answer's body, where it is no JSON.
    #[serde(default)]
    pub text: Option<String>,
}

const fn ok() -> u16 {
    200
}

/// A method and a path in which `*` stands for one segment: `PUT /contacts/*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    method: String,
    segments: Vec<String>,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        let wrong = || format!("expected a method and a path, such as `PUT /contacts/*`, found `{text}`");
        let (method, path) = text.split_once(' ').ok_or_else(wrong)?;
        if !METHODS.contains(&method) || !path.starts_with('/') || path.contains('?') {
            return Err(wrong());
        }
        Ok(Self { method: method.to_owned(), segments: segments(path) })
    }
}

impl Pattern {
    /// Whether it stands for this request.
    #[must_use]
    pub fn fits(&self, method: &str, path: &str) -> bool {
        let found = segments(path);
        let same = |(want, have): (&String, &String)| want == "*" || want == have;
        self.method == method && self.segments.len() == found.len() && self.segments.iter().zip(&found).all(same)
    }
}

fn segments(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

/// A request as far as a rule looks at it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The endpoint's name.
    pub endpoint: String,
    /// In capitals.
    pub method: String,
    /// Below the endpoint, as it was sent.
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    /// As it was sent.
    pub body: Vec<u8>,
}

impl Script {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Where it is wrong and how.
    pub fn parse(text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let names: BTreeSet<&str> = script.rules.iter().filter_map(|rule| rule.name.as_deref()).collect();
        let lost = script.rules.iter().filter_map(|rule| rule.after.as_deref()).find(|after| !names.contains(after));
        match lost {
            Some(after) => Err(format!("`after = \"{after}\"`: no rule has that name")),
            None => Ok(script),
        }
    }

    /// The rule that answers, where `answered` are those that have before.
    #[must_use]
    pub fn rule(&self, asked: &Asked, answered: &BTreeSet<String>) -> Option<&Rule> {
        self.rules.iter().find(|rule| {
            rule.endpoint.as_ref().is_none_or(|endpoint| *endpoint == asked.endpoint)
                && rule.request.fits(&asked.method, &asked.path)
                && rule.after.as_ref().is_none_or(|after| answered.contains(after))
        })
    }

    /// Whether a request changes something.
    #[must_use]
    pub fn has_effect(&self, asked: &Asked, rule: Option<&Rule>) -> bool {
        let reads = self.reads.iter().any(|pattern| pattern.fits(&asked.method, &asked.path));
        let by_method = !matches!(asked.method.as_str(), "GET" | "HEAD");
        rule.and_then(|rule| rule.effect).unwrap_or(by_method && !reads)
    }
}

impl Rule {
    /// The body of the answer.
    #[must_use]
    pub fn body(&self, asked: &Asked) -> Vec<u8> {
        match (&self.json, &self.text) {
            (Some(json), _) => filled_in(json, asked).to_string().into_bytes(),
            (None, Some(text)) => fill(text, asked).into_bytes(),
            (None, None) => Vec::new(),
        }
    }
}

fn filled_in(value: &Value, asked: &Asked) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, asked)),
        Value::Array(items) => items.iter().map(|item| filled_in(item, asked)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), filled_in(value, asked))).collect())
        }
        other => other.clone(),
    }
}

/// Puts what was asked in the place of `{path.2}`, `{query.x}` and `{json.x}`; what is not there becomes nothing.
fn fill(text: &str, asked: &Asked) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let named = after.split_once('}').and_then(|(name, tail)| Some((value(name, asked)?, tail)));
        match named {
            Some((value, tail)) => {
                out.push_str(&value);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

/// The value of a name; nothing where it is none of the three, so that other braces stay as they are.
fn value(name: &str, asked: &Asked) -> Option<String> {
    let (kind, of) = name.split_once('.')?;
    match kind {
        "path" => {
            let at = of.parse::<usize>().ok()?.checked_sub(1)?;
            Some(segments(&asked.path).get(at).cloned().unwrap_or_default())
        }
        "query" => {
            let found = asked.query.iter().find(|(name, _)| name == of);
            Some(found.map(|(_, value)| value.clone()).unwrap_or_default())
        }
        "json" => {
            let body: Option<Value> = serde_json::from_slice(&asked.body).ok();
            let found = body.as_ref().and_then(|body| body.get(of));
            Some(match found {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(method: &str, path: &str) -> Asked {
        Asked {
            endpoint: "api".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: vec![("reference".to_owned(), "CL-1".to_owned())],
            body: br#"{"name": "Ada", "version": 7}"#.to_vec(),
        }
    }

    #[test]
    fn the_first_rule_that_fits_answers() {
        let script = Script::parse(
            "[[answer]]\nrequest = 'GET /a'\nafter = 'made'\nstatus = 200\n\
             [[answer]]\nrequest = 'GET /a'\nstatus = 404\n\
             [[answer]]\nname = 'made'\nrequest = 'POST /a'\n",
        )
        .unwrap();
        let mut answered = BTreeSet::new();
        assert_eq!(script.rule(&asked("GET", "/a"), &answered).unwrap().status, 404);
        answered.insert("made".to_owned());
        assert_eq!(script.rule(&asked("GET", "/a"), &answered).unwrap().status, 200);
        assert!(script.rule(&asked("GET", "/a/b"), &answered).is_none());
    }

    #[test]
    fn an_answer_repeats_what_was_asked() {
        let rule: Script = Script::parse(
            "[[answer]]\nrequest = 'PUT /a/*'\njson = { id = '{path.2}', list = ['{query.reference}', '{json.name} {json.version}'], as = '{is}' }",
        )
        .unwrap();
        let body: Value = serde_json::from_slice(&rule.rules[0].body(&asked("PUT", "/a/7"))).unwrap();
        assert_eq!(body, serde_json::json!({"id": "7", "list": ["CL-1", "Ada 7"], "as": "{is}"}));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("[[answer]]\nrequest = 'FETCH /a'", "PUT /contacts/*"),
            ("[[answer]]\nrequest = 'GET /a'\nafter = 'x'", "no rule has that name"),
            ("[[answers]]\n", "unknown field `answers`"),
        ] {
            let refused = Script::parse(text).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn what_changes_nothing_is_said_in_either_place() {
        let script =
            Script::parse("reads = ['POST /match/*']\n[[answer]]\nrequest = 'POST /a'\neffect = false\n").unwrap();
        assert!(!script.has_effect(&asked("POST", "/match/x"), None));
        assert!(!script.has_effect(&asked("POST", "/a"), script.rules.first()));
        assert!(script.has_effect(&asked("POST", "/b"), None) && !script.has_effect(&asked("GET", "/b"), None));
    }
}
