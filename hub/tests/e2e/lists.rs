//! What is asked for: filters, cursors, favourites, history.

use std::collections::{BTreeMap, HashSet};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Member, World, encoded, run, samples, text};

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
        let archive = admin.request(Method::DELETE, &path).json(&json!({"reason": "merged"}));
        admin.send(archive).await.ok(200);
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
        let archived = of("client.archived");
        assert_eq!((&archived["action"], &archived["reason"]), (&json!("CL005"), &json!("merged")));
        of("client.activated");
        assert_eq!(of("kyc.checked")["outcome"], "approved");
        let brought: HashSet<_> = items
            .iter()
            .filter(|item| item["kind"] == "delivery.delivered")
            .map(|item| (text(&item["delivery"]["adapter"]), text(&item["delivery"]["function"])))
            .collect();
        for delivery in [("crm", "upsert-contact"), ("core-banking", "upsert-customer"), ("identity", "provision")] {
            assert!(brought.contains(&delivery), "{delivery:?}: {items:#?}");
        }
        officer.get(&format!("/clients/history/{reference}?limit=x")).await.problem(400, "malformed-query");
        officer.get(&format!("/clients/history/{reference}?cursor=x")).await.problem(400, "malformed-cursor");
    });
}
