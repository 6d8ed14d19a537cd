//! What a client must and may be, field by field, and that no document breaks the reader.
#![allow(clippy::unwrap_used)]

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

fn company() -> Value {
    json!({
        "kind": "corporate", "name": " Meridian Freight Ltd ",
        "corporate": {"legalName": "Meridian Freight Ltd", "registrationNumber": "08123456",
            "lei": "5493001KJTIIGC8Y1R12", "taxId": "GB123456789", "industry": "4941", "incorporatedOn": "2012-04-03",
            "contacts": [{"name": "Ann Lee", "role": "signatory", "email": "ann@meridian.example", "phone": null}]},
        "email": "ops@meridian.example", "phone": "+44 20 7946 0000",
        "address": {"line1": "1 Dock Road", "line2": null, "city": "London", "postalCode": "EC1A 1BB", "country": "GB"},
        "segment": "sme", "language": "en", "tags": ["priority"], "assignedTo": ["m-204"],
    })
}

fn person() -> Value {
    json!({"kind": "individual", "individual": {"givenName": "Ines", "familyName": "Duarte",
        "dateOfBirth": "1984-02-29", "nationality": "PT", "nationalId": "12345678"}})
}

fn with(mut json: Value, pointer: &str, name: &str, value: Value) -> Value {
    json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    json
}

fn wrong(json: &Value) -> Vec<(String, &'static str)> {
    let errors = draft(&json.into(), today(), Mode::Edit).unwrap_err();
    errors.into_iter().map(|error| (error.pointer, error.code)).collect()
}

/// A draft as a caller would send it again.
fn render(draft: &Draft) -> Value {
    let mut json = serde_json::to_value(&draft.profile).unwrap();
    let members = json.as_object_mut().unwrap();
    if !draft.assigns {
        members.remove("assignedTo");
    }
    members.insert("externalReference".into(), json!(draft.external_reference));
    members.insert("status".into(), json!(draft.status));
    members.insert("statusReason".into(), json!(draft.status_reason));
    json
}

#[test]
fn a_whole_company_is_read_and_normalised() {
    let read = draft(&Tree::from(&company()), today(), Mode::Create).unwrap();
    assert_eq!(read.profile.name, "Meridian Freight Ltd");
    assert_eq!(read.profile.phone.as_deref(), Some("+442079460000"));
    assert!(read.assigns);
    assert_eq!(draft(&Tree::from(&render(&read)), today(), Mode::Create).unwrap(), read);
}

#[test]
fn an_individuals_name_is_the_two_names_joined() {
    assert_eq!(draft(&Tree::from(&person()), today(), Mode::Create).unwrap().profile.name, "Ines Duarte");
    assert!(draft(&Tree::from(&with(person(), "", "name", json!("Ines Duarte"))), today(), Mode::Create).is_ok());
    assert_eq!(wrong(&with(person(), "", "name", json!("I. Duarte"))), [("/name".into(), "mismatch")]);
}

#[test]
fn two_long_names_can_be_read_back() {
    let long = with(person(), "/individual", "givenName", json!("x".repeat(200)));
    let read =
        draft(&Tree::from(&with(long, "/individual", "familyName", json!("y".repeat(200)))), today(), Mode::Create)
            .unwrap();
    assert_eq!(draft(&Tree::from(&render(&read)), today(), Mode::Create).unwrap(), read);
}

#[test]
fn the_servers_own_members_are_skipped_unread() {
    let mut sent = company();
    for name in [
        "reference",
        "version",
        "starred",
        "kyc",
        "relationship",
        "sync",
        "createdAt",
        "createdBy",
        "updatedAt",
        "updatedBy",
    ] {
        sent = with(sent, "", name, json!({"anything": [1]}));
    }
    assert!(draft(&Tree::from(&sent), today(), Mode::Edit).is_ok());
    let created = draft(&Tree::from(&with(sent.clone(), "", "status", json!(7))), today(), Mode::Create).unwrap();
    assert_eq!(created.status, None);
    assert_eq!(wrong(&with(sent, "", "status", json!(7))), [("/status".into(), "wrong-type")]);
}

#[test]
fn an_edit_reads_status_and_reason() {
    let sent = with(with(company(), "", "status", json!("suspended")), "", "statusReason", json!("dormant"));
    let read = draft(&Tree::from(&with(sent, "", "externalReference", json!("A-1"))), today(), Mode::Edit).unwrap();
    assert_eq!((read.status, read.status_reason.as_deref()), (Some(Status::Suspended), Some("dormant")));
    assert_eq!(read.external_reference.as_deref(), Some("A-1"));
    assert_eq!(wrong(&with(company(), "", "status", json!("closed"))), [("/status".into(), "unknown-value")]);
}

#[test]
fn what_is_required_is_named_to_the_leaf() {
    assert_eq!(wrong(&json!({})), [("/kind".into(), "required")]);
    let corporate: Vec<String> = wrong(&json!({"kind": "corporate"})).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(corporate, ["/name", "/corporate/legalName", "/corporate/registrationNumber"]);
    assert_eq!(wrong(&json!({"kind": "individual", "individual": null})).len(), 5);
}

#[test]
fn exactly_the_object_of_the_kind_is_there() {
    assert_eq!(wrong(&with(company(), "", "individual", json!({}))), [("/individual".into(), "unexpected")]);
    assert_eq!(wrong(&with(person(), "", "corporate", json!({}))), [("/corporate".into(), "unexpected")]);
    assert!(draft(&Tree::from(&with(person(), "", "corporate", Value::Null)), today(), Mode::Create).is_ok());
}

#[test]
fn unknown_members_are_named_at_any_depth() {
    let sent = with(company(), "", "e/mail", json!(1));
    let sent = with(with(sent, "/address", "zip", json!("x")), "/corporate/contacts/0", "mobile", Value::Null);
    let codes = wrong(&sent);
    assert!(codes.iter().all(|(_, code)| *code == "unknown-field"), "{codes:?}");
    let pointers: Vec<&str> = codes.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/e~1mail", "/corporate/contacts/0/mobile", "/address/zip"]);
}

#[test]
fn wrong_types_and_values_are_all_named_at_once() {
    let sent = json!({"kind": "corporate", "name": "", "corporate": {"legalName": 1, "registrationNumber": "1",
            "lei": "x", "industry": "xx", "incorporatedOn": "yesterday", "contacts": [null, {"name": "a", "email": "b"}]},
        "email": "x", "phone": "1", "address": [], "segment": "s".repeat(41), "language": "!", "tags": ["ok", 2, ""],
        "assignedTo": "m-1", "externalReference": false});
    let expected = [
        ("/name", "blank"),
        ("/corporate/legalName", "wrong-type"),
        ("/corporate/lei", "invalid-lei"),
        ("/corporate/industry", "invalid-industry"),
        ("/corporate/incorporatedOn", "invalid-date"),
        ("/corporate/contacts/0", "wrong-type"),
        ("/corporate/contacts/1/email", "invalid-email"),
        ("/email", "invalid-email"),
        ("/phone", "invalid-phone"),
        ("/address", "wrong-type"),
        ("/segment", "too-long"),
        ("/language", "invalid-language"),
        ("/tags/1", "wrong-type"),
        ("/tags/2", "blank"),
        ("/assignedTo", "wrong-type"),
        ("/externalReference", "wrong-type"),
    ];
    let expected: Vec<(String, &str)> = expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect();
    assert_eq!(wrong(&sent), expected);
}

#[test]
fn lists_and_errors_have_bounds() {
    assert_eq!(wrong(&with(person(), "", "tags", json!(vec!["t"; 51]))), [("/tags".into(), "too-many")]);
    let many: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("x{n}"), Value::Null)).collect();
    assert_eq!(wrong(&Value::Object(many)).len(), super::super::fields::MOST_ERRORS);
}

/// JSON whose member names are often real ones, so that the readers behind them are reached.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = [KNOWN, CORPORATE, CONTACT, INDIVIDUAL, ADDRESS].concat();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        r"\+[0-9 ()./-]{0,20}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::from),
        "[0-9A-Z]{18}[0-9]{2}".prop_map(Value::from),
        "(corporate|individual|active|GB|en-gb|a@b.example)".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        let name = prop_oneof![9 => prop::sample::select(names.clone()).prop_map(str::to_owned), 1 => ".{0,8}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..12).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

/// Clients that are mostly right.
fn plausible() -> impl Strategy<Value = Value> {
    let text = "\\PC{1,60}";
    let tags = prop::collection::vec("[ a-zäß]{1,12}", 0..5);
    let phone = prop::sample::select(vec![
        "+44 20 7946 0000",
        "+1 650-253-0000",
        "+49 (0)30 901820",
        "+7 800 555 35 35",
        "+39 06 69881",
    ]);
    let language = prop::sample::select(vec!["en", "PT-br", "zh-hans-cn", "x-mine", "de-CH-1996"]);
    (any::<bool>(), text, tags, phone, language, prop::option::of(text)).prop_map(
        |(corporate, name, tags, phone, language, line)| {
            let base = if corporate {
                with(company(), "", "name", json!(name))
            } else {
                with(person(), "/individual", "givenName", json!(name))
            };
            let base = with(with(base, "", "tags", json!(tags)), "", "phone", json!(phone));
            with(with(base, "", "language", json!(language)), "", "address", json!({"line1": line}))
        },
    )
}

proptest! {
    #[test]
    fn no_document_breaks_it(json in arbitrary_json()) {
        for mode in [Mode::Create, Mode::Edit] {
            if let Err(errors) = draft(&Tree::from(&json), today(), mode) {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    // A pointer leads to the member or, where that is missing, into an object on the way.
                    prop_assert!(error.pointer.is_empty() || error.pointer.starts_with('/'));
                }
            }
        }
    }

    #[test]
    fn what_was_read_reads_the_same_again(json in plausible()) {
        if let Ok(read) = draft(&Tree::from(&json), today(), Mode::Edit) {
            prop_assert_eq!(draft(&Tree::from(&render(&read)), today(), Mode::Edit), Ok(read));
        }
    }

    #[test]
    fn no_phone_number_breaks_it(sent in r"\+[0-9 ()./-]{0,24}") {
        if let Ok(kept) = super::super::formats::phone(&sent) {
            prop_assert_eq!(super::super::formats::phone(&kept), Ok(kept.clone()));
        }
    }
}
