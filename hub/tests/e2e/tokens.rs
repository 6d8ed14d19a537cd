//! Tokens of an outside issuer and the hub's own, and every way in which one can be wrong.

use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Config, Issuer, Keys, Member, Reply, World, run, samples};

fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "iss": "https://id.example", "aud": "backoffice", "sub": "m-1", "iat": now, "nbf": now - 5, "exp": now + 600,
        "roles": ["RP001"], "org": {"id": "acme", "apps": {"backoffice": "active"}}
    })
}

async fn world(issuer: &Issuer) -> World {
    let more = format!(
        "[auth]\nmode = \"oidc\"\nissuer = \"https://id.example\"\naudience = \"backoffice\"\njwks_url = \"{}\"\n",
        issuer.url
    );
    World::start(Config { more, strict: false, ..Config::default() }).await
}

async fn with(world: &World, token: &str) -> Reply {
    let member = Member { token: token.to_owned(), ..world.admin("acme") };
    member.get("/clients/profile").await
}

/// A 401 with this code, and the challenge of RFC 6750.
#[track_caller]
fn refused(reply: &Reply, code: &str, error: &str, what: &str) {
    assert_eq!(reply.status, 401, "{what}: {reply:?}");
    reply.problem(401, code);
    let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("{what}: no challenge"));
    assert!(challenge.starts_with(&format!("Bearer error=\"{error}\"")), "{what}: {challenge}");
}

#[test]
fn an_issuers_tokens_of_each_algorithm_are_taken_and_its_keys_rotate() {
    run(async {
        let (old, new) = (Keys::new("old"), Keys::new("new"));
        let issuer = Issuer::start(&old).await;
        let world = world(&issuer).await;
        for algorithm in ["EdDSA", "ES256", "RS256", "PS256"] {
            with(&world, &old.token(algorithm, &claims())).await.ok(200);
        }
        // What is wrong, whoever signed it.
        let edit = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            claims
        };
        let now = Utc::now().timestamp();
        for (name, value) in [
            ("iss", json!("https://other.example")),
            ("aud", json!("another")),
            ("aud", json!(["another"])),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("roles", json!("RP001")),
            ("roles", json!(null)),
            ("org", json!({})),
            ("org", json!({"apps": {"backoffice": "active"}})),
            ("org", json!({"id": "a/b", "apps": {"backoffice": "active"}})),
            ("org", json!({"id": "x".repeat(65), "apps": {"backoffice": "active"}})),
            ("org", json!("acme")),
            ("nbf", json!(now + 600)),
            ("exp", json!("soon")),
            ("exp", json!(null)),
            ("clients", json!("CL-1")),
        ] {
            let token = old.token("ES256", &edit(name, value.clone()));
            refused(&with(&world, &token).await, "token-invalid", "invalid_token", &format!("{name}: {value}"));
        }
        let expired = old.token("RS256", &edit("exp", json!(now - 120)));
        refused(&with(&world, &expired).await, "token-expired", "invalid_token", "expired");
        // Valid tokens without a subscription are denied, not refused.
        for apps in [
            json!({}),
            json!(null),
            json!({"backoffice": null}),
            json!({"backoffice": "suspended"}),
            json!({"backoffice": true}),
        ] {
            let token = old.token("EdDSA", &edit("org", json!({"id": "acme", "apps": apps})));
            assert_eq!(with(&world, &token).await.denied("CL001")["policy"], "P_BO_001", "{apps}");
        }
        // The issuer's keys rotate: an unknown id is looked up, but not for each request.
        issuer.publish(&new);
        let before = issuer.asked();
        with(&world, &new.token("ES256", &claims())).await.ok(200);
        with(&world, &new.token("RS256", &claims())).await.ok(200);
        refused(
            &with(&world, &old.token("EdDSA", &edit("sub", json!("m-9")))).await,
            "token-invalid",
            "invalid_token",
            "old",
        );
        for place in 0..20 {
            let header = json!({"alg": "EdDSA", "kid": format!("unknown-{place}")});
            refused(
                &with(&world, &new.signed(&header, &claims())).await,
                "token-invalid",
                "invalid_token",
                "unknown id",
            );
        }
        assert!(issuer.asked() - before <= 2, "asked {} times", issuer.asked() - before);
        // Algorithms and keys that do not belong together; no algorithm; another's key with a known id.
        for header in [
            json!({"alg": "none", "kid": "new-EdDSA"}),
            json!({"alg": "HS256", "kid": "new-RS256"}),
            json!({"alg": "EdDSA", "kid": "new-RS256"}),
            json!({"alg": "RS256", "kid": "new-EdDSA"}),
            json!({"alg": "ES384", "kid": "new-ES256"}),
            json!({"alg": "EdDSA", "kid": "new-EdDSA", "crit": ["x"], "x": 1}),
            json!({"alg": ["EdDSA"], "kid": "new-EdDSA"}),
            json!({"kid": "new-EdDSA"}),
        ] {
            refused(
                &with(&world, &new.signed(&header, &claims())).await,
                "token-invalid",
                "invalid_token",
                &header.to_string(),
            );
        }
        let forged = old.signed(&json!({"alg": "EdDSA", "kid": "new-EdDSA"}), &claims());
        refused(&with(&world, &forged).await, "token-invalid", "invalid_token", "another's key");
        // The hub's own key signs nothing here.
        refused(&world.admin("acme").get("/clients/profile").await, "token-invalid", "invalid_token", "the local key");
    });
}

#[test]
fn what_is_no_bearer_token_is_refused() {
    let world = World::shared("usual");
    run(async {
        let good = world.admin(&samples::org("bearer")).token;
        let ask = async |header: Option<&str>| {
            let mut request = world.http.request(Method::GET, format!("{}/clients/profile", world.url()));
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            Reply::read(request.send().await.unwrap()).await
        };
        refused(&ask(None).await, "token-missing", "invalid_request", "nothing");
        refused(&ask(Some("Basic eDp5")).await, "token-missing", "invalid_request", "basic");
        ask(Some(&format!("bearer {good}"))).await.ok(200);
        let parts: Vec<_> = good.split('.').collect();
        for token in [
            "x".to_owned(),
            "a.b.c".to_owned(),
            "..".to_owned(),
            format!("{good}x"),
            format!("{good}.x"),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], parts[0], parts[2]),
            "x".repeat(20_000),
        ] {
            refused(&ask(Some(&format!("Bearer {token}"))).await, "token-invalid", "invalid_token", &token);
        }
        refused(&ask(Some("Bearer ")).await, "token-invalid", "invalid_token", "empty");
        // Every route but the open ones asks for a token, those that are not there as well.
        for path in ["/clients/profile/CL-1", "/clients/nowhere", "/admin/tree", "/nowhere"] {
            let reply = Reply::read(world.http.get(format!("{}{path}", world.url())).send().await.unwrap()).await;
            refused(&reply, "token-missing", "invalid_request", path);
        }
    });
}
