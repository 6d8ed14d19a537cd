//! The formats of single values: each a function from text to the value as it is kept, or what is wrong with it.
//!
//! What is kept reads as itself again: every function here is idempotent.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use email_address::{EmailAddress, Options};
use oxilangtag::LanguageTag;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

use super::fields::Flaw;
use super::{countries, languages};

/// Characters in a name or a line of an address.
pub const LONGEST_NAME: usize = 200;
/// Characters in a tag or a segment.
pub const LONGEST_TAG: usize = 40;
/// Characters in a number of some register, or a reference of the caller's own.
pub const LONGEST_NUMBER: usize = 100;
/// Characters in a member's id: what a token's `sub` may sensibly have.
pub const LONGEST_MEMBER: usize = 255;
/// Characters in a reason.
pub const LONGEST_REASON: usize = 500;
/// Octets in an e-mail address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const LONGEST_EMAIL: usize = 254;
/// Characters that an application should be ready for in a language tag (RFC 5646, section 4.4.1).
const LONGEST_LANGUAGE: usize = 35;
/// Characters in a phone number as people write it, before separators are taken out.
const LONGEST_PHONE: usize = 40;
/// Nobody alive was born before.
const FIRST_YEAR_OF_BIRTH: i32 = 1900;

/// Text of 1 to `most` characters after trimming, without control characters.
///
/// # Errors
/// `blank`, `too-long`, `control-character`.
pub fn text(most: usize) -> impl Fn(&str) -> Result<String, Flaw> {
    move |sent| {
        let trimmed = sent.trim();
        if trimmed.chars().all(invisible) {
            return Err(Flaw::new("blank", format!("expected 1 to {most} characters")));
        }
        if trimmed.chars().any(char::is_control) {
            return Err(Flaw::new("control-character", "control characters are not possible"));
        }
        match trimmed.chars().count() {
            count if count > most => Err(Flaw::new("too-long", format!("{count} characters, and {most} are possible"))),
            _ => Ok(trimmed.to_owned()),
        }
    }
}

/// White space, and what Unicode lets a reader see nothing of (`Default_Ignorable_Code_Point`).
const fn invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Any text as it is: references are opaque, and an unknown one is not found rather than invalid.
///
/// # Errors
/// None; the signature is that of its siblings.
pub fn opaque(sent: &str) -> Result<String, Flaw> {
    Ok(sent.to_owned())
}

/// A reason, of which a blank one is none.
///
/// # Errors
/// As `text`.
pub fn reason(sent: &str) -> Result<Option<String>, Flaw> {
    if sent.trim().is_empty() { Ok(None) } else { text(LONGEST_REASON)(sent).map(Some) }
}

/// An e-mail address (RFC 5322) without a display name and with a domain name.
///
/// # Errors
/// `invalid-email`.
pub fn email(sent: &str) -> Result<String, Flaw> {
    let options = Options::default().without_display_text().without_domain_literal();
    let trimmed = sent.trim();
    let valid = trimmed.len() <= LONGEST_EMAIL
        && !trimmed.chars().any(char::is_control)
        && EmailAddress::parse_with_options(trimmed, options).is_ok();
    let flaw = || Flaw::new("invalid-email", "expected an e-mail address such as ops@meridian.example");
    valid.then(|| trimmed.to_owned()).ok_or_else(flaw)
}

/// A phone number that is valid for its country, as E.164.
///
/// # Errors
/// `invalid-phone`.
pub fn phone(sent: &str) -> Result<String, Flaw> {
    let flaw = || Flaw::new("invalid-phone", "expected a number valid for its country, such as +442079460000");
    let separators = [' ', '-', '.', '/', '(', ')', '\u{a0}'];
    if sent.len() > LONGEST_PHONE {
        return Err(flaw());
    }
    let mut plain = String::with_capacity(sent.len());
    plain.extend(sent.trim().chars().filter(|c| !separators.contains(c)));
    if is_e164(&plain) {
        return Ok(plain);
    }
    let digits = plain.strip_prefix('+').filter(|digits| (7..=16).contains(&digits.len()) && all_digits(digits));
    // With a prefix that is dialled only within the country, such as the (0) of +44 (0)20 7946 0000.
    let number = digits.and_then(|_| PHONE_NUMBER_UTIL.parse(&plain, None).ok()).ok_or_else(flaw)?;
    let written = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
    is_e164(&written).then_some(written).ok_or_else(flaw)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A country's code and a number that is valid there. To parse it first, as the library does with text of any kind,
/// takes three times as long.
fn is_e164(plain: &str) -> bool {
    let Some(digits) = plain.strip_prefix('+').filter(|digits| digits.len() <= 15 && all_digits(digits)) else {
        return false;
    };
    // No code of a country begins with another one.
    let split = (1..=3).filter_map(|length| digits.split_at_checked(length));
    let mut coded = split.filter_map(|(code, national)| Some((code.parse().ok()?, national)));
    let known = |(code, _): &(i32, &str)| PHONE_NUMBER_UTIL.get_region_for_country_code(*code).is_some();
    coded.find(known).is_some_and(|(code, national)| is_national(code, national))
}

fn is_national(country_code: i32, digits: &str) -> bool {
    let significant = digits.trim_start_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).unwrap_or_default();
    let Ok(national_number) = significant.parse() else { return false };
    PHONE_NUMBER_UTIL.is_valid_number(&PhoneNumber {
        country_code,
        national_number,
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: (zeros > 1).then_some(zeros),
        ..PhoneNumber::default()
    })
}

/// A Legal Entity Identifier (ISO 17442) whose check digits are right (ISO 7064, mod 97-10).
///
/// # Errors
/// `invalid-lei`.
pub fn lei(sent: &str) -> Result<String, Flaw> {
    let trimmed = sent.trim();
    if trimmed.len() != 20 || !trimmed.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return Err(Flaw::new("invalid-lei", "expected 20 characters, digits and capitals"));
    }
    let remainder = trimmed.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + value) % 97
    });
    let right = remainder == 1 && trimmed.bytes().rev().take(2).all(|byte| byte.is_ascii_digit());
    let flaw = || Flaw::new("invalid-lei", "the check digits at the end are not right");
    right.then(|| trimmed.to_owned()).ok_or_else(flaw)
}

/// A country (ISO 3166-1 alpha-2).
///
/// # Errors
/// `unknown-country`.
pub fn country(sent: &str) -> Result<String, Flaw> {
    let flaw = || Flaw::new("unknown-country", "expected an ISO 3166-1 code of two capitals, such as GB");
    countries::is_known(sent.trim()).then(|| sent.trim().to_owned()).ok_or_else(flaw)
}

/// A language tag (BCP 47), in its usual case: `en-GB`.
///
/// # Errors
/// `invalid-language`.
pub fn language(sent: &str) -> Result<String, Flaw> {
    let flaw = || Flaw::new("invalid-language", "expected a BCP 47 language tag, such as en or pt-BR");
    let trimmed = sent.trim();
    if trimmed.len() > LONGEST_LANGUAGE {
        return Err(flaw());
    }
    let tag = LanguageTag::parse_and_normalize(trimmed).map_err(|_| flaw())?;
    languages::is_possible(tag.primary_language()).then(|| tag.into_inner()).ok_or_else(flaw)
}

/// A code of ISIC or NACE: a division that exists, and up to four more digits.
///
/// # Errors
/// `invalid-industry`.
pub fn industry(sent: &str) -> Result<String, Flaw> {
    let trimmed = sent.trim();
    let digits = (2..=6).contains(&trimmed.len()) && trimmed.bytes().all(|byte| byte.is_ascii_digit());
    let division = trimmed.get(..2).and_then(|two| u8::from_str(two).ok()).filter(|_| digits);
    // The two-digit numbers that neither ISIC Rev. 4 and 5 nor NACE Rev. 2 and 2.1 give to a division.
    let known = division.is_some_and(|d| d != 0 && ![4, 34, 40, 44, 48, 54, 57, 67, 76, 83, 89].contains(&d));
    let flaw = || Flaw::new("invalid-industry", "expected the 2 to 6 digits of an ISIC or NACE code, such as 4941");
    known.then(|| trimmed.to_owned()).ok_or_else(flaw)
}

/// A date as ISO 8601 writes it: `2012-04-03`.
///
/// # Errors
/// `invalid-date`.
pub fn date(sent: &str) -> Result<NaiveDate, Flaw> {
    let trimmed = sent.trim();
    let shape = trimmed.len() == 10 && trimmed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let parsed = NaiveDate::parse_from_str(trimmed, "%Y-%m-%d").ok().filter(|_| shape);
    parsed.ok_or_else(|| Flaw::new("invalid-date", "expected a date such as 2012-04-03"))
}

/// A date of birth: before `today` and not before 1900.
///
/// # Errors
/// `invalid-date`, `out-of-range`.
pub fn birth_date(today: NaiveDate) -> impl Fn(&str) -> Result<NaiveDate, Flaw> {
    move |sent| {
        let born = date(sent)?;
        if born < today && born.year() >= FIRST_YEAR_OF_BIRTH {
            return Ok(born);
        }
        Err(Flaw::new("out-of-range", "expected a date in the past and not before 1900-01-01"))
    }
}

/// A day that has begun somewhere on earth, in our era.
///
/// # Errors
/// `invalid-date`, `out-of-range`.
pub fn past_date(today: NaiveDate) -> impl Fn(&str) -> Result<NaiveDate, Flaw> {
    move |sent| {
        let day = date(sent)?;
        // `today` is UTC's; in the east it is tomorrow already.
        if day.year() > 0 && today.succ_opt().is_none_or(|tomorrow| day <= tomorrow) {
            return Ok(day);
        }
        Err(Flaw::new("out-of-range", "expected a date that is not in the future, in our era"))
    }
}

/// One of a closed list of words.
///
/// # Errors
/// `unknown-value`, with the list.
pub fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, Flaw> {
    move |sent| {
        let found = words.iter().find(|(word, _)| *word == sent).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let accepted: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Flaw::new("unknown-value", format!("accepted: {}", accepted.join(", ")))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_kept_as_e164() {
        for (sent, kept) in [
            ("+44 20 7946 0000", "+442079460000"),
            ("+44 (0)20 7946-0000", "+442079460000"),
            ("+1 (650) 253-0000", "+16502530000"),
            ("+49.30.901820", "+4930901820"),
            ("+390698806", "+390698806"),
        ] {
            assert_eq!(phone(sent).unwrap(), kept, "{sent}");
        }
    }

    #[test]
    fn a_phone_number_of_no_country_is_refused() {
        for sent in
            ["", "+", "020 7946 0000", "+44", "+44 1", "+999123456789", "+4420794600001234", "tel:+442079460000"]
        {
            assert!(phone(sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn an_email_address_has_no_display_name() {
        assert_eq!(email(" ops@meridian.example ").unwrap(), "ops@meridian.example");
        for sent in [
            "",
            "ops",
            "@x.example",
            "ops@",
            "Ops <ops@x.example>",
            "a b@x.example",
            "ops@x..example",
            "ops@[127.0.0.1]",
        ] {
            assert!(email(sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn an_lei_needs_its_check_digits() {
        for sent in ["5493001KJTIIGC8Y1R12", "213800WSGIIZCXF1P572", "HWUPKR0MPOU8FGXBT394"] {
            assert_eq!(lei(sent).unwrap(), sent);
        }
        for sent in ["5493001KJTIIGC8Y1R13", "5493001kjtiigc8y1r12", "5493001KJTIIGC8Y1R1", ""] {
            assert!(lei(sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn dates_are_whole_and_real() {
        assert!(date("2012-04-03").is_ok());
        for sent in ["2012-4-3", "2012-02-30", "+012-04-03", "03.04.2012", "2012-04-03T00:00:00Z", ""] {
            assert!(date(sent).is_err(), "{sent}");
        }
        let today = date("2026-11-22").unwrap();
        assert!(birth_date(today)("2026-11-21").is_ok());
        assert!(birth_date(today)("1900-01-01").is_ok());
        assert_eq!(birth_date(today)("2026-11-22").unwrap_err().code, "out-of-range");
        assert_eq!(birth_date(today)("1899-12-31").unwrap_err().code, "out-of-range");
    }

    #[test]
    fn codes_of_closed_lists_are_known_ones() {
        assert_eq!(country("GB").unwrap(), "GB");
        assert!(["gb", "UK", "GBR", "ZZ", ""].iter().all(|sent| country(sent).is_err()));
        assert_eq!(language("PT-br").unwrap(), "pt-BR");
        assert!(["", "english language", "e", "en_GB"].iter().all(|sent| language(sent).is_err()));
        assert!(["49", "4941", "494110"].iter().all(|sent| industry(sent).is_ok()));
        assert!(["4", "0011", "4a", "4941100", "٤٩"].iter().all(|sent| industry(sent).is_err()));
    }

    #[test]
    fn text_is_trimmed_and_counted_in_characters() {
        assert_eq!(text(3)(" äöü ").unwrap(), "äöü");
        assert_eq!(text(3)("abcd").unwrap_err().code, "too-long");
        assert_eq!(text(3)(" \t ").unwrap_err().code, "blank");
        assert_eq!(text(3)("a\u{7}b").unwrap_err().code, "control-character");
    }
}
