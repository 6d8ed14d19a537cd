//! That every documented key is read, and every mistake is named where it was made.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::access::AuthMode;
use crate::notify::{StreamName, SubjectPrefix};

/// The example of the operators' documentation, with what it comments out.
const EXAMPLE: &str = r#"
[http]
listen = "127.0.0.1:8080"
tls = { cert = "hub.pem", key = "key.pem" }

[auth]
mode = "oidc"
operator_org = "operators"
key = "data/hub.key"
issuer = "https://id.example"
audience = "backoffice"
jwks_url = "https://id.example/jwks"

[store]
path = "data"

[journal]
kind = "file"

[governance]
open_accounts_block_archive = false
retention_years = 10

[sync]
retry = ["1s", "5s", "30s", "2m", "10m", "1h", "6h"]
ask_again = "10m"
breaker = { failures = 5, window_s = 30, open_s = 15 }

[policies]
path = "policies"
watch = true

[limits]
member  = { per_second = 100, burst = 200 }
address = { per_second = 300, burst = 600 }

[nats]
url = "nats://127.0.0.1:4222"
subject = "backoffice.clients"
stream = "BACKOFFICE_EVENTS"

[adapters.crm]
component = "plugins/dist/crm.wasm"
digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
memory_mib = 64
deadline_ms = 5000
concurrency = 8
settings = { pipeline = "onboarding" }

[adapters.crm.endpoints.api]
url = "https://crm.example/api/v1"
auth = { header = "X-Api-Key", value = "env:CRM_KEY" }
timeout_ms = 3000
private = true
ca = "ca.pem"
client_cert = { cert = "client.pem", key = "file:client-key.pem" }

[adapters.core-banking]
component = "plugins/dist/core-banking.wasm"
[adapters.core-banking.endpoints.api]
url = "https://bank.example"
auth = { oauth2 = { token_url = "https://id.example/token", client_id = "hub", client_secret = "env:BANK", scope = "all" } }
"#;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: &str, pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let parsed = Config::parse("hub.toml", text, &env(pairs));
    parsed.map_err(|error| error.to_string().lines().map(str::to_owned).collect())
}

fn refused(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    parse(text, pairs).unwrap_err()
}

#[test]
fn the_defaults_are_whole() {
    let config = parse("", &[]).unwrap();
    assert_eq!(config.http.listen.port(), 8080);
    assert_eq!(config.sync.retry.len(), 7);
    assert_eq!(config.sync.retry[6], Duration::from_secs(6 * 3600));
    assert_eq!((config.limits.member.burst.get(), config.limits.address.per_second.get()), (200, 300));
    assert!(config.nats.is_none() && config.adapters.is_empty());
}

#[test]
fn every_key_of_the_documentation_is_read() {
    let config = parse(EXAMPLE, &[]).unwrap();
    assert_eq!(config.nats.as_ref().unwrap().stream.as_str(), "BACKOFFICE_EVENTS");
    assert_eq!(config.adapter_names(), [AdapterName::CoreBanking, AdapterName::Crm]);
    assert_eq!(config.adapters[&AdapterName::Crm].endpoints["api"].url.as_url().as_str(), "https://crm.example/api/v1");
    assert_eq!(config.auth.mode, AuthMode::Oidc);
}

#[test]
fn a_part_of_a_section_is_enough() {
    let config = parse("[limits]\nmember = { burst = 9 }\n[nats]\nurl = 'nats://n:1'\n", &[]).unwrap();
    assert_eq!((config.limits.member.per_second.get(), config.limits.member.burst.get()), (100, 9));
    assert_eq!(config.nats.unwrap().subject.as_str(), "backoffice.clients");
}

#[test]
fn all_mistakes_are_named_at_once_with_line_and_key() {
    let text = "[http]\nlisten = \"localhost\"\nport = 1\n\n[limits]\nmember = { per_second = 0, burst = \"x\", rate = 1 }\n\
                [stroe]\npath = 'x'\n[sync]\nretry = ['1s', 'soon']\n[governance]\nretention_years = 0\n";
    assert_eq!(
        refused(text, &[]),
        [
            "hub.toml:2: http.listen: expected an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080",
            "hub.toml:3: http.port: there is no such key; accepted: listen, tls, proxies",
            "hub.toml:6: limits.member.burst: expected a whole number above zero, found text",
            "hub.toml:6: limits.member.per_second: expected a whole number above zero, found 0",
            "hub.toml:6: limits.member.rate: there is no such key; accepted: per_second, burst",
            "hub.toml:7: stroe: there is no such section; accepted: http, auth, store, journal, governance, sync, policies, limits, nats, adapters",
            "hub.toml:10: sync.retry.1: expected a duration of at most 7 days, such as 30s, 2m or 6h",
            "hub.toml:12: governance.retention_years: expected 1 to 100 years, found 0",
        ]
    );
}

#[test]
fn what_is_not_toml_is_named_by_line() {
    let mistakes = refused("[http]\nlisten = \n", &[]);
    assert!(mistakes[0].starts_with("hub.toml:2: not TOML: "), "{mistakes:?}");
}

#[test]
fn a_section_that_is_no_table_is_named() {
    assert_eq!(refused("store = 5", &[]), ["hub.toml:1: store: expected a table, found a whole number"]);
    assert!(refused("adapters = 5", &[])[0].contains("expected a table for each adapter"));
    assert_eq!(refused("[nats]\nsubject = 'x'", &[]), ["hub.toml:1: nats: `url` is missing"]);
}

#[test]
fn keys_that_do_not_fit_together_are_named() {
    assert_eq!(
        refused("[journal]\nkind = 'jetstream'\nurl = 'nats://n'", &[]),
        [
            "hub.toml:2: journal.kind: `jetstream` is not available yet; use `file`",
            "hub.toml:3: journal.url: there is no such key; accepted: kind"
        ]
    );
    assert_eq!(
        refused("[journal]\nkind = 'sqlite'", &[]),
        ["hub.toml:2: journal.kind: there is no such journal; accepted: file"]
    );
    assert_eq!(
        refused("[auth]\nmode = 'oidc'\nissuer = 'https://i'", &[]),
        ["hub.toml:1: auth.audience: it is missing; mode `oidc` needs issuer, audience and jwks_url"]
    );
    assert_eq!(
        refused("[auth]\nissuer = 'https://i'", &[]),
        ["hub.toml:2: auth.issuer: it has no effect in mode `local`; leave it out, or set mode = \"oidc\""]
    );
    assert_eq!(
        refused("[nats]\nurl = 'nats://n:1'\nuser = 'hub'", &[]),
        ["hub.toml:3: nats.user: expected `user` with `password`, or `token` alone, or none of them"]
    );
    let names = refused("[nats]\nurl = 'nats://n'\nsubject = 'a..b'\nstream = 'a.b'", &[]);
    assert_eq!(names.len(), 2);
}

#[test]
fn the_environment_overrides_each_key() {
    let config = parse(
        EXAMPLE,
        &[
            ("HUB_HTTP__LISTEN", "127.0.0.1:0"),
            ("HUB_STORE__PATH", "2026"),
            ("HUB_LIMITS__MEMBER", "{ per_second = 500, burst = 1000 }"),
            ("HUB_LIMITS__ADDRESS__BURST", "7"),
            ("HUB_SYNC__RETRY", "[\"1s\"]"),
            ("HUB_ADAPTERS__CORE_BANKING__DEADLINE_MS", "2000"),
            ("HUB_ADAPTERS__CORE_BANKING__ENDPOINTS__API__AUTH", "{ bearer = 'env:X' }"),
            ("HUB_ADAPTERS__CRM__SETTINGS__PIPELINE", "sales"),
            ("HUB_LOG", "debug"),
            ("HOME", "/root"),
        ],
    )
    .unwrap();
    assert_eq!(config.http.listen.port(), 0);
    assert_eq!(config.store.path, std::path::Path::new("2026"));
    assert_eq!(config.limits.member.burst.get(), 1000);
    assert_eq!((config.limits.address.per_second.get(), config.limits.address.burst.get()), (300, 7));
    assert_eq!(config.sync.retry, [Duration::from_secs(1)]);
    let bank = &config.adapters[&AdapterName::CoreBanking];
    assert_eq!(bank.deadline_ms.get(), 2000);
    assert!(matches!(bank.endpoints["api"].auth, Some(crate::adapters::AuthConfig::Bearer(_))));
    assert_eq!(config.adapters[&AdapterName::Crm].settings["pipeline"].as_str(), Some("sales"));
}

#[test]
fn a_table_of_the_environment_is_completed_by_the_defaults_not_by_the_file() {
    let file = "[limits]\nmember = { per_second = 1, burst = 2 }";
    let config = parse(file, &[("HUB_LIMITS__MEMBER", "{ per_second = 500 }")]).unwrap();
    assert_eq!((config.limits.member.per_second.get(), config.limits.member.burst.get()), (500, 200));
}

#[test]
fn what_the_defaults_say_is_what_the_sections_mean() {
    let config = parse("[nats]\nurl = 'nats://n:1'", &[]).unwrap();
    let nats = config.nats.unwrap();
    assert_eq!((nats.subject, nats.stream), (SubjectPrefix::default(), StreamName::default()));
    assert_eq!((config.auth, config.policies), (AuthConfig::default(), PoliciesConfig::default()));
    assert_eq!(config.journal, JournalConfig::default());
}

#[test]
fn what_adapters_can_not_take_is_named_where_it_stands() {
    let text = "[adapters.crm]\ncomponent = 'crm.wasm'\ndigest = 'md5:1'\nmemory_mib = 0\n[adapters.crm.endpoints.api]\n\
                url = 'ftp://crm.example'\nauth = { bearer = 's3cret' }\n[adapters.crm.endpoints.other]\nurl = 'https://u:s3cret@x'\n";
    let mistakes = refused(text, &[]);
    let places: Vec<_> =
        mistakes.iter().map(|mistake| mistake.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
    let expected = [
        "hub.toml:3: adapters.crm.digest",
        "hub.toml:4: adapters.crm.memory_mib",
        "hub.toml:6: adapters.crm.endpoints.api.url",
        "hub.toml:7: adapters.crm.endpoints.api.auth.bearer",
        "hub.toml:9: adapters.crm.endpoints.other.url",
    ];
    assert_eq!(places, expected, "{mistakes:?}");
    assert!(mistakes.iter().all(|mistake| !mistake.contains("s3cret")));
}

#[test]
fn a_hub_that_serves_has_all_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.toml");
    std::fs::write(&file, format!("{EXAMPLE}\n[adapters.kyc]\ncomponent = 'k.wasm'\n")).unwrap();
    let refused = Config::load_to_serve(Some(&file), &env(&[("BANK", ""), ("HUB_NATS__TOKEN", "env:T")])).unwrap_err();
    let secrets: Vec<_> = refused.mistakes.iter().filter(|mistake| !mistake.key.starts_with("http.tls")).collect();
    let told: Vec<_> = secrets.iter().map(|mistake| (mistake.key.as_str(), mistake.message.as_str())).collect();
    assert_eq!(told[0].0, "adapters.crm.endpoints.api.auth.value");
    assert_eq!(told[0].1, "the environment variable `CRM_KEY` is not set or is not text");
    assert!(told[1].0.ends_with("api.client_cert.key") && told[1].1.contains("client-key.pem"), "{told:?}");
    assert_eq!(told[2], ("adapters.core-banking.endpoints.api.auth.oauth2.client_secret", "`env:BANK` is empty"));
    assert_eq!(told[3].0, "nats.token");
    assert!(matches!(secrets[0].origin, Origin::Line(_)));
    assert_eq!(secrets[3].origin, Origin::Variable("HUB_NATS__TOKEN".into()));
}

#[test]
fn a_hub_that_serves_has_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.toml");
    let text = format!("[http]\ntls = {{ cert = 'none.pem', key = '{}' }}\n", file.display());
    std::fs::write(&file, text).unwrap();
    let refused = Config::load_to_serve(Some(&file), &env(&[])).unwrap_err();
    let [mistake] = refused.mistakes.as_slice() else { panic!("{refused}") };
    assert_eq!((mistake.key.as_str(), &mistake.origin), ("http.tls.cert", &Origin::Line(2)));
    assert!(mistake.message.starts_with("none.pem can't be read"), "{mistake:?}");
}

#[test]
fn a_section_may_come_from_the_environment_alone() {
    let pairs = [("HUB_NATS__URL", "nats://127.0.0.1:4222"), ("HUB_ADAPTERS__CORE_BANKING__COMPONENT", "cb.wasm")];
    let config = parse("", &pairs).unwrap();
    assert_eq!(config.nats.unwrap().stream.as_str(), "BACKOFFICE_EVENTS");
    assert!(config.adapters.contains_key(&AdapterName::CoreBanking));
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let mistakes = refused(
        "[store]\npath = 'x'\n",
        &[
            ("HUB_HTTP__LISTEN", "nowhere"),
            ("HUB_LIMITS__MEMBER", "{ per_second = 0 }"),
            ("HUB_STORE__PATH__DEEP", "x"),
            ("HUB_SERVER__PORT", "1"),
            ("HUB_ADAPTERS__LEDGER__COMPONENT", "x"),
            ("HUB_HTTP____", "x"),
        ],
    );
    let expected = [
        "HUB_HTTP____: http..: expected HUB_<SECTION>__<KEY>, with a name on both sides of each `__`",
        "HUB_STORE__PATH__DEEP: store.path.deep: there is a value and not a table before the last `__`",
        "HUB_SERVER__PORT: server: there is no such section; accepted: http, auth, store, journal, governance, sync, policies, limits, nats, adapters",
        "HUB_ADAPTERS__LEDGER__COMPONENT: adapters.ledger: there is no such adapter; accepted: core-banking, crm, kyc, identity, messaging",
        "HUB_HTTP__LISTEN: http.listen: expected an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080",
        "HUB_LIMITS__MEMBER: limits.member.per_second: expected a whole number above zero, found 0",
    ];
    assert_eq!(mistakes, expected);
}

#[test]
fn a_value_that_may_be_secret_is_not_repeated() {
    let text =
        "[limits]\nmember = 's3cret'\n[nats]\nurl = 's3cret'\n[http]\nlisten = 's3cret'\n[sync]\nretry = ['s3cret']";
    assert!(refused(text, &[]).iter().all(|mistake| !mistake.contains("s3cret")));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::load(Some(&folder.path().join("none.toml")), &env(&[])).unwrap_err().to_string();
    assert!(missing.contains("none.toml: it can't be read"), "{missing}");
    let file = folder.path().join("hub.toml");
    std::fs::write(&file, EXAMPLE).unwrap();
    assert!(Config::load(Some(&file), &env(&[])).is_ok());
}

proptest! {
    #[test]
    fn no_text_and_no_variable_breaks_it(
        text in "(\\PC{0,40}\n|\\[(http|limits|nats|adapters\\.crm)\\]\n|(listen|url|member|retry|component) = ([0-9]{1,3}|'[a-z:/]{0,9}'|\\[[0-9]?\\]|\\{ burst = 1 \\})\n){0,8}",
        name in "HUB_[A-Z_]{0,12}__[A-Z_]{0,12}",
        value in "\\PC{0,20}",
    ) {
        let _ = Config::parse("hub.toml", &text, &env(&[(&name, &value)]));
    }
}
