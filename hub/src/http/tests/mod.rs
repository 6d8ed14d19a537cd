//! The front as a caller meets it: whole requests through the pipeline, without a socket.

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use super::*;

mod socket;
mod support;
use support::front;

type Builder = http::request::Builder;

struct Reply {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

fn ask(method: &str, path: &str) -> Builder {
    http::Request::builder().method(method).uri(path).header(AUTHORIZATION, "Bearer good")
}

async fn send(front: &Front, request: Builder, body: impl Into<Bytes>) -> Reply {
    let request = request.body(Full::new(body.into())).unwrap();
    let (head, body) = front.answer(request, "192.0.2.1".parse().unwrap()).await.into_parts();
    Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

async fn code(front: &Front, request: Builder, body: impl Into<Bytes>) -> String {
    send(front, request, body).await.code()
}

#[tokio::test]
async fn the_token_comes_before_the_route() {
    let front = front();
    let anonymous = |path: &str| http::Request::builder().uri(path);
    for path in ["/", "/nowhere", "/clients/profile", "/clients/profile/CL-1", "/admin/tree"] {
        let reply = send(&front, anonymous(path), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "token-missing"), "{path}");
        assert!(reply.header(WWW_AUTHENTICATE).starts_with("Bearer error="));
    }
    let with = |token: &str| anonymous("/clients/profile").header(AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(code(&front, with("bad"), "").await, "token-invalid");
    assert_eq!(code(&front, with("expired"), "").await, "token-expired");
}

#[tokio::test]
async fn what_is_no_route_is_404_and_what_is_another_method_is_405() {
    let front = front();
    for path in
        ["/", "/nowhere", "/clients", "/clients/profile/", "/clients/profile/a/b", "//clients/profile", "/admin"]
    {
        assert_eq!(code(&front, ask("GET", path), "").await, "route-not-found", "{path}");
    }
    for (method, path, allow) in [
        ("PATCH", "/clients/profile", "GET, POST"),
        ("POST", "/clients/profile/CL-1", "DELETE, GET, PUT"),
        ("DELETE", "/clients/device/lock", "GET, POST"),
        ("POST", "/metrics", "GET"),
        ("OPTIONS", "/openapi.json", "GET"),
    ] {
        let reply = send(&front, ask(method, path), "").await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(reply.header(ALLOW), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_documented_operation_has_its_route() {
    let front = front();
    let document = serde_json::to_value(openapi::document()).unwrap();
    for (template, item) in document["paths"].as_object().unwrap() {
        let path = template.replace("{reference}", "CL-1");
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = send(&front, ask(method.as_str(), &path), "").await;
            let lost = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::INTERNAL_SERVER_ERROR].contains(&reply.status)
                || (reply.status == StatusCode::NOT_FOUND && reply.code() == "route-not-found");
            assert!(!lost, "{method} {template}: {}", reply.status);
            let documented = &item[method.as_str().to_lowercase()]["responses"][reply.status.as_str()];
            let media = reply.header(CONTENT_TYPE).split(';').next().unwrap();
            assert!(documented["content"].get(media).is_some(), "{method} {template}: {} {media}", reply.status);
        }
    }
}

#[tokio::test]
async fn media_types_and_json_come_before_the_policy() {
    let front = front();
    let post = || ask("POST", "/clients/profile");
    assert_eq!(code(&front, post(), "{}").await, "unsupported-media-type");
    assert_eq!(code(&front, post().header(CONTENT_TYPE, "text/plain"), "{}").await, "unsupported-media-type");
    let json = || post().header(CONTENT_TYPE, "application/json");
    for body in ["", "{", "{\"kind\":1,\"kind\":2}", "nul"] {
        assert_eq!(code(&front, json(), body).await, "malformed-json", "{body}");
    }
    assert_eq!(code(&front, json().header(ACCEPT, "text/html"), "{").await, "not-acceptable");
    assert_eq!(code(&front, json().header("idempotency-key", ""), "{}").await, "malformed-query");
    for body in ["[]", "1", "null", "\"x\""] {
        let reply = send(&front, json(), body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(reply.json()["errors"][0]["pointer"], "", "{body}");
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_413_and_ends_the_connection() {
    let front = front();
    let post = ask("POST", "/clients/profile").header(CONTENT_TYPE, "application/json");
    let reply = send(&front, post, vec![b' '; 2 << 20]).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    assert_eq!(reply.header("connection"), "close");
}

#[tokio::test]
async fn queries_are_strict() {
    let front = front();
    for query in ["limit=0", "limit=201", "colour=red", "limit=1&limit=2", "starred=1", "sort=x", "filter=%zz"] {
        let reply = send(&front, ask("GET", &format!("/clients/profile?{query}")), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "malformed-query"), "{query}");
    }
    let reply = send(&front, ask("GET", "/clients/profile?filter=name%20xx%20%22a%22"), "").await;
    assert_eq!(reply.code(), "malformed-filter");
    assert!(reply.json()["position"].is_u64());
    assert_eq!(code(&front, ask("GET", "/clients/profile?cursor=zzz"), "").await, "malformed-cursor");
    assert_eq!(code(&front, ask("GET", "/clients/profile/CL-1?x=1"), "").await, "malformed-query");
}

#[tokio::test]
async fn an_unknown_reference_of_any_shape_is_not_found() {
    let front = front();
    for reference in ["CL-1", "%00", "%ff", "..%2f..", "a%20b", "😀"] {
        let path = format!("/clients/profile/{}", reference.replace('😀', "%F0%9F%98%80"));
        assert_eq!(code(&front, ask("GET", &path), "").await, "client-not-found", "{reference}");
    }
}

#[tokio::test]
async fn every_answer_has_the_request_id() {
    let front = front();
    let reply = send(&front, ask("GET", "/nowhere").header("x-request-id", "mine"), "").await;
    assert_eq!((reply.header("x-request-id"), reply.json()["instance"].as_str()), ("mine", Some("mine")));
    let reply = send(&front, http::Request::builder().uri("/health/live"), "").await;
    assert_eq!((reply.status, reply.header("x-request-id").len()), (StatusCode::OK, 36));
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let front = front();
    let request = http::Request::builder().uri("/clients/profile").header(AUTHORIZATION, "Bearer panic");
    let reply = send(&front, request, "").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("boom"));
}

#[tokio::test]
async fn too_many_requests_are_429() {
    let front = support::front_with(1, 1_000);
    assert_eq!(code(&front, ask("GET", "/nowhere"), "").await, "route-not-found");
    let reply = send(&front, ask("GET", "/nowhere"), "").await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reply.header("ratelimit-policy"), "\"address\";q=1;w=1");
    let front = support::front_with(1_000, 1);
    assert_eq!(code(&front, ask("GET", "/nowhere"), "").await, "route-not-found");
    assert_eq!(send(&front, ask("GET", "/nowhere"), "").await.header("ratelimit-policy"), "\"member\";q=1;w=1");
}

#[tokio::test]
async fn the_page_and_what_it_loads_come_from_here() {
    let front = front();
    let open = |path: &str| http::Request::builder().uri(path.to_owned());
    let page = send(&front, open("/docs"), "").await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(page.header(CONTENT_TYPE).starts_with("text/html"));
    let sources = text.split(['"', '\'']).filter(|part| part.contains("/docs/"));
    let mut loaded = 0;
    for path in sources {
        assert_eq!(send(&front, open(path), "").await.status, StatusCode::OK, "{path}");
        loaded += 1;
    }
    assert!(loaded >= 4, "{text}");
    assert!(!text.contains("./"), "{text}");
    assert_eq!(send(&front, open("/docs/nothing.js"), "").await.status, StatusCode::NOT_FOUND);
    let initializer = send(&front, open("/docs/swagger-initializer.js"), "").await;
    assert!(String::from_utf8_lossy(&initializer.body).contains("/openapi.json"));
}

#[tokio::test]
async fn a_scraper_gets_the_format_that_it_asks_for() {
    let front = front();
    let open = || http::Request::builder().uri("/metrics");
    assert!(send(&front, open(), "").await.header(CONTENT_TYPE).starts_with("text/plain; version=0.0.4"));
    let asked = send(&front, open().header(ACCEPT, "application/openmetrics-text;version=1.0.0,*/*;q=0.1"), "").await;
    assert!(asked.header(CONTENT_TYPE).starts_with("application/openmetrics-text"));
    assert!(String::from_utf8_lossy(&asked.body).contains("hub_http_requests"));
}

#[test]
fn every_endpoint_is_in_the_table_of_contents() {
    let document = openapi::document();
    for template in document.paths.paths.keys() {
        assert!(routes::ENDPOINTS.iter().any(|endpoint| endpoint.template == template), "{template}");
    }
}
