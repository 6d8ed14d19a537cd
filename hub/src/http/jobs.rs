//! `/admin/sync/jobs`: decisions on many deliveries, while they are made: seen with CX030, cancelled with CX031.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::answer::Answer;
use super::call::Endpoint;
use super::context::HttpContext;
use super::path::Reference;
use super::problem::{Code, Problem};
use super::request::{Request, first_of, not_found, request, served};
use super::statuses::{Admin, OneJob};
use super::views::Items;
use crate::access::Action;
use crate::actors::JobView;

/// All jobs that are remembered.
pub static LIST: Endpoint = Endpoint::json("/admin/sync/jobs", "CX030");
/// One of them.
pub static ONE: Endpoint = Endpoint::json("/admin/sync/jobs/{id}", "CX030");
/// Its end.
pub static CANCEL: Endpoint = Endpoint::json("/admin/sync/jobs/{id}", "CX031");

/// The routes below `/admin/sync/jobs`.
pub fn routes(hub: &Arc<HttpContext>) -> BoxedFilter<(Response,)> {
    let root = warp::path("jobs");
    let job = root.and(warp::path::param::<Reference>()).and(warp::path::end());
    let list = root.and(warp::path::end()).and(warp::get()).and(request(hub, &LIST)).then(|q| served(q, list));
    let one = job.and(warp::get()).and(request(hub, &ONE)).then(|id, q| served(q, |q| one(q, id)));
    let cancel = job.and(warp::delete()).and(request(hub, &CANCEL)).then(|id, q| served(q, |q| cancel(q, id)));
    first_of!(list, one, cancel).boxed()
}

/// Jobs
///
/// The newest 50 of this run of the hub; one of an earlier run is found by its id.
#[utoipa::path(get, path = "/admin/sync/jobs", operation_id = "CX030-jobs", tag = "operations",
    responses((status = 200, description = "The jobs, newest first", body = Items<JobView>), Admin))]
async fn list(request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    let permit = request.permit(Action::CX030)?;
    Answer::of(&Items { items: request.hub.commands.job_list(&permit) })
}

/// A job
#[utoipa::path(get, path = "/admin/sync/jobs/{id}", operation_id = "CX030-job", tag = "operations",
    params(super::parameters::JobParameter),
    responses((status = 200, description = "How far it has come", body = JobView), OneJob))]
async fn one(request: Request, id: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let permit = request.permit(Action::CX030)?;
    let job = request.hub.commands.job(&permit, &id.0).await?;
    Answer::of(&job.ok_or_else(|| not_found(Code::JobNotFound))?)
}

/// Cancel a job
///
/// It ends with the batch that it is at. What it has decided stays; one that has ended stays as it is.
#[utoipa::path(delete, path = "/admin/sync/jobs/{id}", operation_id = "CX031-cancel", tag = "operations",
    params(super::parameters::JobParameter),
    responses((status = 200, description = "The job, told to stop", body = JobView), OneJob))]
async fn cancel(request: Request, id: Reference) -> Result<Answer, Problem> {
    request.query(&[])?;
    let permit = request.permit(Action::CX031)?;
    let job = request.hub.commands.cancel_job(&permit, &id.0).await?;
    Answer::of(&job.ok_or_else(|| not_found(Code::JobNotFound))?)
}
