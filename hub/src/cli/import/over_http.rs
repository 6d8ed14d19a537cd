//! Clients through the API of a running hub, one request a line, as the member whom the operator names.
//!
//! The hub remembers an `Idempotency-Key` for a day: within it a line that an earlier run has taken is recognised, later
//! it is refused as a duplicate. The hub's rate limits hold here too; an import waits as long as it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use parking_lot::Mutex;
use reqwest::Response;
use serde_json::{Value, json};

use super::ImportArgs;
use super::sink::{Created, Sink, SinkError};
use crate::cli::hub_access::{RunningHub, problem};
use crate::domain::validate::Draft;

/// The role that may create clients and assign them.
const ADMINISTRATOR: &str = "RP001";
/// Where clients are created (CL003).
pub const ROUTE: &str = "/clients/profile";
/// A token is made again after so many seconds.
const TOKEN_SECONDS: u64 = 5 * 60;
/// Answers that say "later" to one line, before the import stops.
const MOST_TRIES: u32 = 60;
/// From so many on the operator is told.
const SAID_AT: u32 = 3;
/// The longest wait between two of them, in seconds.
const LONGEST_WAIT_SECONDS: u64 = 30;

/// A running hub.
pub struct OverHttp {
    hub: RunningHub,
    org: String,
    member: String,
    token: Mutex<Option<(Instant, String)>>,
    /// Whether the operator knows that the import waits.
    waits: AtomicBool,
}

/// What one answer says.
enum Answer {
    Created(Created),
    Failed(SinkError),
    /// Try again after this time.
    Later(Duration, String),
}

impl OverHttp {
    /// Whatever is created is done by the member whom the operator names.
    pub fn new(args: &ImportArgs, hub: RunningHub) -> Self {
        Self {
            hub,
            org: args.org.clone(),
            member: args.member.clone(),
            token: Mutex::new(None),
            waits: AtomicBool::new(false),
        }
    }

    fn token(&self) -> Result<String, String> {
        let mut kept = self.token.lock();
        if let Some((since, token)) = kept.as_ref()
            && since.elapsed().as_secs() < TOKEN_SECONDS
        {
            return Ok(token.clone());
        }
        let token = self.hub.token(&self.org, &self.member, ADMINISTRATOR)?;
        *kept = Some((Instant::now(), token.clone()));
        Ok(token)
    }

    async fn ask(&self, body: &Value, key: &str) -> Answer {
        let token = match self.token() {
            Ok(token) => token,
            Err(reason) => return Answer::Failed(SinkError::Stopped(reason)),
        };
        let request = self.hub.post(ROUTE).bearer_auth(token).header("Idempotency-Key", key).json(body);
        match request.send().await {
            Ok(answer) => read(answer).await,
            // The request may have arrived: it is repeated with its key.
            Err(error) => Answer::Later(Duration::from_secs(1), self.hub.silent(&error)),
        }
    }
}

impl Sink for OverHttp {
    async fn create(&self, draft: Draft, line: u64, claim: String) -> Result<Created, SinkError> {
        let key = key_of(&claim);
        let body = body(&draft).map_err(|error| SinkError::Refused(error.to_string()))?;
        let mut last = String::new();
        for tries in 1..=MOST_TRIES {
            match self.ask(&body, &key).await {
                Answer::Created(created) => {
                    self.waits.store(false, Ordering::Relaxed);
                    return Ok(created);
                }
                Answer::Failed(error) => return Err(error),
                Answer::Later(wait, reason) => {
                    if tries >= SAID_AT && !self.waits.swap(true, Ordering::Relaxed) {
                        tracing::warn!(line, reason, "the hub takes no clients now: the import waits and tries again");
                    }
                    last = reason;
                    tokio::time::sleep(wait).await;
                }
            }
        }
        Err(SinkError::Stopped(last))
    }
}

/// `import-` and the line's digest, which is all of the claim that a key needs: keys are each member's own.
pub fn key_of(claim: &str) -> String {
    let digest = claim.rsplit('/').next().unwrap_or(claim);
    format!("import-{digest}")
}

/// What is sent for a line.
///
/// # Errors
/// Only where a profile can't be written as JSON, which none is.
pub fn body(draft: &Draft) -> serde_json::Result<Value> {
    let mut body = serde_json::to_value(&draft.profile)?;
    if let (Some(members), Some(external)) = (body.as_object_mut(), &draft.external_reference) {
        members.insert("externalReference".to_owned(), json!(external));
    }
    Ok(body)
}

async fn read(answer: Response) -> Answer {
    let status = answer.status();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match status {
        StatusCode::CREATED if header("idempotency-replayed").is_some() => Answer::Created(Created::AlreadyThere),
        StatusCode::CREATED => {
            let location = header(LOCATION.as_str()).unwrap_or_default();
            Answer::Created(Created::New(location.rsplit('/').next().unwrap_or_default().to_owned()))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
            Answer::Later(Duration::from_secs(u64::clamp(seconds, 1, LONGEST_WAIT_SECONDS)), problem(answer).await)
        }
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
            let reason = problem(answer).await;
            if reason.starts_with("request-in-progress") {
                return Answer::Later(Duration::from_secs(1), reason);
            }
            Answer::Failed(SinkError::Refused(reason))
        }
        _ => Answer::Failed(SinkError::Stopped(problem(answer).await)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::validate::{Mode, Tree, draft};

    #[test]
    fn what_is_sent_reads_as_the_same_client() {
        let json = json!({"kind": "individual", "individual": {"givenName": "Ines", "familyName": "Duarte",
            "dateOfBirth": "1984-02-29", "nationality": "PT", "nationalId": "1"}, "assignedTo": ["m-1"],
            "externalReference": "PF-1", "address": {"city": "Porto", "country": "PT"}});
        let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let sent = draft(&Tree::from(&json), today, Mode::Create).unwrap();
        assert_eq!(draft(&Tree::from(&body(&sent).unwrap()), today, Mode::Create).unwrap(), sent);
    }

    #[test]
    fn a_key_is_the_lines_digest() {
        assert_eq!(key_of("import/demo/0a1b"), "import-0a1b");
    }
}
