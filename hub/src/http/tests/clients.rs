//! Clients over the front: what is made is read, listed, changed once, and told again to who asks again.

use http::StatusCode;
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION};
use serde_json::json;

use super::support::{House, company};

#[tokio::test]
async fn a_client_is_made_read_changed_and_archived() {
    let house = House::open().await;
    let made = house.put("POST", "/clients/profile", &company(1)).await;
    assert_eq!((made.status, made.header(ETAG)), (StatusCode::CREATED, "\"1\""));
    let path = made.header(LOCATION).to_owned();
    let read = house.get(&path).await;
    assert_eq!((read.json(), read.header(ETAG)), (made.json(), "\"1\""));
    assert_eq!(read.json()["status"], "pending");

    let mut wanted = read.json();
    wanted["email"] = json!("ops@meridian.example");
    let put =
        |tag: &str| house.ask("PUT", &path).header(CONTENT_TYPE, "application/json").header(IF_MATCH, tag.to_owned());
    for stale in ["\"7\"", "W/\"1\"", "\"x\""] {
        assert_eq!(house.code(put(stale), wanted.to_string()).await, "version-mismatch", "{stale}");
    }
    assert_eq!(house.code(put("1"), wanted.to_string()).await, "malformed-query");
    let changed = house.send(put("\"9\", \"1\""), wanted.to_string()).await;
    assert_eq!((changed.status, changed.header(ETAG)), (StatusCode::OK, "\"2\""));
    let again = house.send(put("*"), wanted.to_string()).await;
    assert_eq!((again.status, again.header(ETAG)), (StatusCode::OK, "\"2\""), "nothing changed");

    let archived = house.send(house.ask("DELETE", &path), "").await;
    assert_eq!((archived.status, archived.json()["status"].as_str()), (StatusCode::OK, Some("archived")));
    let again = house.send(house.ask("DELETE", &path), "").await;
    assert_eq!((again.status, again.header(ETAG)), (StatusCode::OK, archived.header(ETAG)));
    assert_eq!(house.put("PUT", &path, &wanted).await.code(), "client-archived");
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_was() {
    let house = House::open().await;
    let post = || {
        house.ask("POST", "/clients/profile").header(CONTENT_TYPE, "application/json").header("idempotency-key", "k-1")
    };
    let first = house.send(post(), company(1).to_string()).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    let again = house.send(post(), company(1).to_string()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!((again.json(), again.header(LOCATION)), (first.json(), first.header(LOCATION)));
    assert_eq!(house.code(post(), company(2).to_string()).await, "idempotency-key-reused");
    assert_eq!(house.put("POST", "/clients/profile", &company(1)).await.code(), "duplicate-client");
}

#[tokio::test]
async fn a_list_is_walked_along_its_links_and_shows_each_client_once() {
    let house = House::open().await;
    for number in 0..7 {
        house.client(number).await;
    }
    let mut path = "/clients/profile?limit=3&sort=-name".to_owned();
    let mut names = Vec::new();
    loop {
        let page = house.get(&path).await;
        assert_eq!(page.json()["total"], 7);
        let items = page.json()["items"].as_array().unwrap().clone();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let link = page.header(LINK).to_owned();
        assert_eq!(link.is_empty(), page.json()["next"].is_null());
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        path = next.to_owned();
    }
    let expected: Vec<String> = (0..7).rev().map(|number| format!("Company {number:03}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_favourite_belongs_to_the_member() {
    let house = House::open().await;
    let reference = house.client(1).await;
    let star = format!("/clients/starred/{reference}");
    let toggled = house.send(house.ask("POST", &star), "").await;
    assert_eq!(toggled.json(), json!({"reference": reference, "starred": true}));
    assert_eq!(house.put("POST", &star, &json!({"starred": true})).await.json()["starred"], true);
    assert_eq!(house.get(&format!("/clients/profile/{reference}")).await.json()["starred"], true);
    assert_eq!(house.get("/clients/profile?starred=true").await.json()["total"], 1);
    let other = house.token("other", &["RP001"]);
    let seen = house.send(house.ask_as(&other, "GET", "/clients/profile?starred=true"), "").await;
    assert_eq!(seen.json()["total"], 0);
}

#[tokio::test]
async fn members_of_other_organisations_see_nothing() {
    let house = House::open().await;
    let reference = house.client(1).await;
    let stranger = house.sign("m", "elsewhere", &["RP001"], Some("active"));
    for (method, path) in
        [("GET", "profile"), ("DELETE", "profile"), ("GET", "history"), ("GET", "device"), ("POST", "starred")]
    {
        let request = house.ask_as(&stranger, method, &format!("/clients/{path}/{reference}"));
        assert_eq!(house.code(request, "").await, "client-not-found", "{method} {path}");
    }
    let list = house.send(house.ask_as(&stranger, "GET", "/clients/profile"), "").await;
    assert_eq!(list.json()["total"], 0);
}

#[tokio::test]
async fn history_shows_who_did_what_newest_first() {
    let house = House::open().await;
    let reference = house.client(1).await;
    house.send(house.ask("DELETE", &format!("/clients/profile/{reference}")), "").await;
    let first = house.get(&format!("/clients/history/{reference}?limit=1")).await;
    assert_eq!(first.json()["items"][0]["kind"], "client.archived");
    assert_eq!(first.json()["items"][0]["action"], "CL005");
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = house.get(&format!("/clients/history/{reference}?cursor={next}")).await;
    assert_eq!(second.json()["items"][0]["kind"], "client.created");
    assert_eq!(house.get(&format!("/clients/history/CL-other?cursor={next}")).await.code(), "malformed-cursor");
}

#[tokio::test]
async fn a_document_is_kept_and_listed() {
    let house = House::open().await;
    let path = format!("/clients/documents/{}", house.client(1).await);
    let body = "--B\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\npassport\r\n\
        --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.pdf\"\r\n\r\n%PDF-1.7\r\n--B--\r\n";
    let compliance = house.token("c", &["RP003"]);
    let post = || house.ask_as(&compliance, "POST", &path).header(CONTENT_TYPE, "multipart/form-data; boundary=B");
    let made = house.send(post(), body).await;
    assert_eq!((made.status, made.json()["mediaType"].as_str()), (StatusCode::CREATED, Some("application/pdf")));
    assert_eq!(house.get(&path).await.json()["items"][0]["id"], made.json()["id"]);
    assert_eq!(house.put("POST", &path, &json!({})).await.code(), "unsupported-media-type");
    let support = house.token("s", &["RP004"]);
    let denied = house.ask_as(&support, "POST", &path).header(CONTENT_TYPE, "multipart/form-data; boundary=B");
    assert_eq!(house.code(denied, body).await, "forbidden");
}
