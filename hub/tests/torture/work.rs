//! The members: each does one random thing after another, and repeats what may be repeated.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::book::{Book, Person, Request, Told};
use crate::harness::World;
use crate::profiles::{self, Wish};

/// How often a keyed request whose answer was lost is sent again.
const REPEATS: u32 = 40;
/// Identical requests at once, where members race.
const RACERS: usize = 6;

/// A client that somebody was told of.
#[derive(Debug, Clone)]
struct Known {
    reference: String,
    number: u64,
}

/// What all members share.
pub struct Shop<'a> {
    pub world: &'a World,
    pub book: &'a Book,
    /// Set when the round is over.
    pub closing: AtomicBool,
    /// Set while too much is owed: the members wait.
    pub full: AtomicBool,
    /// As many clients as there may be.
    pub most_clients: u64,
    clients: Mutex<HashMap<String, Vec<Known>>>,
    created: Mutex<u64>,
}

impl<'a> Shop<'a> {
    pub fn new(world: &'a World, book: &'a Book, most_clients: u64) -> Self {
        let (closing, full) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { world, book, closing, full, most_clients, clients: Mutex::default(), created: Mutex::default() }
    }

    fn remember(&self, org: &str, told: &Told, number: u64) {
        let Some(reference) = told.body["reference"].as_str().filter(|_| told.status == 201) else { return };
        let mut clients = self.clients.lock();
        let known = clients.entry(org.to_owned()).or_default();
        if known.iter().all(|client| client.reference != reference) {
            known.push(Known { reference: reference.to_owned(), number });
        }
    }

    /// A number for a client that is new, while there may be more.
    fn new_client(&self) -> Option<u64> {
        let mut created = self.created.lock();
        (*created < self.most_clients).then(|| {
            *created += 1;
            *created
        })
    }
}

/// One member at work.
pub struct Worker<'a> {
    shop: &'a Shop<'a>,
    person: Person<'a>,
    officer: Person<'a>,
    chance: StdRng,
    /// Keyed requests of earlier, to be repeated.
    earlier: Vec<Request>,
}

impl<'a> Worker<'a> {
    /// The member of this number.
    pub fn new(shop: &'a Shop<'a>, number: u64, seed: u64) -> Self {
        let org = format!("org-{}", number % 2);
        let person = Person::new(shop.world, &org, &format!("m-{}", number % 4), "RP001");
        let officer = Person::new(shop.world, &org, "officer", "RP003");
        let chance = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
        Self { shop, person, officer, chance, earlier: Vec::new() }
    }

    /// Works until the round is over.
    pub async fn work(mut self) {
        while !self.shop.closing.load(Ordering::Relaxed) {
            let pause = self.chance.random_range(5..60);
            let pause = if self.shop.full.load(Ordering::Relaxed) { 300 } else { pause };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.one_thing().await;
        }
    }

    async fn one_thing(&mut self) {
        match self.chance.random_range(0..100) {
            0..14 => self.create().await,
            14..18 => self.race().await,
            18..44 => self.edit().await,
            44..52 => self.suspend_or_resume().await,
            52..60 => self.star().await,
            60..78 => self.device().await,
            78..81 => self.archive().await,
            81..86 => self.document().await,
            86..91 => self.review().await,
            91..97 => self.repeat_earlier().await,
            _ => self.read().await,
        }
    }

    fn client(&mut self) -> Option<Known> {
        self.shop.clients.lock().get(&self.person.org)?.choose(&mut self.chance).cloned()
    }

    fn key(&mut self) -> Option<String> {
        self.chance.random_bool(0.6).then(|| format!("key-{}", self.shop.book.unique()))
    }

    /// Sends a request; one with a key is sent again until an answer came, and sometimes once more.
    async fn send(&mut self, mut request: Request) -> Option<Told> {
        if request.method == Method::POST && request.what != "document" {
            request.key = self.key();
        }
        let mut told = self.shop.book.ask(&self.person, request.clone()).await;
        if request.key.is_none() {
            return told;
        }
        for _ in 0..REPEATS {
            let undecided =
                told.as_ref().is_none_or(|told| matches!(told.code(), "request-in-progress") || told.status == 503);
            if !undecided || self.shop.closing.load(Ordering::Relaxed) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            told = self.shop.book.ask(&self.person, request.clone()).await;
        }
        if self.earlier.len() < 64 {
            self.earlier.push(request.clone());
        }
        if self.chance.random_bool(0.2) {
            self.shop.book.ask(&self.person, request).await;
        }
        told
    }

    fn new_profile(&mut self) -> Option<(u64, Value)> {
        let number = self.shop.new_client()?;
        let marker = self.shop.book.unique();
        Some((number, profiles::body(Wish { number, marker, renamed: false, moved: false })))
    }

    async fn create(&mut self) {
        let Some((number, body)) = self.new_profile() else { return self.edit().await };
        if let Some(told) = self.send(Request::post("create", "/clients/profile", body)).await {
            self.shop.remember(&self.person.org, &told, number);
        }
    }

    /// The same request many times at once.
    async fn race(&mut self) {
        let Some((number, body)) = self.new_profile() else { return self.device().await };
        let mut request = Request::post("create", "/clients/profile", body);
        request.key = Some(format!("key-{}", self.shop.book.unique()));
        let all = join_all((0..RACERS).map(|_| self.shop.book.ask(&self.person, request.clone()))).await;
        for told in all.iter().flatten() {
            self.shop.remember(&self.person.org, told, number);
        }
        self.earlier.push(request);
    }

    async fn put(&mut self, known: &Known, more: Value) -> Option<Told> {
        let wish = Wish {
            number: known.number,
            marker: self.shop.book.unique(),
            renamed: self.chance.random_bool(0.1) && !profiles::is_listed(known.number),
            moved: self.chance.random_bool(0.2),
        };
        let mut body = profiles::body(wish);
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let path = format!("/clients/profile/{}", known.reference);
        let if_match = self.chance.random_bool(0.2).then(|| self.chance.random_range(1..12));
        let request = Request { what: "edit", method: Method::PUT, path, body, key: None, if_match };
        let told = self.shop.book.ask(&self.person, request.clone()).await;
        if told.is_none() && self.chance.random_bool(0.5) {
            return self.shop.book.ask(&self.person, request).await;
        }
        told
    }

    async fn edit(&mut self) {
        let Some(known) = self.client() else { return };
        self.put(&known, json!({})).await;
    }

    async fn suspend_or_resume(&mut self) {
        let Some(known) = self.client() else { return };
        let status = if self.chance.random_bool(0.5) { "suspended" } else { "active" };
        self.put(&known, json!({"status": status, "statusReason": "torture"})).await;
    }

    async fn star(&mut self) {
        let Some(known) = self.client() else { return };
        let body = match self.chance.random_range(0..3) {
            0 => json!({"starred": true}),
            1 => json!({"starred": false}),
            _ => Value::Null,
        };
        self.send(Request::post("star", format!("/clients/starred/{}", known.reference), body)).await;
    }

    async fn device(&mut self) {
        let Some(known) = self.client() else { return };
        let list = Request {
            method: Method::GET,
            ..Request::post("read", format!("/clients/device/{}", known.reference), Value::Null)
        };
        let Some(list) = self.shop.book.ask(&self.person, list).await.filter(Told::is_ok) else { return };
        let Some(device) = list.body["items"].as_array().unwrap().choose(&mut self.chance).cloned() else { return };
        let device = &device["device"];
        let request = match self.chance.random_range(0..100) {
            0..40 => {
                let locked = self.chance.random_bool(0.5);
                Request::post(
                    "lock",
                    "/clients/device/lock",
                    json!({"device": device, "locked": locked, "reason": "lost"}),
                )
            }
            40..75 => {
                let active = self.chance.random_bool(0.6);
                Request::post("activate", "/clients/device/activate", json!({"device": device, "active": active}))
            }
            75..92 => {
                let Some(to) = self.client() else { return };
                let body = json!({"device": device, "from": known.reference, "to": to.reference, "reason": "sold"});
                Request::post("transfer", "/clients/device/transfer", body)
            }
            _ => Request::post("reset", "/clients/device/resetPIN", json!({"device": device, "reason": "forgotten"})),
        };
        self.send(request).await;
    }

    async fn archive(&mut self) {
        let Some(known) = self.client().filter(|_| self.chance.random_bool(0.5)) else { return };
        let path = format!("/clients/profile/{}", known.reference);
        let body = json!({"reason": "torture"});
        let request = Request { what: "archive", method: Method::DELETE, path, body, key: None, if_match: None };
        self.shop.book.ask(&self.person, request).await;
    }

    async fn document(&mut self) {
        let Some(known) = self.client() else { return };
        let content = format!("%PDF-1.4\n% {}\n%%EOF", self.shop.book.unique());
        let request = Request::post("document", format!("/clients/documents/{}", known.reference), content.into());
        self.send(request).await;
    }

    async fn review(&mut self) {
        let listed = |known: &&Known| profiles::is_listed(known.number);
        let found = self.shop.clients.lock().get(&self.person.org).and_then(|all| {
            let all: Vec<_> = all.iter().filter(listed).cloned().collect();
            all.choose(&mut self.chance).cloned()
        });
        let Some(known) = found else { return };
        let decision = if self.chance.random_bool(0.7) { "approve" } else { "reject" };
        let body = json!({"decision": decision, "reason": "compared the papers"});
        let request = Request::post("review", format!("/clients/kyc/{}", known.reference), body);
        self.shop.book.ask(&self.officer, request).await;
    }

    async fn repeat_earlier(&mut self) {
        let Some(request) = self.earlier.choose(&mut self.chance).cloned() else { return };
        self.shop.book.ask(&self.person, request).await;
    }

    async fn read(&mut self) {
        let path = match self.client() {
            Some(known) if self.chance.random_bool(0.7) => format!("/clients/profile/{}", known.reference),
            _ => "/clients/profile?limit=20&sort=-updatedAt".to_owned(),
        };
        let request = Request { method: Method::GET, ..Request::post("read", path, Value::Null) };
        self.shop.book.ask(&self.person, request).await;
    }
}
