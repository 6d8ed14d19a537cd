//! One call of the hub to the adapter, over all the requests that it takes.
//!
//! A session remembers whether it has written anything yet: after a write, no later failure may be reported as one that
//! surely had no effect.

use core::cell::Cell;

use crate::answer::Answer;
use crate::call::Call;
use crate::disposition::{Effect, of_failure};
use crate::http::Method;
use crate::hub::Hub;
use crate::settings::Settings;
use crate::types::Disposition;

/// The requests of one call.
pub struct Session<'h> {
    hub: &'h dyn Hub,
    written: Cell<bool>,
}

impl<'h> Session<'h> {
    /// A session that has written nothing.
    #[must_use]
    pub fn new(hub: &'h dyn Hub) -> Self {
        Self { hub, written: Cell::new(false) }
    }

    /// Sends a request and waits for its answer, whatever its status.
    ///
    /// # Errors
    /// What follows from there being no answer.
    pub fn send(&self, call: Call) -> Result<Answer, Disposition> {
        let Call { request, writes, unrepeatable } = call;
        let effect = Effect { earlier: self.written.get(), this: writes, unrepeatable };
        let what = format!("{} {}", name(request.method), request.path);
        match self.hub.send(&request) {
            Ok(response) => {
                let answer = Answer { response, effect, what };
                self.written.set(effect.earlier || (writes && answer.is_success()));
                Ok(answer)
            }
            Err(failure) => Err(of_failure(failure, effect, &what)),
        }
    }

    /// The adapter's settings.
    #[must_use]
    pub fn settings(&self) -> Settings<'h> {
        Settings::new(self.hub)
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &'h dyn Hub {
        self.hub
    }
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::disposition::Refusal;
    use crate::http::HttpFailure;
    use crate::testing::Script;

    fn get() -> Call {
        Call::get("api", "/x".to_owned())
    }

    fn post() -> Call {
        Call::post("api", "/x".to_owned())
    }

    #[test]
    fn a_failure_after_a_write_is_unknown() {
        let script = Script::new().answer(200, json!({})).fail(HttpFailure::TimedOut);
        let session = Session::new(&script);
        assert!(session.send(post()).is_ok());
        assert!(matches!(session.send(get()), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn a_refused_write_leaves_no_trace() {
        let script = Script::new().answer(409, json!({})).fail(HttpFailure::TimedOut);
        let session = Session::new(&script);
        assert!(session.send(post()).is_ok());
        assert!(matches!(session.send(get()), Err(Disposition::Retry(_))));
    }

    #[test]
    fn nonsense_is_judged_by_what_was_asked() {
        let script = Script::new().answer_text(200, "<html>").answer_text(200, "<html>");
        let session = Session::new(&script);
        let read = session.send(get()).and_then(|answer| answer.json::<Vec<u8>>());
        assert!(matches!(read, Err(Disposition::Retry(_))));
        let write = session.send(post()).and_then(|answer| answer.json::<Vec<u8>>());
        assert!(matches!(write, Err(Disposition::Unknown(_))));
    }

    #[test]
    fn retry_after_is_read_against_the_answers_own_date() {
        let headers = [("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT")];
        let script = Script::new().answer_with(429, &headers, json!({}));
        let outcome = Session::new(&script).send(post()).and_then(|answer| answer.success(|_| Refusal::default()));
        assert!(matches!(outcome, Err(Disposition::Retry(retry)) if retry.after_ms == Some(1000)));
    }
}
