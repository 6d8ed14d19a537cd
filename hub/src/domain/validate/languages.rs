//! The languages: the 183 codes of two letters that ISO 639-1 has.
//!
//! Of the thousands of languages that have a code of three letters only (ISO 639-3) any well-formed code is possible;
//! longer primary subtags (BCP 47, section 2.2.1) are reserved and name no language.

use super::codes::Codes;

/// Sorted, with a blank between.
const CODES: Codes = Codes(
    "\
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo \
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg \
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn \
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta \
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu",
);

/// Whether a primary language subtag, in small letters, can be a language's.
pub fn is_possible(primary: &str) -> bool {
    match primary.len() {
        2 => CODES.holds(primary),
        length => length == 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_every_code_once() {
        assert_eq!(CODES.all().count(), 183);
        assert!(CODES.all().is_sorted_by(|one, next| one < next));
        assert!(CODES.all().all(is_possible) && is_possible("gsw"));
        assert!(!is_possible("xx") && !is_possible("english") && !is_possible(""));
    }
}
