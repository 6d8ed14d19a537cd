//! Requests of the API, over real sockets, to a real hub, in turns with a bare warp route.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};

use crate::data;
use crate::load::{CONNECTIONS, Load, Requests};
use crate::report::Row;
use crate::servers::Server;

const ROUNDS: usize = 15;
const CLIENTS: u64 = 10_000;
const READ_TARGET: f64 = 0.5;
const WRITE_TARGET: f64 = 0.4;

/// `GET /clients/profile/{reference}`.
pub fn reads() -> Row {
    let folder = data::folder();
    let references = data::filled(folder.path(), CLIENTS);
    let tokens = data::tokens(folder.path(), CONNECTIONS);
    let (hub, floor) = (Server::hub(folder.path(), None), Server::floor("reads", folder.path()));
    let turn = AtomicU64::new(0);
    let ask: Requests = Arc::new(move |connection| {
        // A large prime step: no connection follows another, and every client has its turn.
        let turn = turn.fetch_add(1, Ordering::Relaxed).wrapping_mul(7919) % CLIENTS;
        request("GET", &references[turn as usize], &tokens[connection]).body(Full::default()).unwrap()
    });
    let load = Load::new();
    let (status, body) = load.one(hub.address, ask(0));
    println!("GET: {status}, {} bytes", body.len());
    let rounds = load.in_turns([hub.address, floor.address], ROUNDS, &ask, StatusCode::OK);
    Row::share("GET of one of 10,000 clients, 64 connections", "req/s", &rounds, READ_TARGET)
}

/// `POST /clients/profile`.
pub fn writes() -> Row {
    let folder = data::folder();
    let tokens = data::tokens(folder.path(), CONNECTIONS);
    let (hub, floor) = (Server::hub(folder.path(), None), Server::floor("writes", folder.path()));
    let number = AtomicU64::new(1);
    let ask: Requests = Arc::new(move |connection| {
        let company = data::company(number.fetch_add(1, Ordering::Relaxed));
        let body = Bytes::from(serde_json::to_vec(&company).unwrap());
        let request = request("POST", "", &tokens[connection]).header("content-type", "application/json");
        request.header("content-length", body.len()).body(Full::new(body)).unwrap()
    });
    let load = Load::new();
    let (status, body) = load.one(hub.address, ask(0));
    println!("POST: {status}, {} bytes", body.len());
    let rounds = load.in_turns([hub.address, floor.address], ROUNDS, &ask, StatusCode::CREATED);
    Row::share("POST of a client, 64 at a time, durable", "req/s", &rounds, WRITE_TARGET)
}

fn request(method: &str, reference: &str, token: &str) -> hyper::http::request::Builder {
    let slash = if reference.is_empty() { "" } else { "/" };
    Request::builder()
        .method(method)
        .uri(format!("/clients/profile{slash}{reference}"))
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
}
