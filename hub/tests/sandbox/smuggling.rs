//! Requests that want to be more than they are, and answers that are more than was asked for.

use crate::backend::Backend;
use crate::hand::Hand;
use crate::support::{Crm, retry, unknown};

#[tokio::test]
async fn a_redirect_to_a_forbidden_host_leads_nowhere() {
    let backend = Backend::start().await;
    let crm = Crm::calling("redirect-follower", &backend.url, "", "settings.path = '/away'").await;
    let why = unknown(crm.upsert().await);
    assert!(why.starts_with("refused: path") && why.contains("absolute form"), "{why}");
    assert_eq!(backend.seen().len(), 1);
    let within = Crm::calling("redirect-follower", &backend.url, "", "").await;
    assert_eq!(within.upsert().await.unwrap().external_id, "200", "a path below the endpoint is its own decision");
}

#[tokio::test]
async fn an_absolute_form_and_what_is_decoded_twice_are_refused() {
    let backend = Backend::start().await;
    let absolute = Crm::calling("absolute-form", &backend.url, "", "").await;
    let why = unknown(absolute.upsert().await);
    assert!(why.contains("absolute form"), "{why}");
    for path in ["/%25%32%65%25%32%65/admin", "/%c0%ae%c0%ae/admin", "/%25252e%25252e/admin"] {
        let more = format!("settings.path = '{path}'");
        let why = unknown(Crm::calling("path-climber", &backend.at("/api"), "", &more).await.upsert().await);
        assert!(why.starts_with("refused: path"), "{path}: {why}");
    }
    assert!(backend.seen().is_empty());
}

#[tokio::test]
async fn headers_that_steer_the_message_or_its_readers_are_refused() {
    let backend = Backend::start().await;
    for header in [
        "Host",
        "Content-Length",
        "Transfer_Encoding",
        "Connection",
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-HTTP-Method-Override",
        "Range",
        "x\\r\\nHost",
    ] {
        let more = format!("settings.header = \"{header}\"");
        let why = unknown(Crm::calling("header-smuggler", &backend.url, "", &more).await.upsert().await);
        assert!(why.starts_with("refused: headers"), "{header}: {why}");
    }
    let split = "settings.header = 'X-A'\nsettings.text = \"1\\r\\nHost: evil.example\"";
    let why = unknown(Crm::calling("header-smuggler", &backend.url, "", split).await.upsert().await);
    assert!(why.starts_with("refused: headers"), "{why}");
    assert!(backend.seen().is_empty());
}

/// For calls that move much, on a machine with other work: their time is not what stops them.
const PATIENT: &str = "deadline_ms = 120000";

#[tokio::test]
async fn a_request_out_of_measure_is_refused_or_not_even_read() {
    let backend = Backend::start().await;
    for (behave, more, says) in [
        ("header-flooder", "settings.count = '65'", "refused: headers: more than 64"),
        ("body-hog", "memory_mib = 128\nsettings.size = '33600000'", "refused: body: larger than"),
    ] {
        let more = format!("{PATIENT}\n{more}");
        let why = unknown(Crm::calling(behave, &backend.url, "", &more).await.upsert().await);
        assert!(why.starts_with(says), "{why}");
    }
    for (behave, more) in [("header-flooder", ""), ("body-hog", "settings.size = '50000000'")] {
        let crm = Crm::calling(behave, &backend.url, "", &format!("{PATIENT}\nmemory_mib = 256\n{more}")).await;
        let why = retry(crm.upsert().await);
        assert!(why.contains("too much data"), "{why}");
        assert_eq!(crm.report().blamed_on_guest, 1);
    }
    assert!(backend.seen().is_empty());
}

#[tokio::test]
async fn an_answer_out_of_measure_or_out_of_sight_is_not_handed_on() {
    let backend = Backend::start().await;
    for (path, name) in [
        ("/many-headers", "interrupted"),
        ("/long-header", "too-large"),
        ("/endless", "too-large"),
        ("/gzip", "interrupted"),
    ] {
        let crm = Crm::calling("sender", &backend.at(path), "", "").await;
        let why = unknown(crm.upsert().await);
        assert!(why.starts_with(name), "{path}: {why}");
        assert_eq!(crm.report().blamed_on_guest, 0, "{path}");
    }
}

/// No socket is the guest's own; what it can hoard is requests, and they are counted.
#[tokio::test]
async fn requests_of_one_call_are_counted() {
    let backend = Backend::start().await;
    let crm = Crm::calling("fd-hoarder", &backend.url, "", "").await;
    let receipt = crm.upsert().await.unwrap();
    assert_eq!((receipt.external_id.as_str(), backend.seen().len()), ("200", 200));
    let why = receipt.note.unwrap();
    assert!(why.starts_with("refused: more than 200 requests"), "{why}");
    crm.adapters.check_health(hub::adapters::AdapterName::Crm).await.unwrap();
}

/// A name that answers another address each time is checked each time, in the look-up that the connection is made of.
#[tokio::test]
async fn a_rebinder_is_caught_where_its_name_is_looked_up() {
    let backend = Backend::start().await;
    let url = backend.url.replace("127.0.0.1", "localhost");
    let component = crate::support::component("fixtures/behaviour.wasm");
    let crm = Crm::configured(
        &format!("component = '{}'\nsettings.behave = 'fd-hoarder'", component.display()),
        &format!("[endpoints.api]\nurl = '{url}'"),
    )
    .await;
    let receipt = crm.upsert().await.unwrap();
    assert_eq!(receipt.external_id, "0");
    assert!(receipt.note.unwrap().contains("private = true"));
    assert!(backend.seen().is_empty());
}

/// It computes for most of its time, and is in a request when that is over.
#[tokio::test]
async fn a_request_at_the_end_does_not_excuse_a_spinner() {
    let backend = Backend::start().await;
    let hand = Hand {
        wasi: &["wasi:clocks/monotonic-clock@0.2.0"],
        imports: r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
            (import "backoffice:adapter/http@1.0.0" "send"
                (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
        more: r#"(data (i32.const 700) "api/sleep")"#,
        upsert: r#"(local $until i64)
            (local.set $until (i64.add (call $now) (i64.const 400000000)))
            (loop $spin (br_if $spin (i64.lt_u (call $now) (local.get $until))))
            (call $send (i32.const 700) (i32.const 3) (i32.const 0) (i32.const 703) (i32.const 6)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 1024))
            (i32.const 0)"#,
        ..Hand::default()
    };
    let endpoint = format!("deadline_ms = 500\n[endpoints.api]\nurl = '{}'\nprivate = true", backend.url);
    let crm = hand.load(&endpoint).await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("for most of it it computed"), "{why}");
    assert_eq!((crm.report().faults["deadline"], crm.report().blamed_on_guest), (1, 1));
}
