//! Text messages, through Twilio's messages API.

use adapter_kit::types::{Disposition, Receipt};
use adapter_kit::{Answer, Call, Refusal, Session, Settings, below, unavailable};
use serde::Deserialize;

use crate::Message;
use crate::template::{self, Ids};

const VERSION: &str = "2010-04-01";

const REFUSED: u16 = 400;

/// Messaging services have ids of this form; they are named by a field of their own.
const SERVICE: &str = "MG";

/// Codes that say that the sender or the content is wrong, which are settings, not the recipient.
const OF_SETTINGS: [u32; 8] = [21212, 21603, 21606, 21659, 21660, 21703, 21705, 21656];

/// Codes that say that this recipient can't be reached: not a number, not a mobile, not allowed, opted out.
const OF_RECIPIENT: [u32; 7] = [21211, 21214, 21217, 21408, 21610, 21612, 21614];

/// The channel's settings.
pub struct Sms {
    account: String,
    from: String,
    templates: Ids,
}

impl Sms {
    /// Reads the settings; nothing where the channel is not in use.
    ///
    /// # Errors
    /// `unavailable` where one is malformed.
    pub fn read(settings: Settings<'_>) -> Result<Option<Self>, Disposition> {
        let (Some(account), Some(from)) = (settings.get("sms-account-sid"), settings.get("sms-from")) else {
            return Ok(None);
        };
        Ok(Some(Self { account, from, templates: template::ids(settings, "sms-templates")? }))
    }
}

#[derive(Deserialize)]
struct Queued {
    sid: String,
}

/// One cheap question that needs a working credential.
pub fn check_health(session: &Session<'_>, sms: &Sms) -> Result<(), Disposition> {
    let path = below(&[VERSION, "Accounts", &format!("{}.json", sms.account)])?;
    success(session.send(Call::get("sms", path))?)?.read()
}

/// Sends a message to a number.
pub fn send(session: &Session<'_>, sms: &Sms, (message, phone): (&Message, &str)) -> Result<Receipt, Disposition> {
    let path = below(&[VERSION, "Accounts", &sms.account, "Messages.json"])?;
    let sender = if sms.from.starts_with(SERVICE) { "MessagingServiceSid" } else { "From" };
    let (data, text) = (variables(message), template::text(message));
    let mut form = vec![("To", phone), (sender, sms.from.as_str())];
    match template::id(&sms.templates, message) {
        Some(id) => form.extend([("ContentSid", id), ("ContentVariables", data.as_str())]),
        None => form.push(("Body", text.as_str())),
    }
    let queued: Queued = success(session.send(Call::post("sms", path).unrepeatable().form(&form))?)?.json()?;
    Ok(Receipt { external_id: queued.sid, note: Some("sms".to_owned()) })
}

/// Twilio takes texts only.
fn variables(message: &Message) -> String {
    let data = template::data(message);
    let texts = data.as_object().into_iter().flatten().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), serde_json::Value::String(text))
    });
    serde_json::Value::Object(texts.collect()).to_string()
}

#[derive(Deserialize)]
struct Problem {
    code: u32,
}

/// The answer where it is a success. Twilio's messages quote the number, so only the code is passed on.
fn success(answer: Answer) -> Result<Answer, Disposition> {
    if answer.is_success() {
        return Ok(answer);
    }
    let Some(Problem { code }) = answer.try_json::<Problem>() else {
        return Err(answer.disposition(Refusal::default()));
    };
    // Any other status but a refusal may have had an effect, whatever code it carries.
    if OF_SETTINGS.contains(&code) && answer.status() == REFUSED {
        return Err(unavailable(format!(
            "{} answered {code}; check the settings `sms-from` and `sms-templates`",
            answer.what()
        )));
    }
    let field = OF_RECIPIENT.contains(&code).then_some("/to/phone");
    Err(answer.disposition(Refusal::coded(&code.to_string(), field)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;
    use serde_json::{Value, json};

    use super::*;
    use crate::route::tests::message;
    use crate::{Channel, Variable};

    fn script() -> Script {
        Script::new().setting("sms-account-sid", "AC1").setting("sms-from", "+15005550006")
    }

    fn sent_by(script: &Script) -> Result<Receipt, Disposition> {
        let session = Session::new(script);
        let sms = Sms::read(session.settings())?.unwrap();
        send(&session, &sms, (&message(Channel::Sms, None, None), "+447900000000"))
    }

    fn problem(code: u32) -> Value {
        json!({"code": code, "message": "Invalid 'To' Phone Number: +447900000000", "status": 400})
    }

    #[test]
    fn a_text_is_a_form() {
        let script = script().answer(201, json!({"sid": "SM1", "status": "queued"}));
        assert_eq!(sent_by(&script).unwrap().external_id, "SM1");
        let form = script.text_sent(0).unwrap();
        assert!(
            form.starts_with("To=%2B447900000000&From=%2B15005550006&Body=A%20device%20of%20yours%20was%20locked.")
        );
        assert_eq!(script.header_sent(0, "content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    }

    #[test]
    fn services_and_contents_have_fields_of_their_own() {
        let script = script()
            .setting("sms-from", "MG7")
            .setting("sms-templates", r#"{"device-locked": "HX9"}"#)
            .answer(201, json!({"sid": "SM1"}));
        assert!(sent_by(&script).is_ok());
        let form = script.text_sent(0).unwrap();
        assert!(
            form.contains("MessagingServiceSid=MG7&ContentSid=HX9&ContentVariables=%7B") && !form.contains("Body=")
        );
    }

    #[test]
    fn content_variables_are_texts() {
        let number = Variable { name: "count".into(), value: crate::Value::Number(3) };
        let message = Message { variables: vec![number], ..message(Channel::Sms, None, None) };
        assert!(variables(&message).contains(r#""count":"3""#));
    }

    #[test]
    fn a_number_that_is_none_is_rejected_without_repeating_it() {
        let Err(Disposition::Reject(reject)) = sent_by(&script().answer(400, problem(21211))) else {
            panic!("not rejected")
        };
        assert_eq!(reject.field.as_deref(), Some("/to/phone"));
        assert_eq!(reject.why, "POST /2010-04-01/Accounts/AC1/Messages.json answered 400 21211");
    }

    #[test]
    fn a_wrong_sender_is_no_clients_fault() {
        assert!(matches!(sent_by(&script().answer(400, problem(21606))), Err(Disposition::Unavailable(_))));
        assert!(matches!(sent_by(&script().answer(401, problem(20003))), Err(Disposition::Unauthorized(_))));
    }

    #[test]
    fn what_may_have_been_sent_is_unknown() {
        for status in [302, 408, 500, 502, 503, 504] {
            let outcome = sent_by(&script().answer(status, problem(21606)));
            assert!(matches!(outcome, Err(Disposition::Unknown(_))), "{status}");
        }
        let limited = script().answer_with(503, &[("Retry-After", "2")], json!({}));
        assert!(matches!(sent_by(&limited), Err(Disposition::Retry(_))));
    }

    #[test]
    fn an_answer_without_an_id_is_unknown() {
        assert!(matches!(sent_by(&script().answer(201, json!({}))), Err(Disposition::Unknown(_))));
    }
}
