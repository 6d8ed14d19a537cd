//! What the hub says of itself: the contract, its page and the metrics.

use std::collections::BTreeSet;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde_json::Value;

use super::support::House;
use crate::http::{openapi, routes};

#[tokio::test]
async fn every_documented_operation_has_its_route() {
    let house = House::open().await;
    let document = serde_json::to_value(openapi::document()).unwrap();
    for (template, item) in document["paths"].as_object().unwrap() {
        let path = template.replace("{reference}", "CL-1").replace("{id}", "1");
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = house.send(house.ask(method.as_str(), &path), "").await;
            let lost = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::INTERNAL_SERVER_ERROR].contains(&reply.status)
                || (reply.status == StatusCode::NOT_FOUND && reply.code() == "route-not-found");
            assert!(!lost, "{method} {template}: {}", reply.status);
            let documented = &item[method.as_str().to_lowercase()]["responses"][reply.status.as_str()];
            let media = reply.header(CONTENT_TYPE).split(';').next().unwrap();
            assert!(documented["content"].get(media).is_some(), "{method} {template}: {} {media}", reply.status);
        }
    }
}

/// What nothing can satisfy: to be of two types at once.
fn impossible<'a>(schema: &'a Value, path: &str, found: &mut Vec<String>) {
    let types = |all: &'a Value| all.as_array().into_iter().flatten().filter_map(|one| one.get("type")?.as_str());
    if schema.get("allOf").map(|all| types(all).collect::<BTreeSet<_>>()).is_some_and(|types| types.len() > 1) {
        found.push(path.to_owned());
    }
    match schema {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| impossible(member, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| impossible(item, path, found)),
        _ => {}
    }
}

#[test]
fn no_schema_asks_for_two_types_at_once() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let mut found = Vec::new();
    impossible(&document, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_documented_path_is_in_the_table_of_contents() {
    let document = openapi::document();
    for template in document.paths.paths.keys() {
        assert!(routes::ENDPOINTS.iter().any(|endpoint| endpoint.template == template), "{template}");
    }
}

/// The members of an object schema, whatever it is composed of.
fn members<'a>(document: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    if let Some(target) = schema["$ref"].as_str() {
        return members(document, document.pointer(target.trim_start_matches('#')).unwrap());
    }
    let own = schema["properties"].as_object().into_iter().flat_map(serde_json::Map::keys).map(String::as_str);
    let composed = ["allOf", "oneOf", "anyOf"].iter().filter_map(|kind| schema[*kind].as_array()).flatten();
    own.chain(composed.flat_map(|part| members(document, part))).collect()
}

#[tokio::test]
async fn what_goes_out_has_the_members_that_are_documented() {
    let house = House::open().await;
    let reference = house.client(1).await;
    let document = serde_json::to_value(openapi::document()).unwrap();
    for template in ["/clients/profile/{reference}", "/clients/profile", "/clients/history/{reference}"] {
        let shown = house.get(&template.replace("{reference}", &reference)).await.json();
        let response = &document["paths"][template]["get"]["responses"]["200"];
        let schema = &response["content"]["application/json"]["schema"];
        same_members(&document, schema, &shown, template);
        if let Some(first) = shown["items"].get(0) {
            let page = document.pointer(schema["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
            same_members(&document, &page["properties"]["items"]["items"], first, template);
        }
    }
}

fn same_members(document: &Value, schema: &Value, shown: &Value, what: &str) {
    let documented = members(document, schema);
    for member in shown.as_object().unwrap().keys() {
        assert!(documented.contains(member.as_str()), "{what}: {member} is not documented");
    }
    let resolved =
        schema["$ref"].as_str().map_or(schema, |target| document.pointer(target.trim_start_matches('#')).unwrap());
    for member in resolved["required"].as_array().unwrap() {
        assert!(shown.get(member.as_str().unwrap()).is_some(), "{what}: {member} is required and not there");
    }
}

#[tokio::test]
async fn the_page_and_what_it_loads_come_from_here() {
    let house = House::open().await;
    let open = |path: &str| http::Request::builder().uri(path.to_owned());
    let page = house.send(open("/docs"), "").await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(page.header(CONTENT_TYPE).starts_with("text/html"));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let told = |name: &str| page.header(name).to_owned();
    assert_eq!((told("x-frame-options"), told("x-content-type-options")), ("DENY".into(), "nosniff".into()));
    assert_eq!(
        (told("referrer-policy"), told("cross-origin-opener-policy")),
        ("no-referrer".into(), "same-origin".into())
    );
    let mut loaded = 0;
    for path in text.split(['"', '\'']).filter(|part| part.contains("/docs/")) {
        // As browsers ask: for styles, for images, for scripts.
        for accept in ["text/css,*/*;q=0.1", "image/avif,image/png,*/*;q=0.8", "*/*"] {
            assert_eq!(house.send(open(path).header(ACCEPT, accept), "").await.status, StatusCode::OK, "{path}");
        }
        loaded += 1;
    }
    assert!(loaded >= 4 && !text.contains("./"), "{text}");
    assert_eq!(house.send(open("/docs/nothing.js"), "").await.status, StatusCode::NOT_FOUND);
    let initializer = house.send(open("/docs/swagger-initializer.js"), "").await;
    let initializer = String::from_utf8_lossy(&initializer.body).into_owned();
    assert!(initializer.contains("/openapi.json") && !initializer.contains("://"), "{initializer}");
}

#[tokio::test]
async fn a_scraper_gets_the_format_that_it_asks_for() {
    let house = House::open().await;
    let open = || http::Request::builder().uri("/metrics");
    assert!(house.send(open(), "").await.header(CONTENT_TYPE).starts_with("text/plain; version=0.0.4"));
    let asked = house.send(open().header(ACCEPT, "application/openmetrics-text;version=1.0.0,*/*;q=0.1"), "").await;
    assert!(asked.header(CONTENT_TYPE).starts_with("application/openmetrics-text"));
    assert!(String::from_utf8_lossy(&asked.body).contains("hub_http_requests"));
}
