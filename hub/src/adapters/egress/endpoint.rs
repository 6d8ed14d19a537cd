//! One endpoint: its client, its credential, and the life of one request.
//!
//! Redirects are answers, proxies of the environment are not used, nothing is sent twice, and connections go only to
//! addresses that passed the check. What an adapter gets to read was searched for the secret first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method as HttpMethod, Url};
use thiserror::Error;

use super::super::bindings::http::{HttpFailure, Method, Pair, Request, Response};
use super::super::call_record::CallRecord;
use super::super::config_endpoint::{ClientCert, EndpointConfig};
use super::super::secret::SecretError;
use super::address::{self, CheckedResolver, Reach};
use super::credential::{Credential, CredentialError, TokenError};
use super::scrub::Scrubber;
use super::{body, failure, headers, path};
use crate::domain::delivery::Outbound;
use crate::telemetry::TraceContext;

/// The largest body of a request, in bytes: a document of 20 MiB in base64 fits.
pub const MAX_REQUEST_BODY_BYTES: usize = 32 * 1024 * 1024;
/// The largest body of an answer, in bytes.
pub const MAX_ANSWER_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The largest file with certificates, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;
/// How long an idle connection is kept; servers close theirs after 60 s or more.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// An endpoint that can't be used as it is configured.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// The address written into the URL.
    #[error("`{0}`: {1}")]
    Address(IpAddr, address::Refused),
    /// The credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The key of the client certificate.
    #[error("client_cert.key: {0}")]
    Key(#[from] SecretError),
    /// A certificate file that can't be read.
    #[error("the file `{0}` can't be read: {1}")]
    File(std::path::PathBuf, std::io::Error),
    /// Certificates or keys that are none.
    #[error("{0} holds no usable PEM: {1}")]
    Pem(&'static str, String),
    /// The HTTP client.
    #[error("the HTTP client can't be made: {0}")]
    Client(String),
}

/// A place that an adapter may send requests to.
pub struct Endpoint {
    name: String,
    base: Url,
    client: Client,
    credential: Credential,
    credential_name: Option<String>,
    scrubber: Scrubber,
    timeout: Duration,
}

impl Endpoint {
    /// Makes the endpoint: reads its secrets and certificates, checks the address in its URL. Blocks.
    ///
    /// `connections` is how many idle connections are worth keeping.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub fn new(name: &str, config: &EndpointConfig, connections: usize) -> Result<Self, EndpointError> {
        let reach = if config.private { Reach::Private } else { Reach::Public };
        let mut scrubber = Scrubber::default();
        let credential = Credential::new(config.auth.as_ref(), &mut scrubber)?;
        let base = config.url.as_url().clone();
        for literal in [super::literal_address(&base), credential.literal_address()].into_iter().flatten() {
            address::check(literal, reach).map_err(|why| EndpointError::Address(literal, why))?;
        }
        Ok(Self {
            name: name.to_owned(),
            client: client(config, reach, connections)?,
            base,
            credential,
            credential_name: Credential::name(config.auth.as_ref()),
            scrubber,
            timeout: config.timeout(),
        })
    }

    /// Takes this endpoint's secrets out of a text.
    pub fn scrub(&self, text: String) -> String {
        self.scrubber.text(text)
    }

    /// Sends one request and waits for its answer, for at most the endpoint's time.
    ///
    /// `record` is told before anything leaves that may have an effect.
    ///
    /// # Errors
    /// As the contract's `http-failure` says.
    pub async fn send(
        self: Arc<Self>,
        request: Request,
        record: Arc<CallRecord>,
        trace: Option<TraceContext>,
    ) -> Result<Response, HttpFailure> {
        let started = Instant::now();
        let method = method(request.method);
        let place = record.requested(self.outbound(&request));
        let result = match self.prepare(request, trace) {
            Ok(prepared) => {
                let exchange = self.exchange(prepared, &record, place);
                tokio::time::timeout(self.timeout, exchange).await.unwrap_or(Err(HttpFailure::TimedOut))
            }
            Err(why) => Err(HttpFailure::Refused(why)),
        };
        record.amend(place, |request| ended(request, &result, started.elapsed()));
        tracing::debug!(
            endpoint = %self.name,
            method = %method,
            status = result.as_ref().ok().map(|answer| answer.status),
            failure = result.as_ref().err().map(kind),
            elapsed_us = micros(started.elapsed()),
            "outbound request"
        );
        result
    }

    /// Checks everything that an adapter may have got wrong, before anything is sent.
    fn prepare(&self, request: Request, trace: Option<TraceContext>) -> Result<reqwest::Request, String> {
        let body = request.body.unwrap_or_default();
        if body.len() > MAX_REQUEST_BODY_BYTES {
            return Err(format!("body: larger than {MAX_REQUEST_BODY_BYTES} bytes"));
        }
        let url = path::join(&self.base, &request.path, &borrowed(&request.query))?;
        let mut headers = headers::request(&borrowed(&request.headers), self.credential.header())?;
        if let Some(value) = trace.and_then(|trace| HeaderValue::try_from(trace.child().to_string()).ok()) {
            headers.insert(HeaderName::from_static("traceparent"), value);
        }
        let mut prepared = reqwest::Request::new(method(request.method), url);
        *prepared.headers_mut() = headers;
        if !body.is_empty() {
            *prepared.body_mut() = Some(body.into());
        }
        Ok(prepared)
    }

    /// What goes on the record of a request that begins.
    fn outbound(&self, request: &Request) -> Outbound {
        Outbound {
            endpoint: self.name.clone(),
            method: method(request.method).to_string(),
            path: request.path.clone(),
            sent: request.body.as_ref().map_or(0, |body| body.len() as u64),
            credential: self.credential_name.clone(),
            ..Outbound::default()
        }
    }

    async fn exchange(
        &self,
        mut request: reqwest::Request,
        record: &CallRecord,
        place: Option<usize>,
    ) -> Result<Response, HttpFailure> {
        let (value, token) = self.credential.value(&self.client).await.map_err(without_token)?;
        if let (Some(name), Some(value)) = (self.credential.header(), value) {
            request.headers_mut().insert(name.clone(), value);
        }
        let effect = record.begin_request(!request.method().is_safe());
        let answer = match self.client.execute(request).await {
            Ok(answer) => answer,
            Err(error) => {
                if failure::never_left(&error) {
                    effect.never_left();
                }
                return Err(self.clean(failure::of(&error)));
            }
        };
        let address = answer.remote_addr().map(|address| address.ip().to_string());
        record.amend(place, |request| request.address = address);
        if answer.status() == reqwest::StatusCode::UNAUTHORIZED {
            self.credential.forget().await;
        }
        let status = answer.status().as_u16();
        let pairs = headers::answer(answer.headers()).ok_or(HttpFailure::TooLarge)?;
        if let Some(coding) = headers::coding(answer.headers()) {
            let why = format!("the answer has the content coding `{coding}`, and none was asked for");
            return Err(HttpFailure::Interrupted(self.scrub(why)));
        }
        let body = body::read(answer, MAX_ANSWER_BODY_BYTES).await.map_err(|failure| self.clean(failure))?;
        let mut scrubber = std::borrow::Cow::Borrowed(&self.scrubber);
        if let Some(token) = token {
            scrubber.to_mut().add(token.expose());
        }
        Ok(scrubbed(status, pairs, body, &scrubber))
    }

    fn clean(&self, failure: HttpFailure) -> HttpFailure {
        match failure {
            HttpFailure::Connect(why) => HttpFailure::Connect(self.scrub(why)),
            HttpFailure::Interrupted(why) => HttpFailure::Interrupted(self.scrub(why)),
            other => other,
        }
    }
}

/// What goes on the record when it has ended.
fn ended(request: &mut Outbound, result: &Result<Response, HttpFailure>, elapsed: Duration) {
    request.ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(answer) => (request.status, request.received) = (Some(answer.status), answer.body.len() as u64),
        Err(failure) => request.failure = Some(kind(failure).to_owned()),
    }
}

fn without_token(error: TokenError) -> HttpFailure {
    let text = format!("the hub has no access token: {error}");
    match error {
        TokenError::Unavailable(_) => HttpFailure::Connect(text),
        TokenError::Refused(_) | TokenError::Malformed => HttpFailure::Refused(text),
    }
}

fn scrubbed(status: u16, pairs: Vec<(String, Vec<u8>)>, mut body: Vec<u8>, scrubber: &Scrubber) -> Response {
    scrubber.bytes(&mut body);
    let headers = pairs.into_iter().map(|(name, mut value)| {
        scrubber.bytes(&mut value);
        let value = String::from_utf8_lossy(&value).into_owned();
        Pair { name, value }
    });
    Response { status, headers: headers.collect(), body }
}

fn client(config: &EndpointConfig, reach: Reach, connections: usize) -> Result<Client, EndpointError> {
    let mut builder = Client::builder()
        .user_agent(concat!("clients-hub/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(CheckedResolver::new(reach)))
        // Half of the time, so that "no connection" (nothing was sent) is told apart from "no answer".
        .connect_timeout(config.timeout() / 2)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(connections);
    if let Some(path) = &config.ca {
        let certificates = Certificate::from_pem_bundle(&read(path)?)
            .map_err(|error| EndpointError::Pem("ca", failure::innermost(&error)))?;
        builder = builder.tls_certs_only(certificates);
    } else if !config.urls().any(|url| url.as_url().scheme() == "https") {
        // No TLS, so that the system's authorities need not be there, nor be read.
        builder = builder.tls_certs_only([]);
    }
    if let Some(pair) = &config.client_cert {
        builder = builder.identity(identity(pair)?);
    }
    builder.build().map_err(|error| EndpointError::Client(failure::innermost(&error)))
}

fn identity(pair: &ClientCert) -> Result<Identity, EndpointError> {
    let mut pem = read(&pair.cert)?;
    pem.push(b'\n');
    pem.extend_from_slice(pair.key.resolve()?.expose().as_bytes());
    Identity::from_pem(&pem).map_err(|error| EndpointError::Pem("client_cert", failure::innermost(&error)))
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, EndpointError> {
    crate::file::read(path, MAX_PEM_BYTES).map_err(|error| EndpointError::File(path.to_owned(), error))
}

fn borrowed(pairs: &[Pair]) -> Vec<(&str, &str)> {
    pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str())).collect()
}

fn method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::GET,
        Method::Head => HttpMethod::HEAD,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    }
}

fn kind(failure: &HttpFailure) -> &'static str {
    match failure {
        HttpFailure::UnknownEndpoint(_) => "unknown-endpoint",
        HttpFailure::Refused(_) => "refused",
        HttpFailure::Connect(_) => "connect",
        HttpFailure::TimedOut => "timed-out",
        HttpFailure::Interrupted(_) => "interrupted",
        HttpFailure::TooLarge => "too-large",
    }
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
