//! Reading a command's body as Fineract does: every mistake is collected, parameters that it does not know are refused,
//! and a date means nothing without its `dateFormat` and `locale`.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::call::Call;

use super::errors::{ParameterError, Refusal};

/// A body under validation.
pub(super) struct Body {
    fields: Map<String, Value>,
    errors: Vec<ParameterError>,
}

impl Body {
    /// The body of a call; an empty one is an empty object.
    pub fn read(call: &Call) -> Result<Self, Refusal> {
        let fields = match call.body.is_empty() {
            true => Map::new(),
            false => call.object().ok_or_else(Refusal::invalid_json)?,
        };
        Ok(Body { fields, errors: Vec::new() })
    }

    /// Whether the parameter is there at all, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The value as it came.
    pub fn raw(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Notes a mistake.
    pub fn fail(&mut self, error: ParameterError) {
        self.errors.push(error);
    }

    /// Refuses what is not among the supported parameters.
    pub fn only(&mut self, supported: &[&str]) {
        let unsupported: Vec<ParameterError> = self
            .fields
            .keys()
            .filter(|name| !supported.contains(&name.as_str()))
            .map(|name| {
                let message = format!("The parameter {name} is not supported.");
                ParameterError::new("error.msg.parameter.unsupported", message, name)
            })
            .collect();
        self.errors.extend(unsupported);
    }

    /// Text, trimmed; a blank one counts as missing. Notes what is longer than `longest` characters.
    pub fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        let text = match self.raw(name)? {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        if text.chars().count() > longest {
            let code = format!("validation.msg.client.{name}.exceeds.max.length");
            let message = format!("The parameter `{name}` exceeds max length of {longest}.");
            self.fail(ParameterError::new(code, message, name));
        }
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, also where it comes as text.
    pub fn number(&self, name: &str) -> Option<i64> {
        let value = self.raw(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A whole number above zero that has to be there.
    pub fn required_id(&mut self, name: &str) -> i64 {
        match self.number(name) {
            Some(number) if number > 0 => number,
            _ => {
                self.fail(ParameterError::blank(name));
                0
            }
        }
    }

    /// A boolean that has to be there.
    pub fn required_flag(&mut self, name: &str) -> bool {
        self.raw(name).and_then(Value::as_bool).unwrap_or_else(|| {
            let code = format!("validation.msg.client.{name}.must.be.true.or.false");
            let message = format!("The parameter `{name}` must be set as true or false.");
            self.fail(ParameterError::new(code, message, name));
            false
        })
    }

    /// A date, written as `dateFormat` says in the language of `locale`.
    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        let text = match self.raw(name)? {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        for needed in ["dateFormat", "locale"] {
            if self.raw(needed).and_then(Value::as_str).is_none_or(str::is_empty) {
                let code = format!("validation.msg.missing.{needed}.parameter");
                let message = format!("The parameter `{name}` requires a `{needed}` parameter to be passed with it.");
                self.fail(ParameterError::new(code, message, name));
                return None;
            }
        }
        let pattern = self.raw("dateFormat").and_then(Value::as_str).map(strftime).unwrap_or_default();
        let date = NaiveDate::parse_from_str(&text, &pattern).ok();
        if date.is_none() {
            let message = format!("The parameter `{name}` is invalid based on the dateFormat provided.");
            self.fail(ParameterError::new("validation.msg.invalid.date.format", message, name));
        }
        date
    }

    /// A date that has to be there.
    pub fn required_date(&mut self, name: &str) -> NaiveDate {
        if self.raw(name).is_none() {
            self.fail(ParameterError::blank(name));
        }
        self.date(name).unwrap_or_default()
    }

    /// All is well, or every mistake at once.
    pub fn done(self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::validation(self.errors)) }
    }
}

/// A Java date pattern, as far as dates need it, for chrono.
fn strftime(pattern: &str) -> String {
    pattern.replace("yyyy", "%Y").replace("MMMM", "%B").replace("MMM", "%b").replace("MM", "%m").replace("dd", "%d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_patterns_read_dates() {
        for (pattern, text) in
            [("yyyy-MM-dd", "2024-03-09"), ("dd MMMM yyyy", "09 March 2024"), ("dd/MM/yyyy", "09/03/2024")]
        {
            assert_eq!(NaiveDate::parse_from_str(text, &strftime(pattern)).ok(), NaiveDate::from_ymd_opt(2024, 3, 9));
        }
    }
}
