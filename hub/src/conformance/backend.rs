//! The outside system as the hub plays it: it answers by the script or hands on to a simulator, disturbs the one request
//! that it was told to, and writes down what passes.
//!
//! HTTP/1.1 on loopback. A reset is a real one (RST). Requests of one call come one after the other, since a component
//! has one thread; their number in the call is what a disturbance names.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use reqwest::Url;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::fault::{Fault, RETRY_AFTER_S};
use super::reach;
use super::script::{Asked, Script};

/// The largest request that is read; the hub lets no larger one out.
const MAX_BODY_BYTES: usize = 33 * 1024 * 1024;
/// More than the hub takes of an answer.
const HUGE_BYTES: usize = 9 * 1024 * 1024;
/// Where a redirect leads: no endpoint, and no path that anything here has.
pub const ELSEWHERE: &str = "/redirected-elsewhere";
/// What is kept of a body for a report.
const MAX_SHOWN_BYTES: usize = 4 * 1024;

/// An answer of the outside system.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// One request and what came of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// `POST /contacts`
    pub request: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The query, decoded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The beginning of the body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What the outside system answered, where it was asked.
    pub status: Option<u16>,
    /// How it was disturbed.
    pub fault: Option<Fault>,
    /// Whether it is of a kind that changes something.
    pub writes: bool,
    /// Whether it did.
    pub effect: bool,
    /// The value of the header that carries the idempotency key.
    pub key: Option<String>,
    /// Bytes of the answer before it was disturbed.
    #[serde(skip)]
    pub answered_bytes: usize,
    /// The media type of the body.
    #[serde(skip)]
    pub media_type: String,
    /// The whole body.
    #[serde(skip)]
    pub sent: Vec<u8>,
}

#[derive(Default)]
struct Stage {
    disturb: Option<(usize, Fault)>,
    exchanges: Vec<Exchange>,
    answered: BTreeSet<String>,
    kept: BTreeMap<String, Answer>,
    trouble: Option<String>,
}

struct Play {
    script: Script,
    endpoints: Vec<String>,
    upstream: reqwest::Client,
    stage: Mutex<Stage>,
}

/// The outside system, listening until it is dropped.
pub struct Backend {
    address: SocketAddr,
    play: Arc<Play>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Backend {
    /// Listens on a free port, for these endpoints.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(script: Script, endpoints: Vec<String>) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let upstream = reach::client()?;
        let play = Arc::new(Play { script, endpoints, upstream, stage: Mutex::default() });
        let serving = tokio::spawn(accept(listener, Arc::clone(&play)));
        Ok(Self { address, play, serving })
    }

    /// The base URL of an endpoint, by its place in the list.
    #[must_use]
    pub fn url(&self, place: usize) -> String {
        format!("http://{}/{place}", self.address)
    }

    /// A case begins: nothing was asked before.
    pub fn new_case(&self) {
        *self.play.stage.lock() = Stage::default();
    }

    /// A call begins, whose request of this number is to be disturbed.
    pub fn new_call(&self, disturb: Option<(usize, Fault)>) {
        let mut stage = self.play.stage.lock();
        stage.disturb = disturb;
        stage.exchanges.clear();
    }

    /// What has passed since the call began.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.play.stage.lock().exchanges.clone()
    }

    /// What went wrong with the suite itself, such as a simulator that does not listen.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.play.stage.lock().trouble.clone()
    }
}

async fn accept(listener: TcpListener, play: Arc<Play>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&play)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until it ends or is to be reset.
async fn connection(stream: TcpStream, play: Arc<Play>) {
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| respond(Arc::clone(&play), request, Arc::clone(&reset)));
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let is_reset = tokio::select! {
        biased;
        () = reset.notified() => true,
        _ = &mut served => false,
    };
    if is_reset {
        // Where it can't be set the connection just closes, which is a broken answer too.
        let _ = served.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn respond(
    play: Arc<Play>,
    request: Request<Incoming>,
    reset: Arc<Notify>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map(|body| body.to_bytes().to_vec());
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let asked = play.asked(&head.method, &head.uri, body.unwrap_or_default());
    let (number, fault) = play.enter(&asked, &headers);
    let answer = match fault {
        Some(fault) if !fault.takes_effect() => None,
        _ => Some(play.answer(number, &asked, &headers).await),
    };
    match disturbed(fault, answer) {
        Ending::Answer(answer) => Ok(response(answer)),
        Ending::Silence => std::future::pending().await,
        Ending::Reset => {
            reset.notify_one();
            std::future::pending().await
        }
    }
}

enum Ending {
    Answer(Answer),
    Silence,
    Reset,
}

fn disturbed(fault: Option<Fault>, answer: Option<Answer>) -> Ending {
    let plain = |status, headers, body: &[u8]| Ending::Answer(Answer { status, headers, body: body.to_vec() });
    let header = |name: http::HeaderName, value: &str| vec![(name.to_string(), value.to_owned())];
    let wait = || header(RETRY_AFTER, &RETRY_AFTER_S.to_string());
    let problem = br#"{"error":"told to fail"}"#;
    match (fault, answer) {
        (None, Some(answer)) => Ending::Answer(answer),
        (Some(Fault::Cut), Some(answer)) => {
            let half = answer.body.len() / 2;
            let body = answer.body.get(..half).unwrap_or_default().to_vec();
            Ending::Answer(Answer { body, ..answer })
        }
        (Some(Fault::TimeOut), _) => Ending::Silence,
        (Some(Fault::TooMany), _) => plain(429, wait(), problem),
        (Some(Fault::Unavailable), _) => plain(503, wait(), problem),
        (Some(Fault::Failing), _) => plain(500, Vec::new(), problem),
        (Some(Fault::Unauthorized), _) => plain(401, Vec::new(), problem),
        (Some(Fault::Invalid), _) => plain(422, Vec::new(), problem),
        (Some(Fault::Html), _) => {
            plain(200, header(CONTENT_TYPE, "text/html"), b"<!DOCTYPE html><html><body>Back soon</body></html>")
        }
        (Some(Fault::Huge), _) => plain(200, header(CONTENT_TYPE, "application/json"), &vec![b' '; HUGE_BYTES]),
        (Some(Fault::Redirect), _) => plain(302, header(LOCATION, &format!("http://169.254.169.254{ELSEWHERE}")), b""),
        (Some(Fault::Reset | Fault::LostAnswer), _) | (Some(Fault::Cut) | None, None) => Ending::Reset,
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

impl Play {
    fn asked(&self, method: &http::Method, uri: &http::Uri, body: Vec<u8>) -> Asked {
        let path = uri.path().trim_start_matches('/');
        let (place, below) = path.split_once('/').unwrap_or((path, ""));
        let endpoint = place.parse::<usize>().ok().and_then(|place| self.endpoints.get(place)).cloned();
        let query = Url::parse(&format!("http://x/?{}", uri.query().unwrap_or_default()));
        let query = query.map(|url| url.query_pairs().map(|(a, b)| (a.into_owned(), b.into_owned())).collect());
        Asked {
            endpoint: endpoint.unwrap_or_default(),
            method: method.to_string(),
            path: format!("/{below}"),
            query: query.unwrap_or_default(),
            body,
        }
    }

    /// Writes a request down, and says its number in the call and how it is to be disturbed.
    fn enter(&self, asked: &Asked, headers: &[(String, String)]) -> (usize, Option<Fault>) {
        let header = |name: &str| {
            headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        let mut stage = self.stage.lock();
        let writes = self.script.has_effect(asked, self.script.rule(asked, &stage.answered));
        let number = stage.exchanges.len();
        let fault = stage.disturb.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        let shown = asked.body.get(..asked.body.len().min(MAX_SHOWN_BYTES)).unwrap_or_default();
        stage.exchanges.push(Exchange {
            request: format!("{} {}", asked.method, asked.path),
            endpoint: asked.endpoint.clone(),
            query: asked.query.clone(),
            body: String::from_utf8_lossy(shown).into_owned(),
            status: None,
            fault,
            writes,
            effect: false,
            key: self.script.key_header.as_deref().and_then(header),
            answered_bytes: 0,
            media_type: header("content-type").unwrap_or_default(),
            sent: asked.body.clone(),
        });
        (number, fault)
    }

    async fn answer(&self, number: usize, asked: &Asked, headers: &[(String, String)]) -> Answer {
        let key = {
            let stage = self.stage.lock();
            stage.exchanges.get(number).filter(|one| one.writes).and_then(|one| one.key.clone())
        };
        // The same key on another route is another request.
        let kept_as = key.map(|key| format!("{key} {} {}", asked.method, asked.path));
        let known = kept_as.as_ref().and_then(|key| self.stage.lock().kept.get(key).cloned());
        let repeated = known.is_some();
        let answer = match (known, self.script.endpoints.get(&asked.endpoint)) {
            (Some(answer), _) => answer,
            (None, Some(endpoint)) => self.passed_on(endpoint.url.as_url(), asked, headers).await,
            (None, None) => self.scripted(asked),
        };
        let mut stage = self.stage.lock();
        let success = (200..300).contains(&answer.status);
        if let Some(exchange) = stage.exchanges.get_mut(number) {
            exchange.status = Some(answer.status);
            exchange.effect = exchange.writes && success && !repeated;
            exchange.answered_bytes = answer.body.len();
        }
        if let Some(key) = kept_as.filter(|_| success) {
            stage.kept.insert(key, answer.clone());
        }
        answer
    }

    async fn passed_on(&self, base: &Url, asked: &Asked, headers: &[(String, String)]) -> Answer {
        match reach::pass_on(&self.upstream, base, asked, headers).await {
            Ok(answer) => answer,
            Err(why) => {
                self.stage.lock().trouble = Some(why);
                Answer { status: 502, headers: Vec::new(), body: Vec::new() }
            }
        }
    }

    fn scripted(&self, asked: &Asked) -> Answer {
        let mut stage = self.stage.lock();
        let Some(rule) = self.script.rule(asked, &stage.answered) else {
            let body = format!(r#"{{"error":"no rule of the script answers {} {}"}}"#, asked.method, asked.path);
            return Answer { status: 404, headers: Vec::new(), body: body.into_bytes() };
        };
        stage.answered.extend(rule.name.clone());
        let mut headers: Vec<(String, String)> = rule.headers.clone().into_iter().collect();
        if rule.json.is_some() {
            headers.push((CONTENT_TYPE.to_string(), "application/json".to_owned()));
        }
        Answer { status: rule.status, headers, body: rule.body(asked) }
    }
}
