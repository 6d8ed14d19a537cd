//! Text made comparable: without case, by Unicode normal form NFC.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `text` as it is compared. Rows that are searched often keep their texts folded.
///
/// Through upper case to lower case, so that `ß` equals `SS` and a final sigma equals any other; a letter's place in
/// its word makes no difference, so that a part of a text folds as it does within the whole.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let composed: Cow<'_, str> = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    };
    let lower = composed.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    Cow::Owned(lower.nfc().collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::fold;
    use proptest::prelude::*;

    #[test]
    fn case_and_composition_make_no_difference() {
        assert_eq!(fold("Ångström"), fold("A\u{30a}NGSTRO\u{308}M"));
        assert_eq!(fold("STRASSE"), fold("Straße"));
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("Plain"), "plain");
        assert_ne!(fold("a"), fold("á"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once_for_what_callers_write(text in "[a-zA-ZÀ-ÿΑ-Ωα-ωА-я0-9 ]{0,40}") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once.clone());
            prop_assert_eq!(fold(&text.to_uppercase()).into_owned(), once);
        }
    }
}
