//! Which channel a message takes.

use adapter_kit::types::{Disposition, Health, Receipt, Reject};
use adapter_kit::{Session, unavailable};

use crate::mail::{self, Mail};
use crate::sms::{self, Sms};
use crate::{Channel, Message};

pub const SETTINGS: [&str; 6] =
    ["mail-from", "mail-from-name", "mail-templates", "sms-account-sid", "sms-from", "sms-templates"];

/// Asks each channel that is in use one cheap question.
pub fn check_health(session: &Session<'_>) -> Result<Health, Disposition> {
    let (mail, sms) = (Mail::read(session.settings())?, Sms::read(session.settings())?);
    if mail.is_none() && sms.is_none() {
        return Err(nothing_in_use());
    }
    if mail.is_some() {
        mail::check_health(session)?;
    }
    if let Some(sms) = sms {
        sms::check_health(session, &sms)?;
    }
    Ok(Health { ok: true, detail: None })
}

/// Sends the message over the preferred channel, or else over the other.
pub fn send(session: &Session<'_>, message: &Message, key: &str) -> Result<Receipt, Disposition> {
    let order = match message.prefer {
        Channel::Email => [Channel::Email, Channel::Sms],
        Channel::Sms => [Channel::Sms, Channel::Email],
    };
    for channel in order {
        match (channel, &message.to.email, &message.to.phone) {
            (Channel::Email, Some(email), _) => {
                if let Some(mail) = Mail::read(session.settings())? {
                    return mail::send(session, &mail, (message, email), key);
                }
            }
            (Channel::Sms, _, Some(phone)) => {
                if let Some(sms) = Sms::read(session.settings())? {
                    return sms::send(session, &sms, (message, phone));
                }
            }
            _ => {}
        }
    }
    Err(no_way(message))
}

fn no_way(message: &Message) -> Disposition {
    if message.to.email.is_none() && message.to.phone.is_none() {
        let why = "the recipient has neither an e-mail address nor a phone number".to_owned();
        return Disposition::Reject(Reject { why, field: Some("/to".to_owned()) });
    }
    nothing_in_use()
}

fn nothing_in_use() -> Disposition {
    unavailable(
        "no channel to the recipient is in use; set `mail-from` for e-mail, `sms-account-sid` and `sms-from` for texts",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use adapter_kit::testing::Script;
    use serde_json::json;

    use super::*;
    use crate::{Recipient, Template, Value, Variable};

    pub(crate) fn message(prefer: Channel, email: Option<&str>, phone: Option<&str>) -> Message {
        let to =
            Recipient { name: "Jane Doe".into(), email: email.map(str::to_owned), phone: phone.map(str::to_owned) };
        let variables = vec![Variable { name: "device".into(), value: Value::DeviceType("card-reader".into()) }];
        Message { template: Template::DeviceLocked, language: "de-AT".into(), prefer, to, variables }
    }

    fn both() -> Script {
        Script::new()
            .setting("mail-from", "bank@x.example")
            .setting("sms-account-sid", "AC1")
            .setting("sms-from", "+15005550006")
            .answer_with(202, &[("X-Message-Id", "m-1")], json!({"sid": "SM1"}))
    }

    fn route(script: &Script, message: &Message) -> String {
        send(&Session::new(script), message, "k").unwrap();
        script.lines().remove(0)
    }

    const MAIL: &str = "POST mail /v3/mail/send";
    const SMS: &str = "POST sms /2010-04-01/Accounts/AC1/Messages.json";

    #[test]
    fn the_preferred_channel_is_taken_where_the_recipient_has_it() {
        let (email, phone) = (Some("jane@x.example"), Some("+447900000000"));
        assert_eq!(route(&both(), &message(Channel::Email, email, phone)), MAIL);
        assert_eq!(route(&both(), &message(Channel::Sms, email, phone)), SMS);
        assert_eq!(route(&both(), &message(Channel::Sms, email, None)), MAIL);
        assert_eq!(route(&both(), &message(Channel::Email, None, phone)), SMS);
    }

    #[test]
    fn a_channel_that_is_not_in_use_is_passed_over() {
        let mail_only = Script::new().setting("mail-from", "bank@x.example").answer_with(
            202,
            &[("X-Message-Id", "m-1")],
            json!(null),
        );
        assert_eq!(route(&mail_only, &message(Channel::Sms, Some("jane@x.example"), Some("+447900000000"))), MAIL);
    }

    #[test]
    fn nobody_to_write_to_is_rejected_and_nothing_to_write_with_is_not_their_fault() {
        let session = |script: &Script, message: &Message| send(&Session::new(script), message, "k");
        let nobody = session(&both(), &message(Channel::Email, None, None));
        assert!(matches!(nobody, Err(Disposition::Reject(_))));
        let nothing = session(&Script::new(), &message(Channel::Email, Some("jane@x.example"), None));
        assert!(matches!(nothing, Err(Disposition::Unavailable(why)) if why.contains("mail-from")));
    }

    #[test]
    fn every_channel_in_use_is_asked_for_its_health() {
        let script = both().answer(200, json!({}));
        assert!(check_health(&Session::new(&script)).is_ok());
        assert_eq!(script.lines(), ["GET mail /v3/scopes", "GET sms /2010-04-01/Accounts/AC1.json"]);
        assert!(check_health(&Session::new(&Script::new())).is_err());
    }
}
