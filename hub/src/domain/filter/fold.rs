//! Text made comparable: without case, by Unicode normal form NFC.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

/// `text` as it is compared. Rows that are searched often keep their texts folded.
///
/// Unicode's full case folding of the decomposed text (The Unicode Standard, D145), composed again: `ß` equals `SS`, a
/// final sigma equals any other, and a letter's place in its word makes no difference, so that a part of a text folds as
/// it does within the whole.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let decomposed: String = text.nfd().collect();
    Cow::Owned(UniCase::unicode(decomposed).to_folded_case().nfc().collect())
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
        assert_eq!(fold("STRAẞE"), fold("strasse"));
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("Plain"), "plain");
        assert_ne!(fold("a"), fold("á"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once);
        }

        #[test]
        fn case_makes_no_difference_to_what_callers_write(text in "[a-zA-ZÀ-ÿΑ-Ωα-ωА-я0-9 ]{0,40}") {
            let upper = text.to_uppercase();
            prop_assert_eq!(fold(&upper), fold(&text));
        }
    }
}
