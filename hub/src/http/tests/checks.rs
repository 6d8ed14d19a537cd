//! The order of checks, and what each of them says.

use http::StatusCode;
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};

use super::support::House;
use crate::http::views::Health;

#[tokio::test]
async fn the_token_comes_before_the_route() {
    let house = House::open().await;
    let anonymous = |path: &str| http::Request::builder().uri(path);
    for path in ["/", "/nowhere", "/clients/profile", "/clients/profile/CL-1", "/admin/tree"] {
        let reply = house.send(anonymous(path), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "token-missing"), "{path}");
        assert!(reply.header(WWW_AUTHENTICATE).starts_with("Bearer error="));
    }
    let forged = anonymous("/clients/profile").header(AUTHORIZATION, "Bearer e30.e30.e30");
    assert_eq!(house.code(forged, "").await, "token-invalid");
}

#[tokio::test]
async fn what_is_no_route_is_404_and_what_is_another_method_is_405() {
    let house = House::open().await;
    for path in
        ["/", "/nowhere", "/clients", "/clients/profile/", "/clients/profile/a/b", "//clients/profile", "/admin"]
    {
        assert_eq!(house.get(path).await.code(), "route-not-found", "{path}");
    }
    for (method, path, allow) in [
        ("PATCH", "/clients/profile", "GET, HEAD, POST"),
        ("POST", "/clients/profile/CL-1", "DELETE, GET, HEAD, PUT"),
        ("GET", "/clients/device/lock", "POST"),
        ("POST", "/metrics", "GET, HEAD"),
        ("OPTIONS", "/openapi.json", "GET, HEAD"),
    ] {
        let reply = house.send(house.ask(method, path), "").await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(reply.header(ALLOW), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let house = House::open().await;
    for path in ["/clients/profile", "/openapi.json", "/docs", "/docs/index.css", "/health/live", "/nowhere"] {
        let (get, head) = (house.get(path).await, house.send(house.ask("HEAD", path), "").await);
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header(CONTENT_TYPE), get.header(CONTENT_TYPE), "{path}");
        assert_eq!(head.header(CONTENT_LENGTH), get.body.len().to_string(), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
    let reply = house.send(house.ask("HEAD", "/clients/device/lock"), "").await;
    assert_eq!((reply.status, reply.header(ALLOW)), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn media_types_and_json_come_before_the_policy() {
    let house = House::open().await;
    let nobody = house.token("x", &[]);
    let post = || house.ask_as(&nobody, "POST", "/clients/profile");
    assert_eq!(house.code(post(), "{}").await, "unsupported-media-type");
    assert_eq!(house.code(post().header(CONTENT_TYPE, "text/plain"), "{}").await, "unsupported-media-type");
    let json = || post().header(CONTENT_TYPE, "application/json");
    for body in ["", "{", "{\"kind\":1,\"kind\":2}", "nul"] {
        assert_eq!(house.code(json(), body).await, "malformed-json", "{body}");
    }
    assert_eq!(house.code(json().header(ACCEPT, "text/html"), "{").await, "not-acceptable");
    assert_eq!(house.code(json().header("idempotency-key", ""), "{}").await, "malformed-query");
    assert_eq!(house.code(json(), "{}").await, "forbidden");
}

#[tokio::test]
async fn the_policy_comes_before_existence_and_existence_before_fields() {
    let house = House::open().await;
    let (officer, support) = (house.token("x", &["RP002"]), house.token("y", &["RP004"]));
    let json = |token: &str, method, path| house.ask_as(token, method, path).header(CONTENT_TYPE, "application/json");
    let reply = house.send(json(&officer, "PUT", "/clients/profile/CL-0"), "{}").await;
    assert_eq!((reply.code().as_str(), reply.json()["policy"].as_str()), ("forbidden", Some("P_BO_002")));
    assert_eq!(reply.json()["action"], "CL004");
    assert!(reply.json()["decisionId"].is_string());
    let admin = house.token("m", &["RP001"]);
    assert_eq!(house.code(json(&admin, "PUT", "/clients/profile/CL-0"), "{}").await, "client-not-found");
    let lock = |body: &'static str| house.code(json(&support, "POST", "/clients/device/lock"), body);
    assert_eq!(lock("{\"device\": \"DV-0\"}").await, "device-not-found");
    assert_eq!(lock("{\"locked\": true}").await, "validation-failed");
    let ended = house.sign("m", "o", &["RP001"], Some("ended"));
    let reply = house.send(house.ask_as(&ended, "GET", "/clients/profile"), "").await;
    assert_eq!((reply.status, reply.json()["policy"].as_str()), (StatusCode::FORBIDDEN, Some("P_BO_001")));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_one_error_at_its_root() {
    let house = House::open().await;
    for body in ["[]", "1", "null", "\"x\""] {
        let request = house.ask("POST", "/clients/profile").header(CONTENT_TYPE, "application/json");
        let reply = house.send(request, body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(reply.json()["errors"][0]["pointer"], "", "{body}");
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_413_and_ends_the_connection() {
    let house = House::open().await;
    let post = house.ask("POST", "/clients/profile").header(CONTENT_TYPE, "application/json");
    let reply = house.send(post, vec![b' '; 2 << 20]).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"));
    assert_eq!(reply.header("connection"), "close");
}

#[tokio::test]
async fn queries_are_strict() {
    let house = House::open().await;
    for query in ["limit=0", "limit=201", "colour=red", "limit=1&limit=2", "starred=1", "sort=x", "filter=%zz"] {
        let reply = house.get(&format!("/clients/profile?{query}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "malformed-query"), "{query}");
    }
    let reply = house.get("/clients/profile?filter=name%20xx%20%22a%22").await;
    assert_eq!(reply.code(), "malformed-filter");
    assert!(reply.json()["position"].is_u64());
    assert_eq!(house.get("/clients/profile?cursor=zzz").await.code(), "malformed-cursor");
    assert_eq!(house.get("/clients/profile/CL-1?x=1").await.code(), "malformed-query");
    assert_eq!(house.get("/admin/sync/parked?adapter=x").await.code(), "malformed-query");
}

#[tokio::test]
async fn an_unknown_reference_of_any_shape_is_not_found() {
    let house = House::open().await;
    for reference in ["CL-1", "%00", "%ff", "..%2f..", "a%20b", "%F0%9F%98%80"] {
        let reply = house.get(&format!("/clients/profile/{reference}")).await;
        assert_eq!(reply.code(), "client-not-found", "{reference}");
    }
}

#[tokio::test]
async fn every_answer_has_the_request_id() {
    let house = House::open().await;
    let reply = house.send(house.ask("GET", "/nowhere").header("x-request-id", "mine"), "").await;
    assert_eq!((reply.header("x-request-id"), reply.json()["instance"].as_str()), ("mine", Some("mine")));
    let reply = house.send(http::Request::builder().uri("/health/live"), "").await;
    assert_eq!((reply.status, reply.header("x-request-id").len()), (StatusCode::OK, 36));
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let house = House::open().await;
    *house.health.lock() = None;
    let reply = house.get("/health/ready").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("unwrap"));
}

#[tokio::test]
async fn readiness_is_503_only_where_nothing_can_be_served() {
    let house = House::open().await;
    for (health, status) in [(Health::Ok, 200), (Health::Degraded, 200), (Health::Down, 503)] {
        *house.health.lock() = Some(health);
        let reply = house.get("/health/ready").await;
        assert_eq!(reply.status.as_u16(), status, "{health:?}");
        assert_eq!(reply.json()["parts"][0]["name"], "journal");
    }
}

#[tokio::test]
async fn too_many_requests_are_429() {
    let house = House::with_limits(1, 1_000).await;
    assert_eq!(house.get("/nowhere").await.code(), "route-not-found");
    let reply = house.get("/nowhere").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "rate-limited"));
    assert_eq!(reply.header("ratelimit-policy"), "\"address\";q=1;w=1");
    let house = House::with_limits(1_000, 1).await;
    assert_eq!(house.get("/nowhere").await.code(), "route-not-found");
    assert_eq!(house.get("/nowhere").await.header("ratelimit-policy"), "\"member\";q=1;w=1");
}
