//! What an endpoint gets: the request, who asks, and the hub; and what every endpoint ends in.
//!
//! The helpers are in the order in which an endpoint uses them, which is the order of checks of the contract:
//! query and body (400, 413, 415), permit (403), existence (404), fields (422).

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::answer::Answer;
use super::body::{self, Unread};
use super::call::{Call, Endpoint};
use super::context::{HttpContext, Look};
use super::problem::{Code, Problem};
use super::query::Query;
use super::{idempotency, media};
use crate::access::{Action, Caller, Permit, Target};
use crate::actors::command::Meta;
use crate::state::ClientRecord;

/// A request of a caller who is known, on its route.
pub struct Request {
    /// The hub.
    pub hub: Arc<HttpContext>,
    /// The request.
    pub call: Arc<Call>,
    /// Who asks.
    pub caller: Arc<Caller>,
}

impl Request {
    /// The query, of which only the parameters in `known` are taken.
    ///
    /// # Errors
    /// Anything else in it: 400.
    pub fn query<'a>(&self, known: &[&'a str]) -> Result<Query<'a>, Problem> {
        Query::parse(self.call.uri.query(), known)
    }

    /// The JSON body, as it came.
    ///
    /// # Errors
    /// Another media type (415), too large (413).
    pub async fn json(&self) -> Result<Bytes, Problem> {
        self.query(&[])?;
        media::expect(&self.call.headers, media::JSON)?;
        body::read(self.unread()?, body::JSON_LIMIT).await
    }

    /// The JSON body, as it came; empty where it was left out.
    ///
    /// # Errors
    /// As `json`.
    pub async fn optional_json(&self) -> Result<Bytes, Problem> {
        self.query(&[])?;
        let unread = self.unread()?;
        let typed = self.call.headers.contains_key(http::header::CONTENT_TYPE);
        if typed {
            media::expect(&self.call.headers, media::JSON)?;
        }
        if body::is_empty(&unread) {
            return Ok(Bytes::new());
        }
        let bytes = body::read(unread, body::JSON_LIMIT).await?;
        if !bytes.is_empty() && !typed {
            media::expect(&self.call.headers, media::JSON)?;
        }
        Ok(bytes)
    }

    /// The body, not read.
    ///
    /// # Errors
    /// Somebody has taken it, which is a defect: 500.
    pub fn unread(&self) -> Result<Unread, Problem> {
        self.call.take_body().ok_or_else(|| Problem::internal("the body was taken twice"))
    }

    /// Asks the policy about something that is about no client.
    ///
    /// # Errors
    /// It denies: 403.
    pub fn permit(&self, action: Action) -> Result<Permit, Problem> {
        self.hub.access.permit(&self.caller, action, None).map_err(Problem::from)
    }

    /// Asks the policy about a client, which may not be there.
    ///
    /// # Errors
    /// It denies: 403.
    pub fn permit_on(&self, action: Action, reference: &str, client: Option<&ClientRecord>) -> Result<Permit, Problem> {
        let target = Target { reference, client: client.map(|record| &*record.client) };
        self.hub.access.permit(&self.caller, action, Some(target)).map_err(Problem::from)
    }

    /// Puts on the record that a client is shown.
    pub fn looked(&self, permit: &Permit, reference: &str) {
        let (request_id, address) = (self.call.request_id.as_str(), self.call.address);
        self.hub.insight.looked(Look { permit, reference, request_id, address });
    }

    /// What a command is told about the request. `body` is what an idempotency key is bound to.
    ///
    /// # Errors
    /// The key is not one: 400.
    pub fn meta(&self, body: &[u8]) -> Result<Meta, Problem> {
        let asked: &[&[u8]] = &[self.call.method.as_str().as_bytes(), self.call.uri.path().as_bytes(), body];
        let who = (self.caller.org(), self.caller.member());
        let key = idempotency::key(&self.call.headers)?.map(|key| idempotency::request_key(who, key, asked));
        Ok(Meta { key, ..self.meta_without_key() })
    }

    /// The same for a method that takes no idempotency key.
    #[must_use]
    pub fn meta_without_key(&self) -> Meta {
        Meta { request_id: self.call.request_id.clone(), address: Some(self.call.address.to_string()), key: None }
    }
}

/// The answer of the first route that a request is for. Nested so that the first is the shortest way, not the last: its
/// future is polled through every level above it.
macro_rules! first_of {
    ($one:expr $(,)?) => { $one };
    ($one:expr, $($others:expr),+ $(,)?) => { $one.or(first_of!($($others),+)).unify() };
}
pub(super) use first_of;

/// What is not there, in the words of the contract.
#[must_use]
pub fn not_found(code: Code) -> Problem {
    let detail = match code {
        Code::DeviceNotFound => "there is no such device in your organisation",
        Code::DeliveryNotFound => "no such delivery is set aside; it may have been decided on already",
        Code::AdapterNotFound => "no such adapter is configured; see /admin/adapters for those that are",
        Code::JobNotFound => "there is no such job; the newest are remembered for as long as the hub runs",
        _ => "there is no such client in your organisation",
    };
    Problem::new(code, detail)
}

/// Adds the request to a route; only callers who are known come through.
pub fn request(
    hub: &Arc<HttpContext>,
    endpoint: &'static Endpoint,
) -> impl Filter<Extract = (Request,), Error = Rejection> + Clone + use<> {
    request_by(hub, move |_| endpoint)
}

/// The same, where the request itself says which of several endpoints it is for.
pub fn request_by<C>(
    hub: &Arc<HttpContext>,
    choose: C,
) -> impl Filter<Extract = (Request,), Error = Rejection> + Clone + use<C>
where
    C: Fn(&Call) -> &'static Endpoint + Clone + Send + Sync + 'static,
{
    let hub = hub.clone();
    warp::ext::get::<Arc<Call>>().and_then(move |call: Arc<Call>| {
        let request = call.caller().cloned().map(|caller| {
            call.arrive(choose(&call));
            Request { hub: hub.clone(), call, caller }
        });
        std::future::ready(request.ok_or_else(warp::reject::not_found))
    })
}

/// A request to an open route: nobody asked who sends it.
pub struct Visit {
    /// The hub.
    pub hub: Arc<HttpContext>,
    /// The request.
    pub call: Arc<Call>,
}

/// Adds the request to an open route.
pub fn visit(
    hub: &Arc<HttpContext>,
    endpoint: &'static Endpoint,
) -> impl Filter<Extract = (Visit,), Error = Rejection> + Clone + use<> {
    let hub = hub.clone();
    warp::ext::get::<Arc<Call>>().map(move |call: Arc<Call>| {
        call.arrive(endpoint);
        Visit { hub: hub.clone(), call }
    })
}

/// Ends an open route.
pub async fn opened<F>(visit: Visit, work: impl FnOnce(Visit) -> F + Send) -> Response
where
    F: Future<Output = Result<Answer, Problem>> + Send,
{
    let call = visit.call.clone();
    match acceptable(&call) {
        Ok(()) => reply(&call, work(visit).await),
        Err(problem) => reply(&call, Err(problem)),
    }
}

fn acceptable(call: &Call) -> Result<(), Problem> {
    let offers = call.endpoint().map_or(&[][..], |endpoint| endpoint.offers);
    media::acceptable(&call.headers, offers)
}

/// Ends a route: checks what may be answered with, lets `work` decide, and makes the one reply of it.
pub async fn served<F>(request: Request, work: impl FnOnce(Request) -> F + Send) -> Response
where
    F: Future<Output = Result<Answer, Problem>> + Send,
{
    let call = request.call.clone();
    match acceptable(&call) {
        Ok(()) => reply(&call, work(request).await),
        Err(problem) => reply(&call, Err(problem)),
    }
}

/// The one place where a decision becomes a reply.
#[must_use]
pub fn reply(call: &Call, outcome: Result<Answer, Problem>) -> Response {
    match outcome {
        Ok(answer) => answer.into_response(),
        Err(problem) => problem.reply(&call.request_id),
    }
}
