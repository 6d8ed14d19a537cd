//! How alike an example and an entry are: 1.0 for the same words in any order, about 0.8 where a few letters differ, less
//! where a birth date or a country speaks against it.

use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::list::{ENTITIES, Entity};

const OTHER_BIRTH_DATE: f64 = 0.25;
const OTHER_COUNTRY: f64 = 0.1;
/// Names longer than this are compared by their beginning.
const MAX_NAME_CHARS: usize = 200;
const MAX_NAMES: usize = 20;

/// One example of a batch.
pub(super) struct Example<'a> {
    pub schema: &'a str,
    properties: &'a Map<String, Value>,
}

impl<'a> Example<'a> {
    pub fn read(query: &'a Value) -> Option<Self> {
        let schema = query.get("schema")?.as_str()?;
        Some(Example { schema, properties: query.get("properties")?.as_object()? })
    }

    /// The values of a property, which may be one text or a list.
    fn values(&self, name: &str) -> Vec<&'a str> {
        match self.properties.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether an entry is of the same family: a person, or any kind of organisation.
    fn may_be(&self, entity: &Entity) -> bool {
        match self.schema {
            "Person" => entity.schema == "Person",
            "Company" | "Organization" => entity.schema != "Person",
            _ => true,
        }
    }
}

/// An entry and how alike it is.
pub(super) struct Scored {
    entity: &'static Entity,
    score: f64,
    name_match: f64,
}

impl Scored {
    pub fn json(&self, threshold: f64) -> Value {
        let mut json = self.entity.json();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("score".to_owned(), json!(self.score));
            fields.insert("features".to_owned(), json!({"name_match": self.name_match}));
            fields.insert("match".to_owned(), json!(self.score >= threshold));
        }
        json
    }
}

/// The entries of a dataset that score at least the cutoff, best first.
pub(super) fn against_list(example: &Example<'_>, dataset: &str, cutoff: f64) -> Vec<Scored> {
    let listed = ENTITIES.iter().filter(|entity| dataset == "default" || entity.dataset == dataset);
    let mut scored: Vec<Scored> = listed
        .filter(|entity| example.may_be(entity))
        .map(|entity| score(example, entity))
        .filter(|result| result.score >= cutoff)
        .collect();
    scored.sort_by(|one, other| other.score.total_cmp(&one.score));
    scored
}

fn score(example: &Example<'_>, entity: &'static Entity) -> Scored {
    let known: Vec<Vec<String>> = std::iter::once(entity.name).chain(entity.alias).map(words).collect();
    let names = example.values("name").into_iter().chain(example.values("alias")).take(MAX_NAMES);
    let name_match =
        names.map(words).flat_map(|given| known.iter().map(move |known| similarity(&given, known))).fold(0.0, f64::max);
    let mut score = name_match;
    let dates = example.values("birthDate");
    if !dates.is_empty() && entity.birth_date.is_some_and(|known| !dates.contains(&known)) {
        score -= OTHER_BIRTH_DATE;
    }
    let countries: Vec<&str> =
        ["nationality", "country", "jurisdiction"].into_iter().flat_map(|name| example.values(name)).collect();
    if !countries.is_empty() && !countries.iter().any(|country| country.eq_ignore_ascii_case(entity.country)) {
        score -= OTHER_COUNTRY;
    }
    Scored { entity, score: round(score.max(0.0)), name_match: round(name_match) }
}

fn round(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// The words of a name without marks and case, sorted.
fn words(name: &str) -> Vec<String> {
    let plain: String = name.chars().take(MAX_NAME_CHARS).nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let mut words: Vec<String> = plain
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort_unstable();
    words
}

/// 1.0 for the same words; else the mean of each word's best counterpart, in both directions.
fn similarity(one: &[String], other: &[String]) -> f64 {
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    f64::midpoint(directed(one, other), directed(other, one))
}

fn directed(from: &[String], to: &[String]) -> f64 {
    let best = |word: &String| to.iter().map(|other| alike(word, other)).fold(0.0, f64::max);
    from.iter().map(best).sum::<f64>() / from.len() as f64
}

/// How alike two words are by the number of edits between them (Levenshtein).
fn alike(one: &str, other: &str) -> f64 {
    let longest = one.chars().count().max(other.chars().count());
    let edits = edits(one, other);
    // Words with more than a third of their letters different are different words.
    if edits * 3 > longest { 0.0 } else { 1.0 - edits as f64 / longest as f64 }
}

fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, c) in one.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for ((d, up), diagonal) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            left = (left + 1).min(up + 1).min(diagonal + usize::from(c != *d));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn best(query: &Value) -> Option<(f64, &'static str)> {
        let scored = against_list(&Example::read(query).unwrap(), "default", 0.5);
        scored.first().map(|result| (result.score, result.entity.name))
    }

    #[test]
    fn exact_near_and_far_names() {
        let person = |name: &str| json!({"schema": "Person", "properties": {"name": [name]}});
        assert_eq!(best(&person("VOLKOVAR, Drazen")), Some((1.0, "Drazen Volkovar")));
        assert_eq!(best(&person("Dražen Volkovar")), Some((1.0, "Drazen Volkovar")));
        let near = best(&person("Drasen Volkova")).unwrap().0;
        assert!((0.75..0.95).contains(&near), "{near}");
        assert_eq!(best(&person("Ada Byron")), None);
        assert_eq!(best(&person("Quillon Straits Shipping FZE")), None);
    }

    #[test]
    fn another_birth_date_speaks_against_it() {
        let born = |date: &str| json!({"schema": "Person", "properties": {"name": ["Anselm Kruithof"], "birthDate": [date], "nationality": ["SR"]}});
        assert_eq!(best(&born("1958-06-05")).unwrap().0, 1.0);
        assert_eq!(best(&born("1990-01-01")).unwrap().0, 0.75);
    }

    proptest! {
        #[test]
        fn a_score_is_a_fraction_whatever_the_names(one in "\\PC{0,60}", other in "\\PC{0,60}") {
            let (one, other) = (words(&one), words(&other));
            let there = similarity(&one, &other);
            prop_assert!((0.0..=1.0).contains(&there));
            prop_assert!((there - similarity(&other, &one)).abs() < 1e-9);
            if !one.is_empty() { prop_assert!((similarity(&one, &one) - 1.0).abs() < 1e-9); }
        }
    }
}
