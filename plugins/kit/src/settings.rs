//! Settings with their types. A malformed value is never replaced by a default: it is named, with what was expected.

use core::fmt::Display;
use core::str::FromStr;

use serde::de::DeserializeOwned;

use crate::disposition::unavailable;
use crate::hub::Hub;
use crate::types::Disposition;

/// The settings of the adapter.
#[derive(Clone, Copy)]
pub struct Settings<'h> {
    hub: &'h dyn Hub,
}

impl<'h> Settings<'h> {
    pub(crate) fn new(hub: &'h dyn Hub) -> Self {
        Self { hub }
    }

    /// A text; nothing where it is not set or blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.hub.setting(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A text with a default.
    #[must_use]
    pub fn text(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or_else(|| default.to_owned())
    }

    /// A text that has to be set.
    ///
    /// # Errors
    /// `unavailable`, naming the setting and what it is for.
    pub fn required(&self, name: &str, what: &str) -> Result<String, Disposition> {
        self.get(name).ok_or_else(|| unavailable(format!("the setting `{name}` is missing; expected {what}")))
    }

    /// A number, or anything that is read from text, within bounds.
    ///
    /// # Errors
    /// `unavailable`, naming the setting and its bounds.
    pub fn number<T>(&self, name: &str, bounds: core::ops::RangeInclusive<T>) -> Result<Option<T>, Disposition>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            unavailable(format!("the setting `{name}` is malformed; expected a number from {least} to {most}"))
        })
    }

    /// A value of JSON, for example a list or a table.
    ///
    /// # Errors
    /// `unavailable`, naming the setting and what was expected.
    pub fn json<T: DeserializeOwned>(&self, name: &str, expected: &str) -> Result<Option<T>, Disposition> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let value = serde_json::from_str(&text).ok();
        value.map(Some).ok_or_else(|| unavailable(format!("the setting `{name}` is malformed; expected {expected}")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::testing::Script;

    #[test]
    fn what_is_malformed_is_named_and_not_defaulted() {
        let script = Script::new().setting("threshold", "high").setting("list", "[1");
        let settings = Session::new(&script).settings();
        let number = settings.number("threshold", 0.0..=1.0);
        assert!(
            matches!(number, Err(Disposition::Unavailable(why)) if why.contains("threshold") && why.contains("0 to 1"))
        );
        assert!(matches!(settings.json::<Vec<String>>("list", "a list"), Err(Disposition::Unavailable(_))));
    }

    #[test]
    fn what_is_absent_is_nothing() {
        let script = Script::new().setting("blank", "  ");
        let settings = Session::new(&script).settings();
        assert_eq!(settings.number::<u32>("threshold", 0..=1).unwrap(), None);
        assert_eq!(settings.text("blank", "default"), "default");
        assert!(matches!(settings.required("blank", "a name"), Err(Disposition::Unavailable(_))));
    }

    #[test]
    fn numbers_out_of_bounds_are_malformed() {
        let script = Script::new().setting("days", "0");
        assert!(Session::new(&script).settings().number("days", 1..=10).is_err());
    }
}
