//! `http.send`: hands a request to the endpoint that it names and waits for the answer.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::bindings::http::{Host, HttpFailure, Method, Request, Response};
use super::guest::Guest;

/// The most requests in one call.
const MAX_REQUESTS: u32 = 200;

impl Host for Guest {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, HttpFailure>> {
        Ok(self.send_one(request).await)
    }
}

impl Guest {
    async fn send_one(&mut self, request: Request) -> Result<Response, HttpFailure> {
        self.requests += 1;
        if self.requests > MAX_REQUESTS {
            let text = format!("more than {MAX_REQUESTS} requests in one call");
            return Err(HttpFailure::Refused(text));
        }
        if self.record.reads_only() && !matches!(request.method, Method::Get | Method::Head) {
            return Err(HttpFailure::Refused("a shadow call may only read".to_owned()));
        }
        let endpoint = self.grants.egress.endpoint(&request.endpoint)?;
        let record = Arc::clone(&self.record);
        let _outside = self.record.leave();
        // On the hub's own runtime, where no component can delay it; ended when the call is.
        let sending = endpoint.send(request, record, self.trace).in_current_span();
        AbortOnDropHandle::new(self.grants.io.spawn(sending)).await.unwrap_or_else(|ended| {
            let why = if ended.is_panic() { "the hub failed to send it" } else { "the hub is stopping" };
            Err(HttpFailure::Interrupted(why.to_owned()))
        })
    }
}
