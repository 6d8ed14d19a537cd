//! E-mail, through SendGrid's v3 mail API.

use adapter_kit::types::{Disposition, Receipt};
use adapter_kit::{Answer, Call, Refusal, Session, Settings, below, unavailable};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Message;
use crate::template::{self, Ids};

/// The channel's settings.
pub struct Mail {
    from: String,
    from_name: Option<String>,
    templates: Ids,
}

impl Mail {
    /// Reads the settings; nothing where the channel is not in use.
    ///
    /// # Errors
    /// `unavailable` where one is malformed.
    pub fn read(settings: Settings<'_>) -> Result<Option<Self>, Disposition> {
        let Some(from) = settings.get("mail-from") else { return Ok(None) };
        let templates = template::ids(settings, "mail-templates")?;
        Ok(Some(Self { from, from_name: settings.get("mail-from-name"), templates }))
    }
}

const ACCEPTED: u16 = 202;

/// One cheap question that needs a working credential.
pub fn check_health(session: &Session<'_>) -> Result<(), Disposition> {
    success(session.send(Call::get("mail", below(&["v3", "scopes"])?))?)?.read()
}

/// Sends a message to an address. An accepted message without an id goes by the delivery's key, which it carries.
pub fn send(
    session: &Session<'_>,
    mail: &Mail,
    (message, email): (&Message, &str),
    key: &str,
) -> Result<Receipt, Disposition> {
    let path = below(&["v3", "mail", "send"])?;
    let call = Call::post("mail", path).unrepeatable().json(&body(mail, (message, email), key));
    let answer = success(session.send(call)?)?;
    if answer.status() != ACCEPTED {
        return Err(answer.nonsense("SendGrid says 202 of what it has accepted"));
    }
    let id = answer.header("x-message-id").filter(|id| !id.is_empty()).unwrap_or(key);
    Ok(Receipt { external_id: id.to_owned(), note: Some("email".to_owned()) })
}

fn body(mail: &Mail, (message, email): (&Message, &str), key: &str) -> Value {
    let name = template::name(message.template);
    let mut to = json!({"to": [{"email": email, "name": message.to.name}], "custom_args": {"delivery_key": key}});
    let mut body = json!({"from": {"email": mail.from, "name": mail.from_name}, "categories": [name]});
    let (to_fields, fields) = (to.as_object_mut(), body.as_object_mut());
    if let (Some(to_fields), Some(fields)) = (to_fields, fields) {
        match template::id(&mail.templates, message) {
            Some(id) => {
                to_fields.insert("dynamic_template_data".to_owned(), template::data(message));
                fields.insert("template_id".to_owned(), json!(id));
            }
            None => {
                let content = json!([{"type": "text/plain", "value": template::text(message)}]);
                fields.insert("subject".to_owned(), json!(template::subject(message.template)));
                fields.insert("content".to_owned(), content);
            }
        }
        if mail.from_name.is_none() {
            fields.insert("from".to_owned(), json!({"email": mail.from}));
        }
        fields.insert("personalizations".to_owned(), json!([to]));
    }
    body
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    errors: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    field: Option<String>,
}

/// The answer where it is a success. A mistake in what the settings say is no client's fault.
fn success(answer: Answer) -> Result<Answer, Disposition> {
    if answer.is_success() {
        return Ok(answer);
    }
    let problem = answer.try_json::<Problem>().unwrap_or_default();
    let field = problem.errors.into_iter().find_map(|mistake| mistake.field).unwrap_or_default();
    if answer.status() == 400 && (field.starts_with("from") || field.starts_with("template_id")) {
        let status = answer.status();
        return Err(unavailable(format!(
            "{} answered {status} {field}; check the settings `mail-from` and `mail-templates`",
            answer.what()
        )));
    }
    let pointer = match field.as_str() {
        to if to.contains(".to.") && to.ends_with("email") => Some("/to/email"),
        to if to.contains(".to.") && to.ends_with("name") => Some("/to/name"),
        _ => None,
    };
    Err(answer.disposition(Refusal::coded(&field, pointer)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::http::HttpFailure;
    use adapter_kit::testing::Script;

    use super::*;
    use crate::Channel;
    use crate::route::tests::message;

    fn script() -> Script {
        Script::new().setting("mail-from", "bank@x.example")
    }

    fn sent_by(script: &Script) -> Result<Receipt, Disposition> {
        let session = Session::new(script);
        let mail = Mail::read(session.settings())?.unwrap();
        send(&session, &mail, (&message(Channel::Email, None, None), "jane@x.example"), "key-1")
    }

    fn mistake(field: &str) -> Value {
        json!({"errors": [{"message": "Does not contain a valid address: jane@", "field": field, "help": null}]})
    }

    #[test]
    fn what_is_no_acceptance_is_no_receipt() {
        assert!(matches!(sent_by(&script().answer_text(200, "<html>")), Err(Disposition::Unknown(_))));
        assert!(matches!(sent_by(&script().answer(200, json!({"unexpected": null}))), Err(Disposition::Unknown(_))));
    }

    #[test]
    fn without_a_template_the_text_is_our_own() {
        let script = script().answer_with(202, &[("X-Message-Id", "m-1")], Value::Null);
        assert_eq!(sent_by(&script).unwrap().external_id, "m-1");
        let expected = json!({
            "from": {"email": "bank@x.example"}, "categories": ["device-locked"], "subject": "A device of yours was locked",
            "content": [{"type": "text/plain", "value": template::text(&message(Channel::Email, None, None))}],
            "personalizations": [{"to": [{"email": "jane@x.example", "name": "Jane Doe"}], "custom_args": {"delivery_key": "key-1"}}],
        });
        assert_eq!(script.sent(0), expected);
    }

    #[test]
    fn a_template_is_filled_with_the_variables() {
        let script = script()
            .setting("mail-from-name", "The Bank")
            .setting("mail-templates", r#"{"device-locked": "d-42"}"#)
            .answer(202, Value::Null);
        assert_eq!(sent_by(&script).unwrap().external_id, "key-1");
        let body = script.sent(0);
        assert_eq!((&body["template_id"], &body["from"]["name"]), (&json!("d-42"), &json!("The Bank")));
        assert_eq!(body["personalizations"][0]["dynamic_template_data"]["device"], json!("card-reader"));
        assert!(body.get("subject").is_none() && body.get("content").is_none());
    }

    #[test]
    fn a_wrong_address_is_rejected_without_repeating_it() {
        let script = script().answer(400, mistake("personalizations.0.to.0.email"));
        let Err(Disposition::Reject(reject)) = sent_by(&script) else { panic!("not rejected") };
        assert_eq!(reject.field.as_deref(), Some("/to/email"));
        assert!(!reject.why.contains("jane"));
    }

    #[test]
    fn a_wrong_setting_holds_all_messages_and_rejects_none() {
        for field in ["from.email", "template_id"] {
            assert!(matches!(sent_by(&script().answer(400, mistake(field))), Err(Disposition::Unavailable(_))));
        }
        let malformed = script().setting("mail-templates", "d-42");
        assert!(matches!(sent_by(&malformed), Err(Disposition::Unavailable(why)) if why.contains("mail-templates")));
    }

    #[test]
    fn what_may_have_been_sent_is_unknown() {
        assert!(matches!(sent_by(&script().fail(HttpFailure::TimedOut)), Err(Disposition::Unknown(_))));
        for status in [302, 408, 500, 502, 503, 504] {
            assert!(matches!(sent_by(&script().answer(status, json!({}))), Err(Disposition::Unknown(_))), "{status}");
        }
        let limited = script().answer_with(429, &[("Retry-After", "2")], json!({}));
        assert!(matches!(sent_by(&limited), Err(Disposition::Retry(retry)) if retry.after_ms == Some(2000)));
    }
}
