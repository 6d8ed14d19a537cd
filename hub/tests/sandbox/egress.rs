//! What leaves the sandbox, what comes back, and what neither side gets to see.

use hub::adapters::CallError;
use hub::telemetry::TraceContext;

use crate::backend::Backend;
use crate::support::{Crm, retry, unknown};

fn secret_file(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("secret");
    std::fs::write(&path, text).unwrap();
    format!("file:{}", path.display())
}

#[tokio::test]
async fn a_request_reaches_the_endpoint_below_its_base() {
    let backend = Backend::start().await;
    let crm = Crm::calling("sender", &backend.at("/echo/v1/"), "", "").await;
    let receipt = crm.upsert().await.unwrap();
    assert_eq!(receipt.external_id, "200");
    let seen = backend.seen().remove(0);
    assert!(seen.starts_with("POST /echo/v1/send HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{}"), "{seen}");
    assert!(seen.contains("accept-encoding: identity"), "{seen}");
}

#[tokio::test]
async fn the_credential_is_added_and_never_comes_back() {
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    let place = secret_file(&folder, "hub:a-long-password\n");
    for (auth, sent) in [
        (format!("{{ bearer = '{place}' }}"), "authorization: Bearer hub:a-long-password"),
        (format!("{{ basic = '{place}' }}"), "authorization: Basic aHViOmEtbG9uZy1wYXNzd29yZA=="),
        (format!("{{ header = 'X-Api-Key', value = '{place}' }}"), "x-api-key: hub:a-long-password"),
    ] {
        let crm = Crm::calling("sender", &backend.at("/echo"), &format!("auth = {auth}"), "").await;
        let echoed = crm.upsert().await.unwrap().note.unwrap();
        let seen = backend.seen().pop().unwrap();
        assert!(seen.contains(sent), "{seen}");
        assert!(echoed.contains("***") && !echoed.contains("a-long-password") && !echoed.contains("aHVi"), "{echoed}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_never_comes_back() {
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    let place = secret_file(&folder, "client-secret");
    let auth = |path: &str| {
        format!(
            "auth = {{ oauth2 = {{ token_url = '{}', client_id = 'hub', client_secret = '{place}', scope = 'crm' }} }}",
            backend.at(path)
        )
    };
    let crm = Crm::calling("sender", &backend.at("/echo"), &auth("/token"), "").await;
    for _ in 0..2 {
        let echoed = crm.upsert().await.unwrap().note.unwrap();
        assert!(!echoed.contains("fetched-token"), "{echoed}");
    }
    let seen = backend.seen();
    assert_eq!(seen.iter().filter(|request| request.starts_with("POST /token")).count(), 1);
    assert!(seen[0].ends_with("grant_type=client_credentials&scope=crm"), "{}", seen[0]);
    assert!(seen[1].contains("authorization: Bearer fetched-token-1"), "{}", seen[1]);

    let refused = Crm::calling("sender", &backend.at("/echo"), &auth("/no-token"), "").await;
    let why = unknown(refused.upsert().await);
    assert!(why.starts_with("refused: the hub has no access token"), "{why}");
    assert_eq!(backend.seen().len(), 4, "nothing was sent to the endpoint itself");

    let lasting = Crm::calling("sender", &backend.at("/echo"), &auth("/lasting-token"), "").await;
    lasting.upsert().await.unwrap();
}

#[tokio::test]
async fn the_trace_goes_on() {
    let backend = Backend::start().await;
    let crm = Crm::calling("sender", &backend.url, "", "").await;
    let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    TraceContext::scope(trace, crm.upsert()).await.unwrap();
    let seen = backend.seen().remove(0);
    assert!(seen.contains("traceparent: 00-0af7651916cd43dd8448eb211c80319c-"), "{seen}");
    crm.upsert().await.unwrap();
    assert!(!backend.seen()[1].contains("traceparent"));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let backend = Backend::start().await;
    let crm = Crm::calling("sender", &backend.at("/redirect"), "", "").await;
    assert_eq!(crm.upsert().await.unwrap().external_id, "302");
    assert_eq!(backend.seen().len(), 1);
}

#[tokio::test]
async fn where_it_may_not_go_is_refused_and_nothing_is_sent() {
    let backend = Backend::start().await;
    let unknown_endpoint = Crm::calling("unknown-endpoint", &backend.url, "", "").await;
    let why = unknown(unknown_endpoint.upsert().await);
    assert!(why.contains("[adapters.crm.endpoints.nowhere]"), "{why}");
    for path in ["/../../admin", "/%2e%2e/admin", "//evil.example/", "/a%2f..%2fadmin", "/a?x=1"] {
        let more = format!("settings.path = '{path}'");
        let climber = Crm::calling("path-climber", &backend.at("/api"), "", &more).await;
        let why = unknown(climber.upsert().await);
        assert!(why.starts_with("refused: path"), "{path}: {why}");
    }
    assert!(backend.seen().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_is_refused_unless_private() {
    let backend = Backend::start().await;
    let url = backend.url.replace("127.0.0.1", "localhost");
    let crm = Crm::calling("sender", &url, "", "").await;
    crm.upsert().await.unwrap();
    let component = crate::support::component("fixtures/behaviour.wasm");
    let public = Crm::configured(
        &format!("component = '{}'\nsettings.behave = 'sender'", component.display()),
        &format!("[endpoints.api]\nurl = '{url}'"),
    )
    .await;
    let why = unknown(public.upsert().await);
    assert!(why.starts_with("connect: ") && why.contains("private = true"), "{why}");
    assert_eq!(backend.seen().len(), 1);
}

#[tokio::test]
async fn faults_of_the_outside_have_their_names() {
    let backend = Backend::start().await;
    for (path, more, name) in
        [("/reset", "", "interrupted"), ("/huge", "", "too-large"), ("/silent", "timeout_ms = 100", "timed-out")]
    {
        let crm = Crm::calling("sender", &backend.at(path), more, "").await;
        let why = unknown(crm.upsert().await);
        assert!(why.starts_with(name), "{path}: {why}");
    }
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let crm = Crm::calling("sender", &url, "", "").await;
    let why = unknown(crm.upsert().await);
    assert!(why.starts_with("connect"), "{why}");
}

#[tokio::test]
async fn what_was_sent_decides_between_retry_and_unknown() {
    let backend = Backend::start().await;
    let sent = Crm::calling("send-then-spin", &backend.url, "", "deadline_ms = 200").await;
    assert!(matches!(sent.upsert().await, Err(CallError::Unknown(_))));
    assert_eq!(backend.seen().len(), 1);

    let read_only = Crm::calling("sleeper", &backend.url, "", "deadline_ms = 200").await;
    let why = retry(read_only.upsert().await);
    assert!(why.contains("waited for an answer"), "{why}");
    let report = read_only.report();
    assert_eq!((report.faults["deadline"], report.blamed_on_guest), (1, 0));
}

#[tokio::test]
async fn what_a_call_did_is_known_even_if_it_was_broken_off() {
    let backend = Backend::start().await;
    let crm = Crm::calling("sleeper", &backend.url, "timeout_ms = 5000", "deadline_ms = 200").await;
    let (ended, done) = Box::pin(hub::adapters::noting(crm.upsert())).await;
    retry(ended);
    let done = done.unwrap();
    assert_eq!(done.requests.len(), 1);
    assert!(done.peak_kib.is_some_and(|peak| peak > 0), "{done:?}");
    let request = &done.requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str(), request.status), ("GET", "/sleep", None));
    assert_eq!(request.failure, None, "nobody knows what became of it");

    let crm = Crm::calling("path-climber", &backend.url, "", "").await;
    let (_, done) = Box::pin(hub::adapters::noting(crm.upsert())).await;
    let done = done.unwrap();
    assert_eq!(done.requests[0].failure.as_deref(), Some("refused"));
    assert!(done.peak_kib.is_some_and(|peak| peak > 0), "{done:?}");
}
