//! While one adapter is attacked in every way, 64 calls of another run, and each of them is answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use hub::adapters::{AdapterConfig, AdapterName, Adapters};

use crate::backend::Backend;
use crate::hand::Hand;
use crate::support::{component, profile};

/// The others' calls at the same time.
const OTHERS: usize = 64;
/// The attacker's.
const ATTACKS: usize = 8;

/// An attack by its name, and lines of configuration.
const ATTACKS_BY_SETTING: [(&str, &str); 17] = [
    ("sleeper", "deadline_ms = 100"),
    ("spinner", "deadline_ms = 100"),
    ("memory-hog", "memory_mib = 16"),
    ("trapper", ""),
    ("deep-recursion", ""),
    ("huge-return", "deadline_ms = 120000"),
    ("huge-id", ""),
    ("log-flooder", "settings.count = '1000'\ndeadline_ms = 120000"),
    ("unknown-endpoint", ""),
    ("path-climber", ""),
    ("redirect-follower", "settings.path = '/away'"),
    ("absolute-form", ""),
    ("header-smuggler", ""),
    ("header-flooder", ""),
    ("body-hog", "memory_mib = 128"),
    ("fd-hoarder", "settings.path = '/silent'\ndeadline_ms = 100"),
    ("send-then-spin", "deadline_ms = 100"),
];

/// Runs the attacks beside others; how many of the attacks did not end as failures.
async fn beside(attacker: &str) -> usize {
    let other = component("fixtures/casework.wasm");
    let other = format!("component = '{}'\nconcurrency = {OTHERS}\ndeadline_ms = 60000", other.display());
    let configs: BTreeMap<AdapterName, AdapterConfig> = [(AdapterName::Crm, attacker), (AdapterName::Kyc, &other)]
        .map(|(name, text)| (name, toml::from_str(text).unwrap()))
        .into();
    let cache = tempfile::tempdir().unwrap();
    let adapters = Adapters::load(&configs, cache.path(), None).await.unwrap();
    let (over, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let calm = futures::future::join_all((0..OTHERS).map(|_| async {
        while !over.load(Ordering::Relaxed) {
            adapters.check_health(AdapterName::Kyc).await.unwrap();
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let attacks = async {
        let ended = futures::future::join_all((0..ATTACKS).map(|_| adapters.upsert_contact(profile("Ada"), "k"))).await;
        over.store(true, Ordering::Relaxed);
        ended.into_iter().flatten().count()
    };
    let (_, succeeded) = tokio::join!(calm, attacks);
    assert!(answered.load(Ordering::Relaxed) >= 1);
    let reports = adapters.report();
    let kyc = reports.iter().find(|report| report.name == AdapterName::Kyc).unwrap();
    assert!(kyc.failures.values().all(|count| *count == 0), "{:?}", kyc.failures);
    succeeded
}

#[tokio::test]
async fn calls_of_others_succeed_while_one_is_attacked() {
    let backend = Backend::start().await;
    for (behave, more) in ATTACKS_BY_SETTING {
        let path = component("fixtures/behaviour.wasm");
        let config = format!(
            "component = '{}'\nconcurrency = {ATTACKS}\n{more}\nsettings.behave = '{behave}'\n[endpoints.api]\nurl = '{}'\nprivate = true",
            path.display(),
            backend.url
        );
        // A flood of lines and an endless remark are cut off, and the call goes on.
        let allowed = if ["log-flooder", "huge-return"].contains(&behave) { ATTACKS } else { 0 };
        assert_eq!(beside(&config).await, allowed, "{behave}");
    }
}

#[tokio::test]
async fn calls_of_others_succeed_while_one_is_attacked_by_hand() {
    let table = "(table $t 10 funcref) (elem declare func $say)";
    let attacks = [
        (
            "table-hog",
            Hand {
                more: table,
                upsert: "(loop $more (br_if $more (i32.ne (table.grow $t (ref.func $say) (i32.const 100)) (i32.const -1)))) unreachable",
                ..Hand::default()
            },
        ),
        (
            "handle-hog",
            Hand {
                makes: true,
                upsert: "(loop $more (drop (call $made (i32.const 1))) (br $more)) (i32.const 0)",
                ..Hand::default()
            },
        ),
        (
            "filler",
            Hand {
                upsert:
                    "(drop (memory.grow (i32.const 800)))
                (loop $more (memory.fill (i32.const 4096) (i32.const 1) (i32.const 50000000)) (br $more)) (i32.const 0)",
                ..Hand::default()
            },
        ),
        ("spinning allocator", Hand { realloc: "(loop $l (br $l))", upsert: "(i32.const 0)", ..Hand::default() }),
    ];
    for (name, hand) in attacks {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hand.wasm");
        std::fs::write(&file, hand.component()).unwrap();
        let config = format!("component = '{}'\nconcurrency = {ATTACKS}\ndeadline_ms = 200", file.display());
        assert_eq!(beside(&config).await, 0, "{name}");
    }
}
