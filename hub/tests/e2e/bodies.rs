//! What is sent: JSON, fields, media types, the order of checks, documents.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Member, Reply, World, run, samples, text};

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

/// The names of the contents that are kept, and of those that are on their way in.
fn kept(world: &World) -> (HashSet<String>, usize) {
    let names = |folder: &str| -> HashSet<String> {
        let entries = std::fs::read_dir(world.folder().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let (mut all, incoming) = (names("data/documents"), names("data/documents/incoming"));
    all.remove("incoming");
    (all, incoming.len())
}

/// The head of a document as a browser sends it, before its content.
const HEAD: &str = "--b\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\npassport\r\n--b\r\n\
                    content-disposition: form-data; name=\"file\"\r\n\r\n%PDF-1.7\n";

fn document(size: usize) -> Vec<u8> {
    [HEAD.as_bytes(), &vec![b' '; size - 9], b"\r\n--b--\r\n"].concat()
}

async fn upload(member: &Member<'_>, reference: &str, body: impl Into<reqwest::Body>) -> Reply {
    let path = format!("/clients/documents/{reference}");
    raw(member, Method::POST, &path, "multipart/form-data; boundary=b", body).await
}

#[test]
fn a_refused_document_leaves_nothing_behind() {
    run(async {
        let world = World::start(crate::harness::Config::default()).await;
        let admin = world.admin("leaving");
        let reference = admin.onboard(&samples::company()).await;
        let path = format!("/clients/documents/{reference}");
        let once = async |content: &str| {
            let body = [HEAD.as_bytes(), content.as_bytes(), b"\r\n--b--\r\n"].concat();
            let request = admin.request(Method::POST, &path).header("idempotency-key", "once");
            admin.send(request.header("content-type", "multipart/form-data; boundary=b").body(body)).await
        };
        let first = once("first").await.ok(201);
        let before = kept(&world);
        assert_eq!(before, (HashSet::from([text(&first["digest"]).to_owned()]), 0));
        once("second").await.problem(422, "idempotency-key-reused");
        assert_eq!(once("first").await.ok(201), first);
        admin.delete(&format!("/clients/profile/{reference}")).await.ok(200);
        upload(&admin, &reference, document(100)).await.problem(409, "client-archived");
        assert_eq!(kept(&world), before);
        // What a hub that died was writing is gone at its next start, and nothing else is.
        std::fs::write(world.folder().join("data/documents/incoming/half"), "half").unwrap();
        world.down();
        world.up();
        assert_eq!(kept(&world), before);
    });
}

#[test]
fn a_document_beyond_the_limit_is_answered() {
    let world = World::shared("usual");
    run(async {
        let org = samples::org("heavy");
        let (admin, nobody) = (world.admin(&org), world.member(&org, "m-2", &["RP004"]));
        let reference = admin.onboard(&samples::company()).await;
        upload(&admin, &reference, document(20 << 20)).await.ok(201);
        for size in [(20 << 20) + 1, 21 << 20, 40 << 20] {
            upload(&admin, &reference, document(size)).await.problem(413, "body-too-large");
        }
        // Before the first part, where there is no part yet whose size could be counted.
        upload(&admin, &reference, vec![b'x'; 40 << 20]).await.problem(413, "body-too-large");
        // What is refused for another reason is answered, too.
        upload(&nobody, &reference, document(20 << 20)).await.denied("CX003");
        let unknown = String::from_utf8(document(20 << 20)).unwrap().replace("name=\"type\"", "name=\"kind\"");
        upload(&admin, &reference, unknown).await.problem(422, "validation-failed");
        let long = [HEAD.replace("passport", &"x".repeat(70_000)).as_bytes(), b"\r\n--b--\r\n"].concat();
        let long = upload(&admin, &reference, long).await;
        assert_eq!(long.fields(), pairs(&[("/type", "too-long")]));
    });
}

#[test]
fn one_organisation_does_not_take_every_turn_for_documents() {
    let world = World::shared("usual");
    run(async {
        let (slow, other) = (samples::org("slow"), samples::org("brisk"));
        let (slow, other) = (world.admin(&slow), world.admin(&other));
        let (theirs, ours) = (slow.onboard(&samples::company()).await, other.onboard(&samples::company()).await);
        let endless = async || -> () {
            // Again where another one had its turn just then.
            loop {
                let head = futures::stream::iter([Ok::<_, std::io::Error>(HEAD.as_bytes())]);
                let body = futures::StreamExt::chain(head, futures::stream::pending());
                upload(&slow, &theirs, reqwest::Body::wrap_stream(body)).await;
            }
        };
        let trying = async {
            crate::harness::until("the organisation has its share", || async {
                let reply = upload(&slow, &theirs, document(100)).await;
                (reply.status == 503).then(|| reply.problem(503, "overloaded"))
            })
            .await;
            upload(&other, &ours, document(100)).await.ok(201);
        };
        tokio::select! {
            () = trying => {}
            () = endless() => {}
            () = endless() => {}
        }
    });
}
