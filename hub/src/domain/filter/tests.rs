//! The grammar, its errors, and what filters mean.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeZone as _, Utc};
use proptest::prelude::*;

use super::schema::ClientSchema;
use super::{Attribute, Attributes, Expression, Filter, MAX_LENGTH, Operand, Operator, Schema as _, Text, Type, Value};
use crate::domain::profile::Profile;

fn meridian() -> Profile {
    serde_json::from_value(serde_json::json!({
        "kind": "corporate", "name": "Méridian Freight Ltd",
        "corporate": { "legalName": "Meridian", "registrationNumber": "08123456", "incorporatedOn": "2012-04-03",
            "contacts": [ { "name": "Ann", "role": "signatory", "phone": "+44" }, { "name": "Bob", "role": "billing", "email": "b@m.example" } ] },
        "email": "ops@meridian.example", "address": { "city": "London", "country": "GB" },
        "tags": ["Priority", "freight"], "assignedTo": ["m-204"]
    }))
    .unwrap()
}

fn matches(filter: &str) -> bool {
    Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(&meridian())
}

#[test]
fn filters_that_match() {
    for filter in [
        r#"name eq "MÉRIDIAN freight ltd""#,
        "name eq \"Me\u{301}ridian Freight Ltd\"",
        r#"NAME SW "méri" AND Tags EQ "priority""#,
        r#"name ew "LTD" and name co "freight""#,
        r#"name contain "idian""#,
        r#"address.country eq "gb" and address[city sw "Lon" and country eq "GB"]"#,
        r#"tags eq "FREIGHT" and tags ne "freight" and tags co "rior""#,
        r#"assignedTo eq "m-204""#,
        "phone eq null and email ne null and not (phone pr) and tags ne null and starred eq null",
        "address pr and corporate pr and not(individual pr) and corporate.contacts pr",
        r#"phone ne "+44" and not (phone eq "+44")"#,
        r#"corporate.incorporatedOn eq "2012-04-03" and corporate.incorporatedOn ge "2012-04-03T02:00:00+02:00""#,
        r#"corporate.incorporatedOn lt "2012-04-04" and corporate.incorporatedOn gt "2012-04-02T23:59:59Z""#,
        r#"corporate.contacts.name eq "bob" and corporate.contacts.role eq "signatory""#,
        r#"corporate.contacts[role eq "billing" and email pr]"#,
        r#"corporate[contacts.name eq "ann" and legalName eq "meridian"]"#,
        r#"not (corporate.contacts[role eq "signatory" and email pr])"#,
        // `and` binds closer than `or`.
        r#"name pr or kind eq "x" and kind eq "y""#,
        r#"(name eq "x" or kind eq "corporate") and not (kind eq "individual")"#,
        r#"name ge "meridian" and name gt "a" and name le "z" and name lt "zz""#,
        r#"name co "\u00e9" and name ne "\ud83d\ude00\"\\\/\b\f\n\r\t""#,
    ] {
        assert!(matches(filter), "{filter}");
    }
}

#[test]
fn filters_that_do_not_match() {
    for filter in [
        r#"name eq "meridian""#,
        r#"phone gt "" or phone lt "z" or phone co "" or phone eq "x""#,
        r#"corporate.contacts[role eq "signatory" and name eq "bob"]"#,
        r#"tags eq "prio""#,
        r#"individual.familyName co "a" or individual.dateOfBirth lt "2050-01-01""#,
        "starred eq true or starred eq false",
        "tags eq null",
    ] {
        assert!(!matches(filter), "{filter}");
    }
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let cases = [
        ("", 0, "expected an attribute"),
        ("   ", 3, "expected an attribute"),
        ("name", 4, "expected eq, ne"),
        ("name eq", 7, "expected a string"),
        (r#"nane eq "x""#, 0, "expected one of reference, name"),
        (r#"name eq "x" and shoe pr"#, 16, "unknown attribute; expected one of"),
        (r#"name is "x""#, 5, "expected eq, ne"),
        ("name eq 5", 8, "expected a string in double quotes"),
        ("name eq true", 8, "expected a string"),
        ("name eq bare", 8, "expected a string"),
        ("name eq {client}", 8, "expected a string"),
        ("name gt null", 8, "only eq and ne go with null"),
        (r#"starred eq "true""#, 11, "expected true, false or null"),
        ("starred gt true", 8, "expected eq, ne or pr"),
        (r#"createdAt co "2026""#, 10, "expected eq, ne, gt"),
        (r#"createdAt gt "yesterday""#, 13, "expected a date"),
        (r#"createdAt gt "2026-02-30""#, 13, "expected a date"),
        ("createdAt gt 2026-01-01", 13, "JSON number"),
        (r#"address eq "x""#, 8, "expected pr or `[`"),
        (r#"tags[value eq "x"]"#, 4, "has no attributes of its own"),
        (r#"corporate[contacts[role pr]]"#, 18, "do not nest"),
        (r#"corporate.contacts[shoe pr]"#, 19, "unknown attribute in `corporate.contacts[…]`"),
        (r#"corporate.contacts[role pr"#, 26, "expected `]`"),
        ("not name pr", 4, "expected `(`"),
        ("(name pr", 8, "expected `)`"),
        ("name pr)", 7, "expected `and`, `or` or the end"),
        ("name pr kind pr", 8, "expected `and`, `or` or the end"),
        ("name pr and", 11, "expected an attribute"),
        (r#"name eq "abc"#, 8, "not closed"),
        (r#"name eq "a\x""#, 11, "expected a JSON string"),
        (r#"name eq "\ud800""#, 15, "expected a JSON string"),
        ("name eq \"é\n\"", 11, "expected a JSON string"),
        ("name eq 'x'", 8, "double quotes"),
        ("名 eq 1", 0, "unexpected"),
    ];
    for (text, position, message) in cases {
        let error = Filter::parse(text).unwrap_err();
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(error.position.abs_diff(position) <= 1 && error.position <= text.len(), "{text}: {error}");
    }
}

#[test]
fn long_and_deep_filters_are_refused() {
    let nested = |depth: usize| format!("{}name pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(32)).is_ok());
    assert_eq!(Filter::parse(&nested(33)).unwrap_err().position, 32);
    assert!(Filter::parse(&nested(1000)).unwrap_err().message.contains("nesting"));
    assert!(Filter::parse(&"not (".repeat(800)).unwrap_err().message.contains("nesting"));
    let long = format!("name eq \"{}\"", "x".repeat(MAX_LENGTH));
    assert_eq!(Filter::parse(&long).unwrap_err().position, MAX_LENGTH);
    let flat = vec!["name pr"; 300].join(" and ");
    assert!(Filter::parse(&flat).unwrap().matches(&meridian()));
}

#[test]
fn mentioned_attributes_and_canonical_text() {
    let filter = Filter::parse(r#" ( Status  EQ "Archived" ) and Corporate.Contacts[ROLE pr]"#).unwrap();
    assert!(filter.mentions(Attribute::Status) && filter.mentions(Attribute::ContactRole));
    assert!(!filter.mentions(Attribute::Name));
    assert_eq!(filter.canonical(), r#"status eq "Archived" and corporate.contacts[role pr]"#);
}

/// A row of folded texts, as the state keeps them.
struct Folded;

impl Attributes<Attribute> for Folded {
    fn get(&self, attribute: Attribute) -> Value<'_> {
        if attribute == Attribute::Name { Value::Folded("méridian") } else { Value::Missing }
    }
    fn any(&self, _: Attribute, _: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        false
    }
    fn any_element(&self, _: Attribute, _: &mut dyn FnMut(&dyn Attributes<Attribute>) -> bool) -> bool {
        false
    }
}

#[test]
fn folded_rows_compare_alike_and_policies_do_not_decide_on_what_is_missing() {
    assert!(Filter::parse(r#"name eq "MÉRIDIAN" and tags ne "x""#).unwrap().matches(&Folded));
    let decide = |text: &str| super::parse(text, &mut ClientSchema).unwrap().decide(&Folded);
    assert_eq!(decide(r#"phone eq "x""#), None);
    assert_eq!(decide(r#"not (phone ne "x")"#), None);
    assert_eq!(decide(r#"name pr or phone eq "x""#), Some(true));
    assert_eq!(decide(r#"name eq null and phone eq "x""#), Some(false));
    assert_eq!(decide("phone eq null"), Some(true));
}

fn leaf(inside: bool) -> BoxedStrategy<Expression<Attribute>> {
    let fits = move |attribute: &Attribute| {
        attribute.known().of != Type::Complex && (!inside || attribute.path().starts_with("corporate.contacts."))
    };
    let all: Vec<Attribute> = Attribute::ALL.iter().copied().filter(fits).collect();
    let operators = vec![
        Operator::Contains,
        Operator::StartsWith,
        Operator::EndsWith,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::NotEqual,
        Operator::Equal,
    ];
    let parts = (prop::sample::select(all), prop::sample::select(operators), any::<String>(), any::<i32>(), 0..5u8);
    let build = move |(attribute, operator, text, seconds, shape): (Attribute, Operator, String, i32, u8)| {
        let known = attribute.known();
        let many = known.many && !inside;
        if shape == 0 {
            return Expression::Present { attribute, many };
        }
        let (operator, operand) = match known.of {
            _ if shape == 1 => (Operator::NotEqual, Operand::Null),
            Type::Bool => (Operator::Equal, Operand::Bool(seconds > 0)),
            Type::Instant => (Operator::Less, Operand::Instant(moment(seconds))),
            _ => (operator, Operand::Text(Text::new(&text))),
        };
        Expression::Compare { attribute, many, exact: false, operator, operand }
    };
    parts.prop_map(build).boxed()
}

fn moment(seconds: i32) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(i64::from(seconds) * 10).unwrap()
}

fn tree(inside: bool) -> impl Strategy<Value = Expression<Attribute>> {
    leaf(inside).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

fn expression() -> impl Strategy<Value = Expression<Attribute>> {
    let element =
        tree(true).prop_map(|filter| Expression::Element { of: Attribute::Contacts, filter: Box::new(filter) });
    (tree(false), element).prop_map(|(tree, element)| Expression::And(vec![tree, element]))
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(expression in expression()) {
        let text = expression.to_string();
        prop_assume!(text.len() <= MAX_LENGTH);
        prop_assert_eq!(super::parse(&text, &mut ClientSchema).unwrap(), expression);
    }

    #[test]
    fn no_text_panics_and_positions_are_within(text in any::<String>()) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position <= text.len());
        }
    }

    #[test]
    fn no_sequence_of_tokens_panics(words in prop::collection::vec(prop::sample::select(vec![
        "name", "status", "tags", "eq", "ne", "co", "pr", "and", "or", "not", "(", ")", "[", "]", "\"x\"", "\"", "\\", "5",
        "-", "null", "true", "{client}", "{", "corporate.contacts", "createdAt", "\"2026-01-01\"", "é", "\u{0}", "address",
    ]), 0..40)) {
        let text = words.join(" ");
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.canonical()).unwrap();
                prop_assert_eq!(again.canonical(), filter.canonical());
                prop_assert_eq!(again.matches(&meridian()), filter.matches(&meridian()));
            }
            Err(error) => prop_assert!(error.position <= text.len()),
        }
    }
}

#[test]
fn every_attribute_is_resolved_in_any_case() {
    for attribute in Attribute::ALL {
        let known = ClientSchema.resolve(&attribute.path().to_uppercase()).unwrap();
        assert_eq!(known.attribute, *attribute);
    }
}
