//! What a message says: ids of templates kept outside, or the adapter's own short text. Pure.
//!
//! Texts are made of typed variables only; free text that a client wrote never gets here.

use std::collections::BTreeMap;

use adapter_kit::Settings;
use adapter_kit::types::Disposition;
use serde_json::{Map, json};

use crate::{Message, Template, Value};

/// Ids of templates, by template or by template and language.
pub type Ids = BTreeMap<String, String>;

/// Reads a table of ids.
///
/// # Errors
/// `unavailable` where the setting is malformed.
pub fn ids(settings: Settings<'_>, setting: &str) -> Result<Ids, Disposition> {
    Ok(settings.json(setting, "a table of template ids, for example { welcome = \"d-…\" }")?.unwrap_or_default())
}

/// The id for a message: of its language, of its language without region, or of any language.
pub fn id<'i>(ids: &'i Ids, message: &Message) -> Option<&'i str> {
    let (name, language) = (name(message.template), message.language.to_lowercase());
    let primary = language.split('-').next().unwrap_or_default();
    let candidates = [format!("{name}.{language}"), format!("{name}.{primary}"), name.to_owned()];
    candidates.iter().find_map(|candidate| ids.get(candidate)).map(String::as_str)
}

/// The name of a template, as the contract has it.
pub fn name(template: Template) -> &'static str {
    match template {
        Template::Welcome => "welcome",
        Template::ProfileUpdated => "profile-updated",
        Template::Deactivated => "deactivated",
        Template::DeviceLocked => "device-locked",
        Template::DeviceUnlocked => "device-unlocked",
        Template::DeviceActivated => "device-activated",
        Template::DeviceDeactivated => "device-deactivated",
        Template::DeviceTransferred => "device-transferred",
        Template::PinReset => "pin-reset",
    }
}

/// The subject of the adapter's own text, which is all that a text message says.
pub fn subject(template: Template) -> &'static str {
    match template {
        Template::Welcome => "Welcome: your account is ready",
        Template::ProfileUpdated => "Your details were changed",
        Template::Deactivated => "Your account was closed",
        Template::DeviceLocked => "A device of yours was locked",
        Template::DeviceUnlocked => "A device of yours was unlocked",
        Template::DeviceActivated => "A device of yours was activated",
        Template::DeviceDeactivated => "A device of yours was deactivated",
        Template::DeviceTransferred => "A device was moved to or from your account",
        Template::PinReset => "A new PIN is on its way to you",
    }
}

/// The adapter's own text, with the variables that tell the reader what it is about.
pub fn text(message: &Message) -> String {
    let about = message.variables.iter().filter_map(|variable| match &variable.value {
        Value::Reference(reference) => Some(format!("Reference: {reference}")),
        Value::DeviceType(kind) => Some(format!("Device: {kind}")),
        Value::Moment(moment) => Some(format!("Time: {moment}")),
        Value::Name(_) | Value::Number(_) => None,
    });
    let end = "If you did not expect this, please contact us.".to_owned();
    let lines = std::iter::once(format!("{}.", subject(message.template))).chain(about).chain([end]);
    lines.collect::<Vec<_>>().join("\n")
}

/// The data that a template outside is filled with.
pub fn data(message: &Message) -> serde_json::Value {
    let mut data = Map::new();
    for (name, value) in
        [("name", message.to.name.as_str()), ("language", &message.language), ("template", name(message.template))]
    {
        data.insert(name.to_owned(), json!(value));
    }
    for variable in &message.variables {
        let value = match &variable.value {
            Value::Name(text) | Value::Reference(text) | Value::Moment(text) | Value::DeviceType(text) => json!(text),
            Value::Number(number) => json!(number),
        };
        data.insert(variable.name.clone(), value);
    }
    data.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Channel;
    use crate::route::tests::message;

    fn table(entries: &[(&str, &str)]) -> Ids {
        entries.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect()
    }

    #[test]
    fn the_nearest_language_wins() {
        let message = message(Channel::Email, None, None);
        let all =
            [("device-locked", "any"), ("device-locked.de", "de"), ("device-locked.de-at", "at"), ("welcome", "w")];
        assert_eq!(id(&table(&all), &message), Some("at"));
        assert_eq!(id(&table(&all[..2]), &message), Some("de"));
        assert_eq!(id(&table(&all[..1]), &message), Some("any"));
        assert_eq!(id(&table(&all[3..]), &message), None);
    }

    #[test]
    fn a_text_says_what_it_is_about() {
        let expected =
            "A device of yours was locked.\nDevice: card-reader\nIf you did not expect this, please contact us.";
        assert_eq!(text(&message(Channel::Email, None, None)), expected);
    }

    #[test]
    fn data_go_by_the_variables_names() {
        let expected =
            json!({"name": "Jane Doe", "language": "de-AT", "template": "device-locked", "device": "card-reader"});
        assert_eq!(data(&message(Channel::Email, None, None)), expected);
    }
}
