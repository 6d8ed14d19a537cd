//! Tokens: what is accepted, what is not, and keys that an outside issuer publishes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use hub::access::{Grant, JwksUrl, LocalKey, MAX_TOKEN, Oidc, TokenError, Tokens};
use parking_lot::Mutex;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn encode(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

fn now() -> i64 {
    Utc::now().timestamp()
}

fn claims(issuer: &str, audience: &str) -> Value {
    json!({ "iss": issuer, "aud": audience, "sub": "m-1", "iat": now(), "nbf": now() - 5, "exp": now() + 600,
        "roles": ["RP001", "RP999"], "clients": ["CL-2", "CL-1"],
        "org": { "id": "acme", "apps": { "backoffice": "active", "other": null } } })
}

/// The hub's own key, and the same key in the test's hands.
struct Local {
    _folder: tempfile::TempDir,
    path: PathBuf,
    key: LocalKey,
    pair: Ed25519KeyPair,
}

fn local() -> Local {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/hub.key");
    let key = LocalKey::open(&path).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_file(&path).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    Local { _folder: folder, path, key, pair }
}

impl Local {
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        format!("{message}.{}", encode(self.pair.sign(message.as_bytes())))
    }
}

fn grant() -> Grant {
    Grant {
        member: "m-1".to_owned(),
        org: "acme".to_owned(),
        roles: vec!["RP002".to_owned()],
        clients: vec!["CL-9".to_owned(), "CL-1".to_owned()],
        subscription: Some("active".to_owned()),
        from: Utc::now(),
        lifetime: Duration::from_hours(1),
    }
}

#[tokio::test]
async fn the_hubs_own_tokens_are_accepted_and_remembered() {
    let local = local();
    assert_eq!(fs::metadata(&local.path).unwrap().permissions().mode() & 0o777, 0o600);
    let tokens = Tokens::local(&local.key);
    let token = local.key.sign(&grant());
    assert!(tokens.cached(&token).is_none());
    let caller = tokens.verify(&token).await.unwrap();
    assert_eq!((caller.member(), caller.org(), caller.app("backoffice")), ("m-1", "acme", Some("active")));
    assert!(caller.has_client("CL-1") && caller.has_client("CL-9") && !caller.has_client("CL-"));
    assert!(Arc::ptr_eq(&caller, &tokens.cached(&token).unwrap()));
    // The same file gives the same key, another file another one.
    let again = Tokens::local(&LocalKey::open(&local.path).unwrap());
    assert!(again.verify(&token).await.is_ok());
    let other = LocalKey::open(&local.path.with_extension("other")).unwrap();
    assert!(matches!(Tokens::local(&other).verify(&token).await, Err(TokenError::Invalid(_))));
    fs::write(&local.path, "no key").unwrap();
    assert!(LocalKey::open(&local.path).is_err());
}

#[tokio::test]
async fn subscriptions_that_are_no_text_are_none_and_the_token_is_valid() {
    let local = local();
    let tokens = Tokens::local(&local.key);
    for apps in [json!(null), json!({}), json!({ "backoffice": null }), json!({ "backoffice": true }), json!("x")] {
        let mut claims = claims("clients-hub", "backoffice");
        claims["org"]["apps"] = apps;
        claims["aud"] = json!(["x", "backoffice"]);
        claims.as_object_mut().unwrap().remove("nbf");
        claims["exp"] = json!(claims["exp"].as_f64().unwrap() + 0.5);
        let token = local.signed(r#"{"alg":"EdDSA","typ":"application/AT+JWT"}"#, &claims.to_string());
        assert_eq!(tokens.verify(&token).await.unwrap().app("backoffice"), None);
    }
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart() {
    let local = local();
    let tokens = Tokens::local(&local.key);
    let header = r#"{"alg":"EdDSA"}"#;
    for (exp, nbf, good) in [(-50, -600, true), (600, 50, true), (600, 75, false), (-65, -600, false)] {
        let mut claims = claims("clients-hub", "backoffice");
        (claims["exp"], claims["nbf"]) = (json!(now() + exp), json!(now() + nbf));
        let verified = tokens.verify(&local.signed(header, &claims.to_string())).await;
        assert_eq!(verified.is_ok(), good, "{exp} {nbf}");
        assert_eq!(verified == Err(TokenError::Expired), exp == -65);
    }
}

#[tokio::test]
async fn every_wrong_token_is_refused() {
    let local = local();
    let tokens = Tokens::local(&local.key);
    assert_eq!(tokens.verify("").await, Err(TokenError::Missing));
    let header = r#"{"alg":"EdDSA","typ":"JWT"}"#;
    let good = claims("clients-hub", "backoffice").to_string();
    assert!(tokens.verify(&local.signed(header, &good)).await.is_ok());

    let mut wrong: Vec<(String, String)> = Vec::new();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"eddsa"}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"EdDSA","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
        r#"{"alg":"EdDSA","typ":"id_token"}"#,
        r#"{"alg":"EdDSA","typ":7}"#,
        r#"{"alg":"EdDSA","kid":"unknown"}"#,
        r#"{"alg":"EdDSA","kid":1}"#,
        r#"["EdDSA"]"#,
        "EdDSA",
        "",
    ] {
        wrong.push((format!("header {header}"), local.signed(header, &good)));
    }
    let edits: [(&str, Value); 25] = [
        ("iss", json!("someone")),
        ("iss", json!(null)),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!(["backoffice", 7])),
        ("aud", json!({})),
        ("exp", json!("soon")),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!("now")),
        ("sub", json!("")),
        ("sub", json!(5)),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(300))),
        ("roles", json!("RP001")),
        ("roles", json!([1])),
        ("roles", json!(null)),
        ("clients", json!("CL-1")),
        ("clients", json!([["CL-1"]])),
        ("org", json!("acme")),
        ("org", json!({})),
        ("org", json!({ "id": "" })),
        ("org", json!({ "id": "a/b" })),
        ("org", json!({ "id": "x".repeat(65) })),
    ];
    for (name, value) in edits {
        let mut claims = claims("clients-hub", "backoffice");
        claims[name] = value.clone();
        wrong.push((format!("{name}: {value}"), local.signed(header, &claims.to_string())));
    }
    for name in ["iss", "aud", "exp", "sub", "roles", "org"] {
        let mut claims = claims("clients-hub", "backoffice");
        claims.as_object_mut().unwrap().remove(name);
        wrong.push((format!("no {name}"), local.signed(header, &claims.to_string())));
    }
    let doubled = good.replacen("{\"", "{\"sub\":\"m-2\",\"", 1);
    wrong.push(("a claim twice".to_owned(), local.signed(header, &doubled)));
    wrong.push(("no JSON".to_owned(), local.signed(header, "claims")));

    let token = local.signed(header, &good);
    let parts: Vec<&str> = token.split('.').collect();
    let [first, second, third] = parts.as_slice() else { panic!("three parts") };
    let embedded = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(embedded.public_key().as_ref()) });
    let own_key = json!({ "alg": "EdDSA", "jwk": jwk, "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/" });
    let message = format!("{}.{}", encode(own_key.to_string()), encode(&good));
    wrong.extend([
        ("a foreign key of its own".to_owned(), format!("{message}.{}", encode(embedded.sign(message.as_bytes())))),
        ("not signed".to_owned(), format!("{first}.{second}.")),
        ("two parts".to_owned(), format!("{first}.{second}")),
        ("four parts".to_owned(), format!("{token}.x")),
        ("five parts".to_owned(), format!("{token}.x.y")),
        ("padded".to_owned(), format!("{first}.{second}.{third}==")),
        ("not base64url".to_owned(), format!("{first}.{second}.{third}+/")),
        ("other claims".to_owned(), format!("{first}.{}.{third}", encode(good.replace("RP001", "RP002")))),
        ("a word".to_owned(), "token".to_owned()),
        ("dots".to_owned(), "..".to_owned()),
        ("no text".to_owned(), "\u{0}é.ü.ö".to_owned()),
        ("spaces around".to_owned(), format!(" {token} ")),
        ("too long".to_owned(), local.signed(header, &good.replace("RP999", &"x".repeat(MAX_TOKEN)))),
    ]);
    for (what, token) in wrong {
        let refused = tokens.verify(&token).await;
        assert!(matches!(refused, Err(TokenError::Invalid(_))), "{what}: {refused:?}");
        assert!(tokens.cached(&token).is_none(), "{what}");
    }
}

#[test]
fn two_starts_at_once_keep_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.key");
    let open = || LocalKey::open(&path).unwrap().sign(&grant());
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let header = |token: &String| token.split('.').next().unwrap().to_owned();
    assert!(tokens.iter().all(|token| header(token) == header(tokens.first().unwrap())));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// An issuer on loopback that answers with whatever it is told to.
struct Issuer {
    url: String,
    /// Nothing where it accepts connections and never answers.
    answer: Arc<Mutex<Option<Vec<u8>>>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(Some(Vec::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (serves, counts) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::SeqCst);
                let bytes = serves.lock().clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let _ = stream.read(&mut request).await;
                    match bytes {
                        Some(bytes) => drop(stream.write_all(&bytes).await),
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, answer, asked }
    }

    fn publishes(&self, document: &str) {
        self.answers("200 OK", document);
    }

    fn answers(&self, status: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        *self.answer.lock() = Some(format!("{head}{body}").into_bytes());
    }

    fn falls_silent(&self) {
        *self.answer.lock() = None;
    }

    fn tokens(&self) -> Tokens {
        let jwks_url = JwksUrl::parse(&self.url).unwrap();
        Tokens::oidc(&Oidc { issuer: "https://id".to_owned(), audience: "hub".to_owned(), jwks_url }).unwrap()
    }
}

/// Keys of every accepted kind.
struct Keys {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Keys {
    fn new() -> Self {
        Self {
            ed: Ed25519KeyPair::generate().unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        }
    }

    fn jwks(&self, suffix: &str) -> Vec<Value> {
        let point = self.ec.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap().split_at(32);
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public_key().into();
        vec![
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": format!("ed{suffix}"), "use": "sig", "x": encode(self.ed.public_key().as_ref()) }),
            json!({ "kty": "EC", "crv": "P-256", "kid": format!("ec{suffix}"), "alg": "ES256", "x": encode(x), "y": encode(y) }),
            json!({ "kty": "RSA", "kid": format!("rsa{suffix}"), "key_ops": ["verify"], "n": encode(&rsa.n), "e": encode(&rsa.e) }),
            json!({ "kty": "RSA", "kid": format!("rs-only{suffix}"), "alg": "RS256", "n": encode(&rsa.n), "e": encode(&rsa.e) }),
            json!({ "kty": "RSA", "kid": format!("encrypts{suffix}"), "use": "enc", "n": encode(&rsa.n), "e": encode(&rsa.e) }),
            json!({ "kty": "oct", "kid": format!("oct{suffix}"), "k": encode("secret") }),
            json!({ "kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA" }),
            json!("no key"),
        ]
    }

    fn token(&self, algorithm: &str, kid: Option<&str>) -> String {
        let mut header = json!({ "alg": algorithm, "typ": "at+jwt" });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let message = format!("{}.{}", encode(header.to_string()), encode(claims("https://id", "hub").to_string()));
        let rng = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &rng, message.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match algorithm {
            "EdDSA" => self.ed.sign(message.as_bytes()).as_ref().to_vec(),
            "ES256" => self.ec.sign(&rng, message.as_bytes()).unwrap().as_ref().to_vec(),
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            _ => rsa(&RSA_PSS_SHA256),
        };
        format!("{message}.{}", encode(signature))
    }
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[tokio::test]
async fn an_outside_issuers_tokens_of_every_algorithm_are_accepted() {
    let (issuer, keys) = (Issuer::start().await, Keys::new());
    issuer.publishes(&set(&keys.jwks("")));
    let tokens = issuer.tokens();
    for (algorithm, kid) in [("EdDSA", "ed"), ("ES256", "ec"), ("RS256", "rsa"), ("PS256", "rsa"), ("RS256", "rs-only")]
    {
        let caller = tokens.verify(&keys.token(algorithm, Some(kid))).await;
        assert_eq!(caller.unwrap().roles(), ["RP001", "RP999"], "{algorithm} {kid}");
    }
    assert!(tokens.verify(&keys.token("EdDSA", None)).await.is_ok());
    for (algorithm, kid) in [("EdDSA", "rsa"), ("RS256", "ed"), ("ES256", "ed"), ("PS256", "rs-only"), ("RS256", "ec")]
    {
        assert!(tokens.verify(&keys.token(algorithm, Some(kid))).await.is_err(), "{algorithm} {kid}");
    }
    // These lead to one more fetch within the minute, all together.
    for kid in ["encrypts", "oct", "p384", "unknown"] {
        assert!(tokens.verify(&keys.token("RS256", Some(kid))).await.is_err(), "{kid}");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2);
    // A token with a good signature for somebody else.
    let other = Tokens::oidc(&Oidc {
        issuer: "https://id".to_owned(),
        audience: "another".to_owned(),
        jwks_url: JwksUrl::parse(&issuer.url).unwrap(),
    });
    assert!(other.unwrap().verify(&keys.token("EdDSA", Some("ed"))).await.is_err());
}

#[tokio::test]
async fn keys_rotate_and_the_last_good_ones_stay() {
    let (issuer, old, new) = (Issuer::start().await, Keys::new(), Keys::new());
    issuer.publishes(&set(&old.jwks("")));
    let tokens = Arc::new(issuer.tokens());
    let fresh = Arc::clone(&tokens);
    let keeping = tokio::spawn(async move { fresh.keep_fresh(std::future::pending()).await });
    let known = old.token("EdDSA", None);
    while tokens.verify(&known).await.is_err() {
        tokio::task::yield_now().await;
    }
    keeping.abort();
    let before = issuer.asked.load(Ordering::SeqCst);
    let (kept, withdrawn) = (known, old.token("RS256", Some("rsa")));
    assert!(tokens.verify(&withdrawn).await.is_ok());
    let still = old.jwks("").into_iter().filter(|key| key["kty"] == "OKP");
    issuer.publishes(&set(&new.jwks("-2").into_iter().chain(still).collect::<Vec<_>>()));
    assert!(tokens.verify(&new.token("ES256", Some("ec-2"))).await.is_ok());
    // A key that is published no more signs nobody in, not even by a token that it has been verified by before.
    assert!(tokens.verify(&kept).await.is_ok());
    assert!(tokens.verify(&withdrawn).await.is_err());
    assert_eq!(issuer.asked.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn a_silent_issuer_holds_up_only_tokens_of_unknown_keys_and_not_for_long() {
    let (issuer, keys) = (Issuer::start().await, Keys::new());
    issuer.publishes(&set(&keys.jwks("")));
    let tokens = Arc::new(issuer.tokens());
    assert!(tokens.verify(&keys.token("EdDSA", Some("ed"))).await.is_ok());

    issuer.falls_silent();
    let asked = issuer.asked.load(Ordering::SeqCst);
    let unknown = ["a", "b", "c"].map(|kid| {
        let (tokens, token) = (Arc::clone(&tokens), keys.token("EdDSA", Some(kid)));
        tokio::spawn(async move { tokens.verify(&token).await.map(drop).map_err(|error| error.to_string()) })
    });
    while issuer.asked.load(Ordering::SeqCst) == asked {
        tokio::task::yield_now().await;
    }
    assert!(tokens.verify(&keys.token("RS256", Some("rsa"))).await.is_ok());
    assert!(unknown.iter().all(|waiting| !waiting.is_finished()), "nobody was waiting for the issuer");
    for waiting in unknown {
        assert!(waiting.await.unwrap().unwrap_err().contains("no trusted key"));
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), asked + 1);
    assert!(tokens.verify(&keys.token("PS256", Some("rsa"))).await.is_ok());
}

#[tokio::test]
async fn what_is_no_key_set_changes_nothing() {
    let keys = Keys::new();
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(2 << 20));
    let symmetric = set(&[json!({ "kty": "oct", "k": "c2VjcmV0" })]);
    let twice = r#"{"keys":[],"keys":[]}"#;
    for body in ["", "{", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}"#, twice, symmetric.as_str(), huge.as_str()] {
        let issuer = Issuer::start().await;
        issuer.publishes(body);
        assert!(issuer.tokens().verify(&keys.token("EdDSA", Some("ed"))).await.is_err());
    }
    let issuer = Issuer::start().await;
    issuer.answers("500 Broken", &set(&keys.jwks("")));
    assert!(issuer.tokens().verify(&keys.token("EdDSA", Some("ed"))).await.is_err());
    let elsewhere = Issuer::start().await;
    elsewhere.publishes(&set(&keys.jwks("")));
    issuer.answers(&format!("302 Found\r\nlocation: {}", elsewhere.url), "");
    assert!(issuer.tokens().verify(&keys.token("EdDSA", Some("ed"))).await.is_err());
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0);
}
