//! Who asked what, and what was told: the witness that the checker believes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::Value;

use crate::harness::{Member, World};

/// Longer than anything may take while the hub is up; a hub that is down refuses at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it is, for the checker.
    pub what: &'static str,
    pub method: Method,
    pub path: String,
    /// Null for none. A document's content where `what` says so.
    pub body: Value,
    pub key: Option<String>,
    pub if_match: Option<u64>,
}

impl Request {
    pub fn post(what: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { what, method: Method::POST, path: path.into(), body, key: None, if_match: None }
    }
}

/// What was told.
#[derive(Debug, Clone)]
pub struct Told {
    pub at: Duration,
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
}

impl Told {
    /// It was done, or is so.
    pub const fn is_ok(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A request, who made it, and the answer, where one came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub number: u64,
    pub org: String,
    pub member: String,
    pub request: Request,
    pub sent: Duration,
    pub told: Option<Told>,
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Person<'a> {
    pub org: String,
    pub id: String,
    pub member: Member<'a>,
}

impl<'a> Person<'a> {
    pub fn new(world: &'a World, org: &str, id: &str, role: &str) -> Self {
        Self { org: org.to_owned(), id: id.to_owned(), member: world.member(org, id, &[role]) }
    }
}

/// The book of a round.
pub struct Book {
    started: Instant,
    next: AtomicU64,
    asked: Mutex<Vec<Asked>>,
    http: reqwest::Client,
}

impl Book {
    pub fn new() -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { started: Instant::now(), next: AtomicU64::new(1), asked: Mutex::default(), http }
    }

    /// A number that nobody else in this round has.
    pub fn unique(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The id of a request, which the hub writes into the journal.
    pub fn request_id(number: u64) -> String {
        format!("torture-{number}")
    }

    /// Asks, and writes down what was told. `None`: the answer was lost.
    pub async fn ask(&self, person: &Person<'_>, request: Request) -> Option<Told> {
        let (number, sent) = (self.unique(), self.started.elapsed());
        let told = self.answer(person, &request, number).await;
        let (org, member) = (person.org.clone(), person.id.clone());
        self.asked.lock().push(Asked { number, org, member, request, sent, told: told.clone() });
        told
    }

    async fn answer(&self, person: &Person<'_>, request: &Request, number: u64) -> Option<Told> {
        let url = format!("{}{}", person.member.world.url(), request.path);
        let mut building = self.http.request(request.method.clone(), url).bearer_auth(&person.member.token);
        building = building.header("x-request-id", Self::request_id(number));
        if let Some(key) = &request.key {
            building = building.header("idempotency-key", key);
        }
        if let Some(version) = request.if_match {
            building = building.header("if-match", format!("\"{version}\""));
        }
        building = match (&request.body, request.what) {
            (Value::String(content), "document") => document(building, content),
            (Value::Null, _) => building,
            (body, _) => building.json(body),
        };
        let response = building.send().await.ok()?;
        let (status, replayed) = (response.status().as_u16(), response.headers().contains_key("idempotency-replayed"));
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Told { at: self.started.elapsed(), status, body, replayed })
    }

    /// All that was asked, in the order of the numbers.
    pub fn all(&self) -> Vec<Asked> {
        let mut asked = self.asked.lock().clone();
        asked.sort_by_key(|asked| asked.number);
        asked
    }
}

fn document(building: reqwest::RequestBuilder, content: &str) -> reqwest::RequestBuilder {
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\npassport\r\n--b\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"p.pdf\"\r\ncontent-type: application/pdf\r\n\r\n\
         {content}\r\n--b--\r\n"
    );
    building.header("content-type", "multipart/form-data; boundary=b").body(body)
}
