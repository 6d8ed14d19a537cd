//! `/admin/policies`: CX040 and CX041, what is in force and why it decides as it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::json;
use super::problem::Problem;
use super::request::{Request, first_of, request, served};
use super::schema_in::ExplainRequest;
use super::statuses::{Admin, Explain};
use super::views::PolicyView;
use crate::access::{Action, Explanation, Question, is_org};
use crate::domain::validate::formats::opaque;
use crate::domain::validate::{FieldError, Fields, Flaw, Tree};

/// CX040.
pub static POLICIES: Endpoint = Endpoint::json("/admin/policies", "CX040");
/// CX041.
pub static EXPLAIN: Endpoint = Endpoint::json("/admin/policies/explain", "CX041");

/// The members of a question.
const KNOWN: [&str; 8] = ["member", "org", "roles", "clients", "subscription", "action", "client", "assignedTo"];
/// Roles, clients and members that a question may name, each.
const MOST: usize = 200;
/// The subscription that a question does not speak of.
const ACTIVE: &str = "active";

/// The routes below `/admin/policies`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let end = warp::path::end;
    let policies = end().and(warp::get()).and(request(hub, &POLICIES)).then(|request| served(request, policies));
    let ask = warp::path("explain").and(end()).and(warp::post());
    let explain = ask.and(request(hub, &EXPLAIN)).then(|request| served(request, explain));
    first_of!(policies, explain).boxed()
}

/// The policy in force
#[utoipa::path(get, path = "/admin/policies", operation_id = "CX040", tag = "operations",
    responses((status = 200, description = "What is in force, and what is wrong with what is not", body = PolicyView), Admin))]
async fn policies(request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    request.permit(Action::CX040)?;
    Answer::of(&request.hub.insight.policies())
}

/// Why a request would be allowed or denied
///
/// The client is looked up in the organisation of the question. Of its attributes only those without personal data are
/// shown with their values. A client that is not there counts as one that is assigned to `assignedTo`.
#[utoipa::path(post, path = "/admin/policies/explain", operation_id = "CX041", tag = "operations",
    request_body = ExplainRequest,
    responses((status = 200, description = "The answer, and why", body = Explanation), Explain))]
async fn explain(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    request.permit(Action::CX041)?;
    let question = question(&json).map_err(Problem::fields)?;
    let reference = question.client.as_deref();
    let client = reference.and_then(|reference| request.hub.state.client(&question.org, reference));
    let explanation = request.hub.access.explain(&question, client.as_ref().map(|record| &*record.client));
    Answer::of(&explanation.map_err(Problem::internal)?)
}

fn question(json: &Tree<'_>) -> Result<Question, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut fields = Fields::open(json, &KNOWN, &mut errors);
    let (member, org) = (fields.required("member", opaque), fields.required("org", org));
    let (roles, clients) = (fields.texts("roles", MOST, opaque), fields.texts("clients", MOST, opaque));
    let subscription = fields.optional("subscription", opaque).unwrap_or_else(|| ACTIVE.to_owned());
    let action = fields.required("action", action);
    let (client, assigned_to) = (fields.optional("client", opaque), fields.texts("assignedTo", MOST, opaque));
    let apps = BTreeMap::from([("backoffice".to_owned(), subscription)]);
    match (member, org, action) {
        (Some(member), Some(org), Some(action)) if errors.is_empty() => {
            Ok(Question { member, org, roles, clients, apps, action, client, assigned_to })
        }
        _ => Err(errors),
    }
}

fn org(text: &str) -> Result<String, Flaw> {
    let flaw = || Flaw::new("invalid-org", "an organisation's id has 1 to 64 letters, digits, `_` or `-`");
    if is_org(text) { Ok(text.to_owned()) } else { Err(flaw()) }
}

fn action(text: &str) -> Result<String, Flaw> {
    let known = || Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    let found = Action::parse(text).map(|action| action.as_str().to_owned());
    found.ok_or_else(|| Flaw::new("unknown-value", format!("accepted: {}", known())))
}
