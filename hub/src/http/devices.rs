//! `/clients/device`: CL007 and CL010 to CL013.

use std::sync::Arc;

use http::StatusCode;
use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::json;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, first_of, not_found, request, served};
use super::schema::Devices;
use super::schema_in::{ActivateRequest, LockRequest, ResetPinRequest, TransferRequest};
use super::statuses::{Activate, DeviceCommand, DeviceList, ResetPin, Transfer};
use crate::access::{Action, Permit};
use crate::actors::command::PinResetView;
use crate::domain::validate::body::{ActivateBody, LockBody, ResetPinBody, TransferBody};
use crate::domain::validate::{FieldError, Tree};
use crate::state::view::DeviceView;

/// CL007.
pub static LIST: Endpoint = Endpoint::json("/clients/device/{reference}", "CL007");
/// CL010.
pub static LOCK: Endpoint = Endpoint::json("/clients/device/lock", "CL010");
/// CL011.
pub static TRANSFER: Endpoint = Endpoint::json("/clients/device/transfer", "CL011");
/// CL012.
pub static ACTIVATE: Endpoint = Endpoint::json("/clients/device/activate", "CL012");
/// CL013.
pub static RESET_PIN: Endpoint = Endpoint::json("/clients/device/resetPIN", "CL013");

/// The routes below `/clients/device`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let post = |name: &'static str| warp::path(name).and(warp::path::end()).and(warp::post());
    let list = owner().and(warp::get()).and(request(hub, &LIST)).then(|r, request| served(request, |q| list(q, r)));
    let lock = post("lock").and(request(hub, &LOCK)).then(|request| served(request, lock));
    let transfer = post("transfer").and(request(hub, &TRANSFER)).then(|request| served(request, transfer));
    let activate = post("activate").and(request(hub, &ACTIVATE)).then(|request| served(request, activate));
    let reset_pin = post("resetPIN").and(request(hub, &RESET_PIN)).then(|request| served(request, reset_pin));
    first_of!(list, lock, transfer, activate, reset_pin).boxed()
}

/// A client's reference, which none of the commands' names is.
fn owner() -> impl Filter<Extract = (Reference,), Error = Rejection> + Clone {
    const COMMANDS: [&str; 4] = ["lock", "transfer", "activate", "resetPIN"];
    let is_owner = |reference: Reference| {
        let command = COMMANDS.contains(&reference.0.as_str());
        std::future::ready(if command { Err(warp::reject::not_found()) } else { Ok(reference) })
    };
    warp::path::param::<Reference>().and(warp::path::end()).and_then(is_owner)
}

/// Client device list
#[utoipa::path(get, path = "/clients/device/{reference}", operation_id = "CL007", tag = "devices",
    params(super::parameters::ReferenceParameter),
    responses((status = 200, description = "The client's devices", body = Devices), DeviceList))]
async fn list(request: Request, reference: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let client = request.hub.state.client(request.caller.org(), &reference.0);
    let permit = request.permit_on(Action::CL007, &reference.0, client.as_deref())?;
    client.ok_or_else(|| not_found(Code::ClientNotFound))?;
    request.looked(&permit, &reference.0);
    let devices = request.hub.state.devices_of(request.caller.org(), &reference.0);
    let bodies: Vec<_> = devices.iter().map(|device| device.body()).collect();
    Ok(Answer::json([b"{\"items\":[", bodies.join(&b","[..]).as_slice(), b"]}"].concat()))
}

/// (Un)lock client device
///
/// Locking a locked device again is 200, with nothing written. Unlocking restores what was active before.
#[utoipa::path(post, path = "/clients/device/lock", operation_id = "CL010", tag = "devices",
    params(super::parameters::IdempotencyKey), request_body = LockRequest,
    responses((status = 200, description = "The device", body = DeviceView), DeviceCommand))]
async fn lock(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = allowed(&request, &json, Action::CL010)?;
    let command = LockBody::parse(&json).map_err(|errors| wrong(&request, &json, errors))?;
    let done = request.hub.commands.lock(permit, meta, command).await?;
    Ok(Answer::json(done.value.body()).replayed(done.replayed))
}

/// Transfer client device
///
/// `from` has to own it and `to` to be active. A transferred device is inactive until it is activated again.
#[utoipa::path(post, path = "/clients/device/transfer", operation_id = "CL011", tag = "devices",
    params(super::parameters::IdempotencyKey), request_body = TransferRequest,
    responses((status = 200, description = "The device, under its new owner", body = DeviceView), Transfer))]
async fn transfer(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = allowed(&request, &json, Action::CL011)?;
    let command = TransferBody::parse(&json).map_err(|errors| wrong(&request, &json, errors))?;
    let done = request.hub.commands.transfer(permit, meta, command).await?;
    Ok(Answer::json(done.value.body()).replayed(done.replayed))
}

/// (De)activate client device
#[utoipa::path(post, path = "/clients/device/activate", operation_id = "CL012", tag = "devices",
    params(super::parameters::IdempotencyKey), request_body = ActivateRequest,
    responses((status = 200, description = "The device", body = DeviceView), Activate))]
async fn activate(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = allowed(&request, &json, Action::CL012)?;
    let command = ActivateBody::parse(&json).map_err(|errors| wrong(&request, &json, errors))?;
    let done = request.hub.commands.activate(permit, meta, command).await?;
    Ok(Answer::json(done.value.body()).replayed(done.replayed))
}

/// Reset device PIN
///
/// The PIN never passes through the hub: the identity system issues it, and the owner is told that it comes.
#[utoipa::path(post, path = "/clients/device/resetPIN", operation_id = "CL013", tag = "devices",
    params(super::parameters::IdempotencyKey), request_body = ResetPinRequest,
    responses((status = 202, description = "The reset is on its way", body = PinResetView), ResetPin))]
async fn reset_pin(request: Request) -> Result<Answer, Problem> {
    let body = request.json().await?;
    let json = json::parse(&body)?;
    let meta = request.meta(&body)?;
    let permit = allowed(&request, &json, Action::CL013)?;
    let command = ResetPinBody::parse(&json).map_err(|errors| wrong(&request, &json, errors))?;
    let done = request.hub.commands.reset_pin(permit, meta, command).await?;
    Ok(Answer::of(&done.value)?.status(StatusCode::ACCEPTED).replayed(done.replayed))
}

/// Asks the policy about the owner of the device that the body names, where there is one.
fn allowed(request: &Request, json: &Tree<'_>, action: Action) -> Result<Permit, Problem> {
    let (org, state) = (request.caller.org(), &request.hub.state);
    let Some(device) = json.text("device").and_then(|device| state.device(org, device)) else {
        return request.permit(action);
    };
    let owner = &device.device.client;
    request.permit_on(action, owner, state.client(org, owner).as_deref())
}

/// Wrong fields, unless the device or an owner that the body names is not there: existence comes first.
///
/// A body without mistakes is not looked up here: the command finds what is missing, after it has looked for an earlier
/// answer to the same key.
fn wrong(request: &Request, json: &Tree<'_>, errors: Vec<FieldError>) -> Problem {
    let (org, state) = (request.caller.org(), &request.hub.state);
    let unknown_device = json.text("device").is_some_and(|device| state.device(org, device).is_none());
    let named = ["from", "to"].into_iter().filter_map(|member| json.text(member));
    let unknown_client = named.into_iter().any(|client| state.client(org, client).is_none());
    if unknown_device {
        not_found(Code::DeviceNotFound)
    } else if unknown_client {
        not_found(Code::ClientNotFound)
    } else {
        Problem::fields(errors)
    }
}
