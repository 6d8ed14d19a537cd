//! A hub that follows a script, and clients to hand over. For the native tests of adapters only.

use core::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::http::{HttpFailure, Pair, Request, Response};
use crate::hub::Hub;
use crate::log::Level;
use crate::types::{Address, ClientKind, ClientStatus, Corporate, Details, Individual, Profile};

/// A hub that answers requests with what the script says, in order, and keeps them.
#[derive(Default)]
pub struct Script {
    settings: BTreeMap<String, String>,
    steps: RefCell<VecDeque<Result<Response, HttpFailure>>>,
    seen: RefCell<Vec<Request>>,
}

impl Script {
    /// A script without steps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The next request is answered with JSON.
    #[must_use]
    pub fn answer(self, status: u16, body: Value) -> Self {
        self.answer_with(status, &[], body)
    }

    /// The next request is answered with headers and JSON.
    #[must_use]
    pub fn answer_with(self, status: u16, headers: &[(&str, &str)], body: Value) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| Pair { name: name.to_lowercase(), value: (*value).to_owned() })
            .collect();
        self.step(Ok(Response { status, headers, body: body.to_string().into_bytes() }))
    }

    /// The next request is answered with text that need not be JSON.
    #[must_use]
    pub fn answer_text(self, status: u16, body: &str) -> Self {
        self.step(Ok(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }))
    }

    /// The next request gets no answer.
    #[must_use]
    pub fn fail(self, failure: HttpFailure) -> Self {
        self.step(Err(failure))
    }

    fn step(self, step: Result<Response, HttpFailure>) -> Self {
        self.steps.borrow_mut().push_back(step);
        self
    }

    /// The requests so far as `METHOD endpoint path?name=value&…`, not encoded.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.seen.borrow().iter().map(line).collect()
    }

    /// The body of the request at a place, as JSON; null where there is none.
    #[must_use]
    pub fn sent(&self, place: usize) -> Value {
        self.text_sent(place).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The body of the request at a place, as text.
    #[must_use]
    pub fn text_sent(&self, place: usize) -> Option<String> {
        let seen = self.seen.borrow();
        seen.get(place)?.body.as_deref().map(|body| String::from_utf8_lossy(body).into_owned())
    }

    /// The header of the request at a place.
    #[must_use]
    pub fn header_sent(&self, place: usize, name: &str) -> Option<String> {
        let seen = self.seen.borrow();
        let header = seen.get(place)?.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(header.value.clone())
    }
}

fn line(request: &Request) -> String {
    let method = format!("{:?}", request.method).to_uppercase();
    let method = method.rsplit("::").next().unwrap_or_default().to_owned();
    let query: Vec<String> = request.query.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{method} {} {}{mark}{}", request.endpoint, request.path, query.join("&"))
}

impl Hub for Script {
    fn send(&self, request: &Request) -> Result<Response, HttpFailure> {
        self.seen.borrow_mut().push(request.clone());
        let step = self.steps.borrow_mut().pop_front();
        step.unwrap_or_else(|| Err(HttpFailure::Refused("the script has no step left".to_owned())))
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned()
    }

    fn log(&self, _level: Level, _message: &str) {}
}

/// An active corporate client with everything set.
#[must_use]
pub fn corporate() -> Profile {
    let details = Corporate {
        legal_name: "Meridian Freight Limited".to_owned(),
        registration_number: "08123456".to_owned(),
        lei: None,
        tax_id: Some("GB123456789".to_owned()),
        industry: Some("4941".to_owned()),
        incorporated_on: Some("2012-04-03".to_owned()),
        contacts: Vec::new(),
    };
    Profile {
        kind: ClientKind::Corporate,
        name: "Meridian Freight Ltd".to_owned(),
        details: Details::Corporate(details),
        ..individual()
    }
}

/// An active individual client with everything set.
#[must_use]
pub fn individual() -> Profile {
    let details = Individual {
        given_name: "Jane".to_owned(),
        family_name: "Doe".to_owned(),
        date_of_birth: "1980-02-29".to_owned(),
        nationality: "GB".to_owned(),
        national_id: "QQ123456C".to_owned(),
    };
    Profile {
        reference: "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE".to_owned(),
        external_reference: None,
        organisation: "acme".to_owned(),
        version: 7,
        kind: ClientKind::Individual,
        status: ClientStatus::Active,
        name: "Jane Doe".to_owned(),
        details: Details::Individual(details),
        email: Some("ops@meridian.example".to_owned()),
        phone: Some("+442079460000".to_owned()),
        address: Some(Address {
            line1: Some("1 Quay".to_owned()),
            line2: Some("Floor 2".to_owned()),
            city: Some("London".to_owned()),
            region: None,
            postal_code: Some("EC1A 1BB".to_owned()),
            country: Some("GB".to_owned()),
        }),
        segment: Some("sme".to_owned()),
        language: Some("en".to_owned()),
        tags: vec!["priority".to_owned()],
        assigned_to: Vec::new(),
        external_id: None,
        created_at: "2026-03-01T10:00:00.000Z".to_owned(),
        updated_at: "2026-03-02T11:00:00.000Z".to_owned(),
    }
}
