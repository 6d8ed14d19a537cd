//! Wrong words, a wrong configuration, and tokens.

use std::os::unix::fs::PermissionsExt;

use crate::support::Place;

#[test]
fn it_ends_with_two_for_wrong_words_and_one_for_failures() {
    let place = Place::new();
    assert_eq!(place.hub(&["--help"]).code, 0);
    for wrong in [
        &["fly"][..],
        &[],
        &["journal", "cut", "--at", "7"],
        &["sync", "parked", "--adapter", "ledger"],
        &["sync", "discard", "--all"],
    ] {
        let ended = place.hub(wrong);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
    }
    for failing in [
        &["journal", "verify"][..],
        &["state", "rebuild"],
        &["sync", "status"],
        &["import", "none.csv", "--org", "o", "--member", "m"],
    ] {
        let told = place.hub(failing).failed();
        assert!(told.starts_with("hub: "), "{told}");
    }
}

#[test]
fn every_mistake_in_the_configuration_is_named() {
    let place = Place::new().with("HUB_LIMITS__MEMBER", "{ burst = 0 }").with("HUB_HTTP_LISTEN", "127.0.0.1:1");
    place.file(
        "hub.toml",
        "[http]\nlisten = 'nowhere'\n\n[stroe]\npath = 'x'\n[journal]\nkind = 'jetstream'\n[store]\npath = ''\n[sync]\n\
         breaker = { failures = 5, window_s = 30, open_s = 99999999999 }\n",
    );
    let told = place.hub(&["journal", "verify"]).failed();
    for expected in [
        "hub.toml:2: http.listen: expected an IP address",
        "hub.toml:4: stroe: there is no such section",
        "hub.toml:7: journal.kind: `jetstream` is not available yet; use `file`",
        "HUB_LIMITS__MEMBER: limits.member.burst: expected a whole number above zero, found 0",
        "hub.toml:9: store.path: expected the path of a folder",
        "hub.toml:11: sync.breaker.open_s: expected at most 7 days",
        "HUB_HTTP_LISTEN: http.listen: expected HUB_HTTP__LISTEN",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    let told = place.hub(&["token", "--config", "other.toml", "--member", "m", "--org", "o", "--role", "R"]).failed();
    assert!(told.contains("other.toml: it can't be read"), "{told}");
}

#[test]
fn a_secret_that_is_not_there_is_named_before_anything_is_opened() {
    let place = Place::new();
    place.file(
        "hub.toml",
        "[adapters.crm]\ncomponent = 'crm.wasm'\n[adapters.crm.endpoints.api]\nurl = 'https://crm.example'\n\
         auth = { bearer = 'env:CRM_KEY' }\n",
    );
    let told = place.hub(&["serve"]).failed();
    let expected = "hub.toml:5: adapters.crm.endpoints.api.auth.bearer: the environment variable `CRM_KEY` is not set";
    assert!(told.contains(expected), "{told}");
    assert!(!place.store().exists());
    place.hub(&["token", "--member", "m", "--org", "o", "--role", "R"]).done();
}

#[test]
fn a_token_is_signed_with_the_hubs_own_key() {
    let place = Place::new();
    let arguments = ["token", "--member", "m-1", "--org", "demo", "--role", "RP001", "--expires", "15m"];
    let token = place.hub(&arguments).done();
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    let key = place.store().join("hub.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&key).unwrap();
    let json = place.hub(&[&arguments[..], &["--json"]].concat()).json();
    assert_eq!(json["expiresInSeconds"], 900);
    assert_eq!(std::fs::read(&key).unwrap(), before);
}

#[test]
fn an_issuers_tokens_are_not_signed_here() {
    let place = Place::new();
    place.file(
        "hub.toml",
        "[auth]\nmode = 'oidc'\nissuer = 'https://id.example'\naudience = 'backoffice'\njwks_url = 'https://id.example/jwks'\n",
    );
    let told = place.hub(&["token", "--member", "m-1", "--org", "demo", "--role", "RP001"]).failed();
    assert!(told.contains("only the issuer signs tokens"), "{told}");
    assert!(!place.store().exists());
}
