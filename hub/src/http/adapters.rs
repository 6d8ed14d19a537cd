//! `/admin/adapters/{name}`: CX022, a component that takes the place of another without a restart, and the way back.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::json;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, first_of, not_found, request, served};
use super::schema_in::ReloadRequest;
use super::statuses::{Reload, Rollback};
use super::views::ReloadView;
use crate::access::Action;
use crate::actors::adapters::{ReloadOrder, SwapError, Swapped};
use crate::adapters::Digest;
use crate::domain::delivery::Adapter;
use crate::domain::validate::tree::{Members, Tree};
use crate::domain::validate::{FieldError, Fields, Flaw};

/// CX022.
pub static RELOAD: Endpoint = Endpoint::json("/admin/adapters/{name}/reload", "CX022");
/// CX022.
pub static ROLLBACK: Endpoint = Endpoint::json("/admin/adapters/{name}/rollback", "CX022");

/// Calls that may be asked beside.
const MOST_CALLS: i64 = 100_000;

/// The routes below `/admin/adapters`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let one = |verb: &'static str| {
        warp::path::param::<Reference>().and(warp::path(verb)).and(warp::path::end()).and(warp::post())
    };
    let reload = one("reload").and(request(hub, &RELOAD)).then(|name, q| served(q, |q| reload(q, name)));
    let rollback = one("rollback").and(request(hub, &ROLLBACK)).then(|name, q| served(q, |q| rollback(q, name)));
    first_of!(reload, rollback).boxed()
}

/// Swap an adapter's component
///
/// The file that is configured is loaded and checked; calls in flight finish on the old component. Where the new one may do
/// more, nothing is swapped until `confirm` names its digest. With `shadow` it is only asked beside the old one.
#[utoipa::path(post, path = "/admin/adapters/{name}/reload", operation_id = "CX022-reload", tag = "operations",
    params(super::parameters::AdapterParameter), request_body = Option<ReloadRequest>,
    responses((status = 200, description = "What has taken over, or is asked beside", body = ReloadView), Reload))]
async fn reload(request: Request, name: Reference) -> Result<Answer, Problem> {
    let body = request.optional_json().await?;
    let json = json::parse_optional(&body)?;
    let permit = request.permit(Action::CX022)?;
    let adapter = known(&request, &name)?;
    let order = order(json.as_ref()).map_err(Problem::fields)?;
    let swapped = request.hub.swaps.reload((&permit, &request.meta_without_key()), adapter, order).await;
    Answer::of(&ReloadView::new(adapter, swapped.map_err(problem)?, order.shadow))
}

/// Bring the component before back
///
/// It is still loaded, so that its file need not be there any more. What was swapped out is not taken over again by itself.
#[utoipa::path(post, path = "/admin/adapters/{name}/rollback", operation_id = "CX022-rollback", tag = "operations",
    params(super::parameters::AdapterParameter),
    responses((status = 200, description = "What is back", body = ReloadView), Rollback))]
async fn rollback(request: Request, name: Reference) -> Result<Answer, Problem> {
    json::parse_optional(&request.optional_json().await?)?;
    let permit = request.permit(Action::CX022)?;
    let adapter = known(&request, &name)?;
    let swapped = request.hub.swaps.roll_back((&permit, &request.meta_without_key()), adapter).await;
    Answer::of(&ReloadView::new(adapter, swapped.map_err(problem)?, None))
}

fn known(request: &Request, name: &Reference) -> Result<Adapter, Problem> {
    let adapter = Adapter::parse(&name.0).filter(|adapter| request.hub.adapters.names().contains(adapter));
    adapter.ok_or_else(|| not_found(Code::AdapterNotFound))
}

fn order(json: Option<&Tree<'_>>) -> Result<ReloadOrder, Vec<FieldError>> {
    let (empty, mut errors) = (Tree::Object(Members::default()), Vec::new());
    let json = json.filter(|json| !json.is_null()).unwrap_or(&empty);
    let mut fields = Fields::open(json, &["confirm", "shadow"], &mut errors);
    let confirm = fields.optional("confirm", digest);
    let shadow = fields.optional_whole("shadow", 1..=MOST_CALLS).and_then(|calls| u32::try_from(calls).ok());
    if errors.is_empty() { Ok(ReloadOrder { confirm, shadow }) } else { Err(errors) }
}

fn digest(text: &str) -> Result<Digest, Flaw> {
    let flaw = |_| Flaw::new("invalid-digest", "expected `sha256:` and 64 hexadecimal digits");
    Digest::try_from(text.to_owned()).map_err(flaw)
}

fn problem(error: SwapError) -> Problem {
    match error {
        SwapError::NotConfigured => not_found(Code::AdapterNotFound),
        SwapError::Refused(why) => Problem::new(Code::ComponentRefused, why.told()).because(why.to_string()),
        SwapError::Unconfirmed(swapped) => unconfirmed(&swapped),
        SwapError::NothingBefore => {
            Problem::new(Code::NothingBefore, "no other component was loaded since the start or the last rollback")
        }
        SwapError::Command(error) => error.into(),
    }
}

fn unconfirmed(swapped: &Swapped) -> Problem {
    let digest = swapped.info.digest.to_string();
    let detail = match swapped.difference.gains.as_slice() {
        [] => "the file has another component now than the one that was confirmed".to_owned(),
        gains => format!("it may do more than the one that is loaded ({}); to confirm: {digest}", gains.join(", ")),
    };
    let difference = serde_json::to_value(&swapped.difference).unwrap_or_default();
    let problem = Problem::new(Code::ConfirmationNeeded, detail).with("digest", digest).with("difference", difference);
    match swapped.previous {
        Some(previous) => problem.with("previous", previous.to_string()),
        None => problem,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_names_a_digest_and_a_number_of_calls() {
        assert_eq!(order(None).unwrap(), ReloadOrder::default());
        assert_eq!(order(Some(&Tree::Null)).unwrap(), ReloadOrder::default());
        let digest = Digest::of(b"new");
        let whole = order(Some(&Tree::from(&json!({"confirm": digest.to_string(), "shadow": 20})))).unwrap();
        assert_eq!(whole, ReloadOrder { confirm: Some(digest), shadow: Some(20) });
        for wrong in [json!({"confirm": "md5:1"}), json!({"shadow": 0}), json!({"shadow": 1.5}), json!({"force": true})]
        {
            assert_eq!(order(Some(&Tree::from(&wrong))).unwrap_err().len(), 1, "{wrong}");
        }
    }
}
