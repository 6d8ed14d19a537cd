//! The REST contract from outside: problems, bodies, filters, cursors, entity tags, idempotency, lists and history.

use std::collections::{BTreeMap, HashSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Member, Reply, World, encoded, run, samples};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = fields.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    pairs.sort();
    pairs
}

/// A body that was made by hand.
async fn raw(member: &Member<'_>, method: Method, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Reply {
    member.send(member.request(method, path).header("content-type", kind).body(body)).await
}

#[test]
fn malformed_json_is_400_and_never_more() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("json"));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let nested = format!("{}1{}", "{\"a\":".repeat(2_000), "}".repeat(2_000));
        let bodies: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b"{".to_vec(),
            b"{]".to_vec(),
            b"nonsense".to_vec(),
            b"{\"kind\": \"corporate\",}".to_vec(),
            b"{} {}".to_vec(),
            b"{\"name\": \"\xff\xfe\"}".to_vec(),
            b"{'kind': 1}".to_vec(),
            b"{\"n\": NaN}".to_vec(),
            b"{\"a\": \"\\ud800\"}".to_vec(),
            deep.into_bytes(),
            nested.into_bytes(),
        ];
        for (place, body) in bodies.into_iter().enumerate() {
            let reply = raw(&admin, Method::POST, "/clients/profile", "application/json", body).await;
            assert_eq!(reply.status, 400, "body {place}: {reply:?}");
            reply.problem(400, "malformed-json");
        }
        // The same name twice would leave open which one counts.
        let twice = "{\"kind\": \"corporate\", \"kind\": \"individual\"}";
        raw(&admin, Method::POST, "/clients/profile", "application/json", twice).await.problem(400, "malformed-json");
        raw(&admin, Method::POST, "/clients/device/lock", "application/json", "{").await.problem(400, "malformed-json");
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 0);
    });
}

#[test]
fn every_field_that_is_wrong_is_named_at_once() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("fields"));
        for body in [json!([]), json!("x"), json!(7), json!(null), json!(true)] {
            let reply = admin.post("/clients/profile", &body).await;
            assert_eq!(reply.fields(), pairs(&[("", "wrong-type")]), "{body}");
        }
        let pointers = |reply: &Reply| reply.fields().into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>();
        assert_eq!(admin.post("/clients/profile", &json!({})).await.fields(), pairs(&[("/kind", "required")]));
        let lacking = json!({"kind": "corporate", "corporate": {}});
        let expected = ["/corporate/legalName", "/corporate/registrationNumber", "/name"];
        assert_eq!(pointers(&admin.post("/clients/profile", &lacking).await), expected);
        let lacking = json!({"kind": "individual", "individual": {}});
        let expected = ["dateOfBirth", "familyName", "givenName", "nationalId", "nationality"];
        let expected: Vec<_> = expected.iter().map(|name| format!("/individual/{name}")).collect();
        assert_eq!(pointers(&admin.post("/clients/profile", &lacking).await), expected);

        let wrong = json!({
            "kind": "corporate", "name": "  ", "colour": "red",
            "corporate": {
                "legalName": "A\u{7}B", "registrationNumber": 7, "lei": "529900T8BM49AURSDO56", "taxId": {}, "industry": "farm",
                "incorporatedOn": "2012-02-30", "contacts": [{"name": "x"}, {"role": 1, "email": "no", "phone": "12", "x/y~z": 1}]
            },
            "email": "nobody@", "phone": "+44", "address": {"country": "XX", "line1": ["a"], "street": "s"},
            "segment": "", "language": "not a language", "tags": ["ok", 1, "x".repeat(41)], "assignedTo": "m-1"
        });
        let found = pointers(&admin.post("/clients/profile", &wrong).await);
        let expected = [
            "/address/country",
            "/address/line1",
            "/address/street",
            "/assignedTo",
            "/colour",
            "/corporate/contacts/1/email",
            "/corporate/contacts/1/name",
            "/corporate/contacts/1/phone",
            "/corporate/contacts/1/role",
            "/corporate/contacts/1/x~1y~0z",
            "/corporate/incorporatedOn",
            "/corporate/industry",
            "/corporate/legalName",
            "/corporate/lei",
            "/corporate/registrationNumber",
            "/corporate/taxId",
            "/email",
            "/language",
            "/name",
            "/phone",
            "/segment",
            "/tags/1",
            "/tags/2",
        ];
        assert_eq!(found, expected);
        let unknown = admin.post("/clients/profile", &wrong).await.fields();
        for pointer in ["/colour", "/address/street", "/corporate/contacts/1/x~1y~0z"] {
            assert!(unknown.contains(&(pointer.to_owned(), "unknown-field".to_owned())), "{pointer}: {unknown:?}");
        }
        for (member, value) in [
            ("dateOfBirth", json!("1899-12-31")),
            ("dateOfBirth", json!("2999-01-01")),
            ("dateOfBirth", json!("1988-02-30")),
            ("nationality", json!("ZZ")),
            ("nationality", json!("PRT")),
            ("givenName", json!("")),
            ("familyName", json!("x".repeat(201))),
            ("nationalId", json!(null)),
        ] {
            let mut person = samples::person();
            person["individual"][member] = value.clone();
            let reply = admin.post("/clients/profile", &person).await;
            assert_eq!(pointers(&reply), [format!("/individual/{member}")], "{value}");
        }
        let mut both = samples::company();
        both["individual"] = samples::person()["individual"].clone();
        assert_eq!(pointers(&admin.post("/clients/profile", &both).await), ["/individual"]);
        let mut named = samples::person();
        named["name"] = "Somebody Else".into();
        assert_eq!(pointers(&admin.post("/clients/profile", &named).await), ["/name"]);
        // Commands on devices say it the same way, once the device is known to be there.
        let lock = admin.post("/clients/device/lock", &json!({"locked": "yes", "why": 1})).await;
        assert_eq!(pointers(&lock), ["/device", "/locked", "/why"]);
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 0);
    });
}

#[test]
fn what_is_valid_is_taken_as_it_is() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("valid"));
        let mut company = samples::company();
        company["corporate"]["lei"] = "529900T8BM49AURSDO55".into();
        company["name"] = "  Åse & Søn — 株式会社  ".into();
        company["externalReference"] = "X-77".into();
        company["address"]["line2"] = Value::Null;
        let created = admin.create(&company).await;
        assert_eq!(created["name"], "Åse & Søn — 株式会社");
        assert_eq!((&created["externalReference"], &created["createdBy"]), (&json!("X-77"), &json!("m-1")));
        let mut same = samples::company();
        same["externalReference"] = "X-77".into();
        admin.post("/clients/profile", &same).await.problem(409, "duplicate-reference");
        company["externalReference"] = "X-78".into();
        admin.post("/clients/profile", &company).await.problem(409, "duplicate-client");
        let person = samples::person();
        admin.create(&person).await;
        admin.post("/clients/profile", &person).await.problem(409, "duplicate-client");
        // The server's own members are ignored when sent back, also on creation.
        let mut back = samples::person();
        back["reference"] = "CL-MINE".into();
        back["version"] = json!("x");
        back["status"] = "active".into();
        back["kyc"] = json!({"status": "approved"});
        let client = admin.create(&back).await;
        assert_ne!(client["reference"], "CL-MINE");
        assert_eq!((&client["status"], &client["kyc"]["status"]), (&json!("pending"), &json!("pending")));
        // What was read can be sent, and changes nothing.
        let reference = text(&client["reference"]);
        let settled = admin.settled(reference).await;
        let put = admin.put(&format!("/clients/profile/{reference}"), &settled).await.ok(200);
        assert_eq!(put["version"], settled["version"]);
        // The kind can't change.
        admin
            .put(&format!("/clients/profile/{reference}"), &samples::company())
            .await
            .problem(422, "validation-failed");
    });
}

#[test]
fn routes_methods_and_media_types_are_strict() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("routes"));
        for path in
            ["/", "/clients", "/clients/", "/client/profile", "/clients/profile/", "/v1/clients/profile", "/admin"]
        {
            admin.get(path).await.problem(404, "route-not-found");
        }
        for (method, path, allowed) in [
            (Method::PATCH, "/clients/profile", &["GET", "POST"][..]),
            (Method::DELETE, "/clients/profile", &["GET", "POST"]),
            (Method::POST, "/clients/profile/CL-1", &["GET", "PUT", "DELETE"]),
            (Method::POST, "/clients/accounts/CL-1", &["GET"]),
            (Method::PUT, "/clients/starred/CL-1", &["POST"]),
            (Method::GET, "/clients/starred/CL-1", &["POST"]),
            (Method::POST, "/admin/tree", &["GET"]),
        ] {
            let reply = admin.send(admin.request(method.clone(), path)).await;
            reply.problem(405, "method-not-allowed");
            let allow: HashSet<_> = reply.header("allow").unwrap().split(',').map(str::trim).collect();
            for method in allowed {
                assert!(allow.contains(method), "{path}: {allow:?} lacks {method}");
            }
            assert!(!allow.contains(method.as_str()), "{path}: {allow:?}");
        }
        for accept in ["text/html", "application/xml", "application/json;q=0"] {
            let request = admin.request(Method::GET, "/clients/profile").header("accept", accept);
            admin.send(request).await.problem(406, "not-acceptable");
        }
        for accept in ["*/*", "application/*", "text/html, application/json;q=0.1"] {
            let request = admin.request(Method::GET, "/clients/profile").header("accept", accept);
            admin.send(request).await.ok(200);
        }
        let body = samples::company().to_string();
        for kind in
            ["text/plain", "application/xml", "application/json; charset=latin1", "application/x-www-form-urlencoded"]
        {
            let reply = raw(&admin, Method::POST, "/clients/profile", kind, body.clone()).await;
            reply.problem(415, "unsupported-media-type");
        }
        let untyped = admin.request(Method::POST, "/clients/profile").body(body.clone());
        admin.send(untyped).await.problem(415, "unsupported-media-type");
        let zipped = admin.request(Method::POST, "/clients/profile").header("content-encoding", "gzip");
        let zipped = zipped.header("content-type", "application/json").body(body.clone());
        admin.send(zipped).await.problem(415, "unsupported-media-type");
        raw(&admin, Method::POST, "/clients/profile", "application/json; charset=utf-8", body).await.ok(201);
        for query in [
            "limit=0",
            "limit=201",
            "limit=x",
            "limit=1&limit=2",
            "sort=age",
            "sort=",
            "starred=yes",
            "page=2",
            "filter=%zz",
        ] {
            admin.get(&format!("/clients/profile?{query}")).await.problem(400, "malformed-query");
        }
    });
}

#[test]
fn a_body_beyond_the_limit_is_answered() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("large"));
        let padded = |size: usize| {
            let mut body = samples::company().to_string();
            body.push_str(&" ".repeat(size - body.len()));
            body
        };
        for size in [(1 << 20) + 1, 2 << 20] {
            let reply = raw(&admin, Method::POST, "/clients/profile", "application/json", padded(size)).await;
            reply.problem(413, "body-too-large");
        }
        raw(&admin, Method::POST, "/clients/profile", "application/json", padded(1 << 20)).await.ok(201);
        // Counted, not read off the header: the same without a length.
        let chunks = (0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 << 10]));
        let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
        raw(&admin, Method::POST, "/clients/profile", "application/json", body).await.problem(413, "body-too-large");
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 1);
    });
}

#[test]
fn the_order_of_checks_is_fixed() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("order");
        let (admin, officer) = (world.admin(&org), world.member(&org, "m-2", &["RP002"]));
        let reference = text(&admin.create(&samples::company()).await["reference"]).to_owned();
        // Route, before the body; media type and JSON, before policy; policy, before existence; existence, before fields.
        raw(&officer, Method::POST, "/clients/nowhere", "text/plain", "{").await.problem(404, "route-not-found");
        raw(&officer, Method::POST, "/clients/profile", "text/plain", "{").await.problem(415, "unsupported-media-type");
        raw(&officer, Method::POST, "/clients/profile", "application/json", "{").await.problem(400, "malformed-json");
        officer.post("/clients/profile", &json!({"nonsense": 1})).await.denied("CL003");
        officer.put("/clients/profile/CL-NOBODY", &json!({"nonsense": 1})).await.denied("CL004");
        let nobody = admin.put("/clients/profile/CL-NOBODY", &json!({"nonsense": 1})).await;
        nobody.problem(404, "client-not-found");
        let path = format!("/clients/profile/{reference}");
        admin.delete(&path).await.ok(200);
        // Fields, before state.
        admin.put(&path, &json!({"kind": 1})).await.problem(422, "validation-failed");
        admin.put(&path, &samples::company()).await.problem(409, "client-archived");
        // A reference of any shape is just unknown.
        for odd in ["..%2f..%2fetc%2fpasswd", "%00", "CL-", "%F0%9F%92%A9", "null", "0", &"x".repeat(5_000)] {
            let reply = admin.get(&format!("/clients/profile/{odd}")).await;
            reply.problem(404, "client-not-found");
        }
    });
}

#[test]
fn filters_that_can_not_be_read_say_where() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("filters"));
        for (filter, position) in [
            ("", 0),
            ("name eq", 7),
            ("name xx \"a\"", 5),
            ("nme eq \"a\"", 0),
            ("name eq \"a", 8),
            ("(name pr", 8),
            ("name pr)", 7),
            ("name pr and", 11),
            ("name eq \"ü\" and colour pr", 17),
            ("createdAt gt \"yesterday\"", 13),
            ("status eq 'active'", 10),
            ("starred gt true", 8),
        ] {
            let problem = admin.search(filter).await.problem(400, "malformed-filter");
            assert_eq!(problem["position"], position, "{filter}: {problem}");
        }
        let nested = format!("{}name pr{}", "(".repeat(1_000), ")".repeat(1_000));
        let problem = admin.search(&nested).await.problem(400, "malformed-filter");
        assert_eq!(problem["position"], 32, "{problem}");
        let negated = format!("{}name pr{}", "not (".repeat(800), ")".repeat(800));
        admin.search(&negated).await.problem(400, "malformed-filter");
        let long = format!("name eq \"{}\"", "x".repeat(4_096));
        admin.search(&long).await.problem(400, "malformed-filter");
        let wide = vec!["name pr"; 300].join(" or ");
        admin.search(&wide).await.ok(200);
    });
}

#[test]
fn filters_find_what_they_say() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("search");
        let admin = world.admin(&org);
        let mut one = samples::company();
        one["name"] = "Zürich Re".into();
        one["segment"] = "large".into();
        one["tags"] = json!(["priority", "reinsurance"]);
        one["address"] = json!({"city": "Zürich", "country": "CH"});
        let mut two = samples::company();
        two["name"] = "Alder & Co".into();
        two["assignedTo"] = json!(["m-9"]);
        two["tags"] = json!([]);
        let three = samples::person();
        for body in [&one, &two, &three] {
            let created = admin.create(body).await;
            admin.settled(text(&created["reference"])).await;
        }
        let person = format!("Ines {}", text(&three["individual"]["familyName"]));
        for (filter, expected) in [
            ("name eq \"zürich re\"".to_owned(), &["Zürich Re"][..]),
            ("name eq \"zu\u{308}rich RE\"".to_owned(), &["Zürich Re"]),
            ("name sw \"alder\" or address.country eq \"ch\"".to_owned(), &["Alder & Co", "Zürich Re"]),
            ("not (kind eq \"individual\") and tags eq \"priority\"".to_owned(), &["Zürich Re"]),
            ("tags contain \"reinsurance\"".to_owned(), &["Zürich Re"]),
            ("kind eq \"individual\" and kyc.status eq \"approved\"".to_owned(), &[&person]),
            ("individual.nationality eq \"pt\"".to_owned(), &[&person]),
            ("assignedTo eq \"m-9\"".to_owned(), &["Alder & Co"]),
            ("segment eq \"large\" and status ne \"suspended\"".to_owned(), &["Zürich Re"]),
            ("email ew \"@mail.example\"".to_owned(), &[&person]),
            ("createdAt gt \"2020-01-01T00:00:00Z\" and createdAt lt \"2021-01-01T00:00:00Z\"".to_owned(), &[]),
            (
                "createdAt ge \"2020-01-01T00:00:00+01:00\" and corporate.industry pr".to_owned(),
                &["Alder & Co", "Zürich Re"],
            ),
            ("status eq \"archived\"".to_owned(), &[]),
            ("starred eq true".to_owned(), &[]),
        ] {
            let page = admin.search(&filter).await.ok(200);
            let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| text(&item["name"])).collect();
            assert_eq!(names, expected, "{filter}");
            assert_eq!(page["total"], expected.len(), "{filter}");
        }
    });
}

#[test]
fn a_walk_through_a_list_shows_every_client_once_while_others_change() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("walk");
        let admin = world.admin(&org);
        let mut still = HashSet::new();
        let mut restless = Vec::new();
        for place in 0..24 {
            let mut body = samples::company();
            body["name"] = format!("Client {place:02}").into();
            let reference = text(&admin.create(&body).await["reference"]).to_owned();
            if place % 3 == 0 {
                restless.push((reference, body));
            } else {
                still.insert(reference);
            }
        }
        world.settle().await;
        for sort in ["name", "-name", "createdAt", "-createdAt", "updatedAt", "-updatedAt", "status", "-status"] {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            let mut path = format!("/clients/profile?limit=5&sort={sort}");
            for page in 0.. {
                assert!(page < 20, "a walk without an end: {path}");
                let reply = admin.get(&path).await;
                let body = reply.ok(200);
                for item in body["items"].as_array().unwrap() {
                    *seen.entry(text(&item["reference"]).to_owned()).or_default() += 1;
                }
                let (reference, client) = &mut restless[page % 8];
                client["name"] = format!("Client {}", samples::unique() % 100).into();
                admin.put(&format!("/clients/profile/{reference}"), client).await.ok(200);
                let Some(next) = body["next"].as_str() else {
                    assert!(reply.header("link").is_none());
                    break;
                };
                let link = reply.header("link").unwrap();
                let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
                assert!(target.contains(next), "{link} leads elsewhere than {next}");
                path = target.to_owned();
            }
            for reference in &still {
                assert_eq!(seen.get(reference), Some(&1), "{sort}: {reference} in {seen:?}");
            }
        }
        for (sort, member) in
            [("name", "name"), ("createdAt", "createdAt"), ("updatedAt", "updatedAt"), ("status", "status")]
        {
            let sorted = async |sort: &str| {
                let page = admin.get(&format!("/clients/profile?limit=200&sort={sort}")).await.ok(200);
                let items = page["items"].as_array().unwrap().clone();
                items.iter().map(|item| text(&item[member]).to_owned()).collect::<Vec<_>>()
            };
            let up = sorted(sort).await;
            assert!(up.is_sorted(), "{sort}: {up:?}");
            let mut down = sorted(&format!("-{sort}")).await;
            down.reverse();
            assert_eq!(up, down, "-{sort} is not {sort} reversed");
        }
        // A cursor belongs to its query and to nothing else.
        let page = admin.get("/clients/profile?limit=5&sort=name").await.ok(200);
        let cursor = text(&page["next"]).to_owned();
        for query in [
            format!("sort=-name&cursor={cursor}"),
            format!("sort=name&starred=true&cursor={cursor}"),
            format!("sort=name&filter=name%20pr&cursor={cursor}"),
            format!("sort=name&cursor={}", &cursor[..cursor.len() - 2]),
            "cursor=".to_owned(),
            "cursor=bm9uc2Vuc2U".to_owned(),
            format!("cursor={}", "A".repeat(10_000)),
        ] {
            admin.get(&format!("/clients/profile?{query}")).await.problem(400, "malformed-cursor");
        }
        admin.get(&format!("/clients/profile?sort=name&limit=7&cursor={cursor}")).await.ok(200);
        // What a stranger does with it stays in the stranger's organisation.
        let stranger = world.admin(&samples::org("stranger"));
        let page = stranger.get(&format!("/clients/profile?sort=name&cursor={cursor}")).await.ok(200);
        assert_eq!((&page["total"], &page["items"]), (&json!(0), &json!([])));
    });
}

#[test]
fn favourites_belong_to_the_member() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("stars");
        let (mine, other) = (world.admin(&org), world.member(&org, "m-2", &["RP004"]));
        let reference = text(&mine.create(&samples::company()).await["reference"]).to_owned();
        mine.create(&samples::company()).await;
        let settled = mine.settled(&reference).await;
        let path = format!("/clients/starred/{reference}");
        let toggle = async |member: &Member<'_>| {
            let reply = member.send(member.request(Method::POST, &path)).await;
            reply.ok(200)["starred"].as_bool().unwrap()
        };
        assert!(toggle(&mine).await);
        assert!(!toggle(&mine).await);
        assert!(toggle(&mine).await);
        assert_eq!(mine.post(&path, &json!({"starred": true})).await.ok(200)["starred"], true);
        let starred =
            async |member: &Member<'_>| member.get("/clients/profile?starred=true").await.ok(200)["total"].clone();
        assert_eq!((starred(&mine).await, starred(&other).await), (json!(1), json!(0)));
        assert_eq!(mine.search("starred eq true").await.ok(200)["total"], 1);
        assert_eq!(other.search("starred eq true").await.ok(200)["total"], 0);
        let client = mine.client(&reference).await;
        assert_eq!((&client["starred"], &client["version"]), (&json!(true), &settled["version"]));
        assert_eq!(mine.post(&path, &json!({"starred": false})).await.ok(200)["starred"], false);
        mine.post(&path, &json!({"starred": 1})).await.problem(422, "validation-failed");
        mine.post("/clients/starred/CL-NOBODY", &json!({})).await.problem(404, "client-not-found");
    });
}

#[test]
fn entity_tags_guard_against_lost_updates() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("etags"));
        let mut body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let view = admin.get(&path).await;
        let tag = view.header("etag").unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", view.json()["version"]));
        body["segment"] = "large".into();
        let put = async |tag: &str, body: &Value| {
            admin.send(admin.request(Method::PUT, &path).header("if-match", tag).json(body)).await
        };
        let edited = put(&tag, &body).await;
        assert_eq!(edited.ok(200)["segment"], "large");
        assert_ne!(edited.header("etag"), Some(tag.as_str()));
        body["segment"] = "small".into();
        put(&tag, &body).await.problem(412, "version-mismatch");
        for never in ["\"999\"", "W/\"1\"", "\"abc\""] {
            put(never, &body).await.problem(412, "version-mismatch");
        }
        for nonsense in ["7", "\"7", "*, \"1\""] {
            assert_eq!(put(nonsense, &body).await.status, 400, "{nonsense}");
        }
        put("*", &body).await.ok(200);
        let delete = admin.request(Method::DELETE, &path).header("if-match", &tag);
        admin.send(delete).await.problem(412, "version-mismatch");
        let current = admin.get(&path).await.header("etag").unwrap().to_owned();
        let list = format!("\"1\", {current}");
        admin.send(admin.request(Method::DELETE, &path).header("if-match", list)).await.ok(200);
        // Of many writers with one version exactly one wins.
        let body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let tag = admin.get(&path).await.header("etag").unwrap().to_owned();
        let racers = (0..20).map(|place| {
            let mut body = body.clone();
            body["segment"] = format!("racer-{place}").into();
            let request = admin.request(Method::PUT, &path).header("if-match", &tag).json(&body);
            let admin = &admin;
            async move { admin.send(request).await.status }
        });
        let statuses = futures::future::join_all(racers).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 19, "{statuses:?}");
    });
}

#[test]
fn a_repeat_with_its_key_answers_the_first_answer_again() {
    run(async {
        let world = World::start(crate::harness::Config::default()).await;
        let admin = world.admin("keys");
        let body = samples::company();
        let first = admin.post_once("k-1", "/clients/profile", &body).await;
        let created = first.ok(201);
        assert!(first.header("idempotency-replayed").is_none());
        let reference = text(&created["reference"]).to_owned();
        admin.settled(&reference).await;
        let same = |reply: &Reply| {
            assert_eq!(reply.ok(201), created, "the first answer, not the newest state");
            assert_eq!(reply.header("idempotency-replayed"), Some("true"));
            assert_eq!(
                (reply.header("location"), reply.header("etag")),
                (first.header("location"), first.header("etag"))
            );
        };
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        // After a change of the client too.
        let mut changed = body.clone();
        changed["segment"] = "large".into();
        admin.put(&format!("/clients/profile/{reference}"), &changed).await.ok(200);
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        admin.post_once("k-1", "/clients/profile", &changed).await.problem(422, "idempotency-key-reused");
        let star = format!("/clients/starred/{reference}");
        admin.post_once("k-1", &star, &json!({})).await.problem(422, "idempotency-key-reused");
        // A key is its member's own.
        let other = world.member("keys", "m-2", &["RP001"]);
        let theirs = samples::company();
        assert_ne!(other.post_once("k-1", "/clients/profile", &theirs).await.ok(201)["reference"], reference);
        // A refused request is not remembered.
        admin.post_once("k-2", "/clients/profile", &body).await.problem(409, "duplicate-client");
        admin.post_once("k-2", "/clients/profile", &json!({"kind": 1})).await.problem(422, "validation-failed");
        admin.post_once("k-2", "/clients/profile", &samples::company()).await.ok(201);
        for key in ["", "a b", &"k".repeat(256)] {
            assert_eq!(admin.post_once(key, "/clients/profile", &samples::company()).await.status, 400, "{key:?}");
        }
        // A toggle that was repeated by the network is one toggle; a PIN reset is one reset.
        let toggled = admin.post_once("k-3", &star, &json!({})).await.ok(200);
        assert_eq!(admin.post_once("k-3", &star, &json!({})).await.ok(200), toggled);
        let device = admin.devices(&reference).await[0]["device"].clone();
        let reset = json!({"device": device});
        let once = admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202);
        assert_eq!(admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202), once);
        // A command that changes nothing is remembered as well.
        let unlock = json!({"device": device, "locked": false});
        let nothing = admin.post_once("k-5", "/clients/device/lock", &unlock).await.ok(200);
        let lock = json!({"device": device, "locked": true});
        admin.post("/clients/device/lock", &lock).await.ok(200);
        let again = admin.post_once("k-5", "/clients/device/lock", &unlock).await;
        assert_eq!((again.ok(200), again.header("idempotency-replayed")), (nothing.clone(), Some("true")));
        world.settle().await;
        assert_eq!(
            world.outside.kinds("scim", &reference).await.iter().filter(|kind| *kind == "device.pinReset").count(),
            1
        );

        // After a restart, and after a rebuild of the state.
        world.down();
        world.up();
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        world.down();
        std::fs::remove_dir_all(world.folder().join("data/state")).unwrap();
        world.up();
        same(&admin.post_once("k-1", "/clients/profile", &body).await);
        assert_eq!(admin.post_once("k-4", "/clients/device/resetPIN", &reset).await.ok(202), once);
        assert_eq!(admin.post_once("k-3", &star, &json!({})).await.ok(200), toggled);
        assert_eq!(admin.post_once("k-5", "/clients/device/lock", &unlock).await.ok(200), nothing);
        admin.post_once("k-1", "/clients/profile", &changed).await.problem(422, "idempotency-key-reused");
    });
}

#[test]
fn a_hundred_requests_with_one_key_make_one_client() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("hundred"));
        let body = samples::company();
        let asked = (0..100).map(|_| admin.post_once("one-key", "/clients/profile", &body));
        let replies = futures::future::join_all(asked).await;
        let mut references = HashSet::new();
        let mut fresh = 0;
        for reply in &replies {
            match reply.status {
                201 => {
                    references.insert(text(&reply.ok(201)["reference"]).to_owned());
                    fresh += usize::from(reply.header("idempotency-replayed").is_none());
                }
                _ => drop(reply.problem(409, "request-in-progress")),
            }
        }
        assert_eq!((references.len(), fresh), (1, 1), "{references:?}");
        assert_eq!(admin.get("/clients/profile").await.ok(200)["total"], 1);
        // Without a key the claim on the company's number settles it.
        let body = samples::company();
        let asked = (0..50).map(|_| admin.post("/clients/profile", &body));
        let replies = futures::future::join_all(asked).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(made, 1);
        replies
            .iter()
            .filter(|reply| reply.status != 201)
            .for_each(|reply| drop(reply.problem(409, "duplicate-client")));
    });
}

#[test]
fn every_answer_carries_the_request_id() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("ids"));
        let with = |path: &str, id: &str| admin.request(Method::GET, path).header("x-request-id", id.to_owned());
        for path in ["/clients/profile", "/clients/profile/CL-NOBODY", "/nowhere", "/clients/profile?limit=0"] {
            let reply = admin.send(with(path, "abc-123")).await;
            assert_eq!(reply.header("x-request-id"), Some("abc-123"), "{path}");
        }
        let (one, two) = (admin.get("/clients/profile").await, admin.get("/clients/profile").await);
        assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
        // It is written to the journal.
        let request = admin.request(Method::POST, "/clients/profile").header("x-request-id", "create-77");
        let created = admin.send(request.json(&samples::company())).await.ok(201);
        let history = admin.get(&format!("/clients/history/{}", text(&created["reference"]))).await.ok(200);
        let found = |item: &Value| item["requestId"] == "create-77" && item["kind"] == "client.created";
        assert!(history["items"].as_array().unwrap().iter().any(found), "{history}");
        // What is no id is not taken over.
        let odd = admin.send(with("/clients/profile", &"x".repeat(3_000))).await;
        assert!(odd.header("x-request-id").unwrap().len() < 3_000);
    });
}

#[test]
fn history_says_who_did_what_when_and_through_which_action() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("history");
        let (admin, officer) = (world.admin(&org), world.member(&org, "m-5", &["RP003"]));
        let mut body = samples::company();
        let reference = admin.onboard(&body).await;
        let path = format!("/clients/profile/{reference}");
        let before = body["email"].clone();
        body["email"] = "new@meridian.example".into();
        body["tags"] = json!(["a", "b"]);
        officer.put(&path, &body).await.ok(200);
        admin.delete(&path).await.ok(200);
        world.settle().await;
        let mut items = Vec::new();
        let mut next = Some(format!("/clients/history/{reference}?limit=3"));
        while let Some(path) = next.take() {
            let page = officer.get(&path).await.ok(200);
            items.extend(page["items"].as_array().unwrap().clone());
            assert!(items.len() < 500);
            if let Some(cursor) = page["next"].as_str() {
                next = Some(format!("/clients/history/{reference}?limit=3&cursor={}", encoded(cursor)));
            }
        }
        let numbers: Vec<_> = items.iter().map(|item| item["seq"].as_u64().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a > b), "newest first, each once: {numbers:?}");
        let of = |kind: &str| {
            items.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {items:#?}"))
        };
        let created = of("client.created");
        assert_eq!((&created["action"], &created["member"]), (&json!("CL003"), &json!("m-1")));
        let updated = of("client.updated");
        assert_eq!((&updated["action"], &updated["member"]), (&json!("CL004"), &json!("m-5")));
        let change = updated["changes"].as_array().unwrap().iter().find(|change| change["pointer"] == "/email");
        let change = change.unwrap_or_else(|| panic!("{updated}"));
        assert_eq!((&change["from"], &change["to"]), (&before, &json!("new@meridian.example")));
        assert_eq!(of("client.archived")["action"], "CL005");
        of("client.activated");
        assert!(
            items.iter().any(|item| text(&item["kind"]).starts_with("delivery.")),
            "deliveries among them: {items:#?}"
        );
        officer.get(&format!("/clients/history/{reference}?limit=x")).await.problem(400, "malformed-query");
        officer.get(&format!("/clients/history/{reference}?cursor=x")).await.problem(400, "malformed-cursor");
    });
}

#[test]
fn documents_are_known_by_their_content() {
    let world = World::shared("usual");
    run(async {
        let admin = world.admin(&samples::org("papers"));
        let reference = admin.onboard(&samples::company()).await;
        let submit = |content: &'static [u8]| crate::operations::submit(&admin, &reference, content);
        let pdf = submit(b"%PDF-1.7\n1 0 obj\n%%EOF\n").await.ok(201);
        assert_eq!((&pdf["status"], &pdf["mediaType"]), (&json!("pending"), &json!("application/pdf")), "{pdf}");
        // Only what it is by content counts, not what the form says of it.
        let html = submit(b"<html>not a pdf</html>").await;
        assert!([415, 422].contains(&html.status), "{html:?}");
        let png = submit(b"\x89PNG\r\n\x1a\n0000").await.ok(201);
        assert_eq!(png["mediaType"], "image/png");
        let listed = admin.get(&format!("/clients/documents/{reference}")).await.ok(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
        let json =
            raw(&admin, Method::POST, &format!("/clients/documents/{reference}"), "application/json", "{}").await;
        json.problem(415, "unsupported-media-type");
        let empty = raw(
            &admin,
            Method::POST,
            &format!("/clients/documents/{reference}"),
            "multipart/form-data; boundary=b",
            "--b--\r\n",
        )
        .await;
        assert!([400, 422].contains(&empty.status), "{empty:?}");
    });
}
