//! The verdicts: what was sent and what came, held against what is right. Pure.

use serde_json::Value;

use super::backend::{ELSEWHERE, Exchange};
use super::fault::{Expected, Fault, Moment, RETRY_AFTER_S};
use crate::adapters::wit::types::{Details, Profile};

/// What came of a call.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// `ok`, or the name of the failure.
    pub outcome: &'static str,
    /// In words.
    pub text: String,
    /// The wait that a `retry` asks for.
    pub after_ms: Option<u64>,
    /// `false` where `check-health` says that the outside system is not well.
    pub well: bool,
    /// What happened to the component, where it gave no answer.
    pub broke: Option<String>,
}

/// Why a case fails: what the vendor should look at.
pub type Finding = Option<String>;

const BROKEN: &str = "the component itself failed; look for a panic, an exception, an endless loop or unbounded memory on \
                      this input, and at its log";

/// A call that nothing disturbs. `must_write`: what it says was done can't have been done without a write.
#[must_use]
pub fn success(heard: &Heard, exchanges: &[Exchange], must_write: bool) -> Finding {
    if let Some(finding) = broken(heard).or_else(|| malformed(exchanges)) {
        return Some(finding);
    }
    if heard.outcome != "ok" {
        let unknown = exchanges.iter().find(|one| one.status == Some(404) && one.fault.is_none());
        return Some(match unknown {
            Some(one) => format!("the outside system knows no `{}`; add a rule to the script", one.request),
            None => "nothing was disturbed: it should have answered; see what the outside system said below".to_owned(),
        });
    }
    if must_write && !exchanges.iter().any(|one| one.effect) {
        return Some("it says that this was done, and nothing at the outside system has changed".to_owned());
    }
    (!heard.well).then(|| "the outside system answered as it should, and `check-health` says it is not well".into())
}

/// A question that was put to nobody.
#[must_use]
pub fn asked(exchanges: &[Exchange]) -> Finding {
    exchanges.is_empty().then(|| {
        "it answered without a request: this is what the outside system says now, and not what the component supposes"
            .to_owned()
    })
}

/// A call of which one request was disturbed.
#[must_use]
pub fn disturbed(heard: &Heard, exchanges: &[Exchange], at: usize, fault: Fault) -> Finding {
    let moment = moment(exchanges, at);
    let expected = fault.expected(moment);
    if let Some(finding) = broken(heard).or_else(|| followed(exchanges)).or_else(|| insisted(exchanges, at)) {
        return Some(finding);
    }
    let later = exchanges.iter().skip(at + 1).any(|one| one.writes);
    if fault.blinds() && !moment.writes && later {
        return Some(format!(
            "after {} on a read it went on to write, as if the read had said that nothing was there: \
             that is how a client is created twice",
            fault.name()
        ));
    }
    if !expected.outcomes.contains(&heard.outcome) {
        return Some(expected.look_at.to_owned());
    }
    let short = heard.after_ms.is_none_or(|after| after < RETRY_AFTER_S * 1000);
    (expected.after && heard.outcome == "retry" && short).then(|| {
        format!(
            "`Retry-After: {RETRY_AFTER_S}` was lost: `retry` has to carry `after-ms` of at least {}",
            RETRY_AFTER_S * 1000
        )
    })
}

/// A write that must not happen twice, of which only a redirect came back: whoever gave it may have handed the write on.
#[must_use]
pub fn redirected(heard: &Heard, exchanges: &[Exchange], at: usize, fault: Fault) -> Finding {
    let doubtful = fault == Fault::Redirect && moment(exchanges, at).writes && heard.outcome != "unknown";
    doubtful.then(|| {
        "`describe` says `unsafe`, and a redirect is no refusal of the outside system's: only `unknown` keeps this from \
         happening twice"
            .to_owned()
    })
}

/// `check-health` while a request fails: it must not say that all is well.
#[must_use]
pub fn unhealthy(heard: &Heard, exchanges: &[Exchange], at: usize, fault: Fault) -> Finding {
    if let Some(finding) = broken(heard).or_else(|| followed(exchanges)).or_else(|| insisted(exchanges, at)) {
        return Some(finding);
    }
    (heard.outcome == "ok" && heard.well && fault != Fault::Cut)
        .then(|| format!("the outside system answered with {}, and `check-health` says that all is well", fault.name()))
}

/// The second delivery under one key.
#[must_use]
pub fn repeated(heard: &Heard, first: &[Exchange], second: &[Exchange]) -> Finding {
    if let Some(finding) = broken(heard) {
        return Some(finding);
    }
    if let Some(twice) = second.iter().find(|one| created_before(one, first)) {
        return Some(format!(
            "`{}` has taken effect twice for one key: look before creating, or send the idempotency key where the \
             outside system knows one (`key_header` in the script), or say `unsafe` in `describe`",
            twice.request
        ));
    }
    let key = |all: &[Exchange]| all.iter().find_map(|one| one.key.clone());
    if let (Some(before), Some(now)) = (key(first), key(second))
        && before != now
    {
        return Some("the idempotency key that it sends is another one for the same delivery".to_owned());
    }
    if heard.outcome != "ok" {
        return Some("the same delivery once more has to succeed: it was done, or is done now".to_owned());
    }
    None
}

/// A creation that has taken effect, and had before. PUT, PATCH and DELETE are the same done twice (RFC 9110).
fn created_before(one: &Exchange, first: &[Exchange]) -> bool {
    let creates = one.effect && one.request.starts_with("POST ");
    creates && first.iter().any(|before| before.effect && before.request == one.request)
}

/// A call about an odd client.
#[must_use]
pub fn odd(heard: &Heard, exchanges: &[Exchange], client: &Profile) -> Finding {
    if let Some(finding) = broken(heard).or_else(|| malformed(exchanges)) {
        return Some(finding);
    }
    let refused = exchanges.iter().any(|one| one.status.is_some_and(|status| (400..500).contains(&status)));
    match heard.outcome {
        "ok" => arrived(exchanges, client),
        "reject" if refused => None,
        _ => {
            Some("the data is legal: it has to be taken, or rejected where the outside system itself refuses it".into())
        }
    }
}

/// Whether the client's name has reached the outside system as it is.
fn arrived(exchanges: &[Exchange], client: &Profile) -> Finding {
    let mut texts = Vec::new();
    for exchange in exchanges {
        texts.extend(exchange.query.iter().map(|(_, value)| value.clone()));
        texts.extend(texts_of(exchange));
    }
    if texts.is_empty() {
        return None;
    }
    let has = |name: &str| texts.iter().any(|text| text.contains(name));
    let by_parts = match &client.details {
        Details::Individual(person) => has(&person.given_name) && has(&person.family_name),
        Details::Corporate(company) => has(&company.legal_name),
    };
    (!has(&client.name) && !by_parts).then(|| {
        "the name that the outside system got is not the client's: look for escaping, encoding, cutting and normalising"
            .to_owned()
    })
}

/// Every text in a body of a type that is understood here.
fn texts_of(exchange: &Exchange) -> Vec<String> {
    if exchange.media_type.starts_with("application/x-www-form-urlencoded") {
        let form = String::from_utf8_lossy(&exchange.sent);
        let decoded = reqwest::Url::parse(&format!("http://x/?{form}"));
        return decoded.map(|url| url.query_pairs().map(|(_, value)| value.into_owned()).collect()).unwrap_or_default();
    }
    let mut texts = Vec::new();
    if let Ok(value) = serde_json::from_slice(&exchange.sent) {
        gather(&value, &mut texts);
    }
    texts
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, texts)),
        Value::Object(members) => members.values().for_each(|member| gather(member, texts)),
        _ => {}
    }
}

/// When a request was disturbed.
#[must_use]
pub fn moment(exchanges: &[Exchange], at: usize) -> Moment {
    Moment {
        earlier: exchanges.iter().take(at).any(|one| one.effect),
        writes: exchanges.get(at).is_some_and(|one| one.writes),
    }
}

/// What is right, in words.
#[must_use]
pub fn in_words(expected: Expected) -> String {
    let outcomes: Vec<&str> =
        expected.outcomes.iter().map(|outcome| if *outcome == "ok" { "an answer" } else { outcome }).collect();
    let after = if expected.after { format!(" (a retry after at least {RETRY_AFTER_S} s)") } else { String::new() };
    format!("{}{after}", outcomes.join(" or "))
}

fn broken(heard: &Heard) -> Finding {
    heard.broke.as_ref().map(|fault| format!("{BROKEN} ({fault})"))
}

fn followed(exchanges: &[Exchange]) -> Finding {
    let followed = exchanges.iter().any(|one| one.request.contains(ELSEWHERE));
    followed.then(|| "it followed a redirect; whoever answers could so lead it anywhere below its endpoints".to_owned())
}

/// The request that was disturbed, sent once more in the same call.
fn insisted(exchanges: &[Exchange], at: usize) -> Finding {
    let (first, next) = (exchanges.get(at)?, exchanges.get(at + 1)?);
    let same = first.request == next.request && first.query == next.query && first.sent == next.sent;
    same.then(|| {
        "it sent the same request again by itself: the adapter says what happened, and the hub alone decides when to \
         try again"
            .to_owned()
    })
}

fn malformed(exchanges: &[Exchange]) -> Finding {
    let json = |one: &&Exchange| one.media_type.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
    let wrong = exchanges.iter().filter(json).find(|one| serde_json::from_slice::<Value>(&one.sent).is_err())?;
    Some(format!("the body of `{}` is no JSON: build it with a library, not by joining texts", wrong.request))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(request: &str, effect: bool) -> Exchange {
        Exchange {
            request: request.to_owned(),
            endpoint: "api".to_owned(),
            query: Vec::new(),
            body: String::new(),
            status: Some(200),
            fault: None,
            writes: !request.starts_with("GET"),
            effect,
            key: None,
            answered_bytes: 2,
            media_type: "application/json".to_owned(),
            sent: b"{}".to_vec(),
        }
    }

    fn heard(outcome: &'static str) -> Heard {
        Heard { outcome, well: true, ..Heard::default() }
    }

    #[test]
    fn a_write_after_a_read_that_said_nothing_is_found() {
        let exchanges = [exchange("GET /c", false), exchange("POST /c", true)];
        let finding = disturbed(&heard("unknown"), &exchanges, 0, Fault::Html);
        assert!(finding.is_some_and(|finding| finding.contains("created twice")));
    }

    #[test]
    fn a_wait_that_is_lost_is_found() {
        let exchanges = [exchange("GET /c", false)];
        let short = Heard { after_ms: Some(1000), ..heard("retry") };
        assert!(disturbed(&short, &exchanges, 0, Fault::TooMany).is_some());
        let right = Heard { after_ms: Some(7000), ..heard("retry") };
        assert_eq!(disturbed(&right, &exchanges, 0, Fault::TooMany), None);
    }

    #[test]
    fn a_redirect_of_a_write_is_doubted() {
        let (read, write) = ([exchange("GET /c", false)], [exchange("POST /c", false)]);
        assert!(redirected(&heard("unavailable"), &write, 0, Fault::Redirect).is_some());
        assert_eq!(redirected(&heard("unknown"), &write, 0, Fault::Redirect), None);
        assert_eq!(redirected(&heard("unavailable"), &read, 0, Fault::Redirect), None);
    }

    #[test]
    fn only_a_second_creation_is_a_second_effect() {
        let first = [exchange("POST /c", true)];
        assert!(repeated(&heard("ok"), &first, &[exchange("POST /c", true)]).is_some());
        assert_eq!(repeated(&heard("ok"), &first, &[exchange("POST /c", false)]), None);
        assert_eq!(repeated(&heard("ok"), &first, &[exchange("PUT /c/1", true)]), None);
    }
}
