//! What a call costs in a fresh instance, by the language of the adapter: one that each rejects by its argument alone, so
//! that no outside system has a part in it. The one in Rust is the floor of the one that speaks the same API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hub::adapters::wit::messaging::{Channel, Message, Recipient, Template};
use hub::adapters::{AdapterConfig, AdapterName, Adapters};

use crate::data;
use crate::report::{Row, median};

const ROUNDS: usize = 9;
const CALLS: u32 = 50;
const MIB: f64 = 1024.0 * 1024.0;

const PAIRS: [(&str, AdapterName, &str, &str); 2] = [
    ("a CRM's call in Python, in Rust", AdapterName::Crm, "crm.wasm", "examples/crm-python.wasm"),
    ("a message's call in JavaScript, in Rust", AdapterName::Messaging, "messaging.wasm", "examples/messaging-js.wasm"),
];

/// Those that are built: `make examples` leaves out what it has no tools for.
pub fn calls() -> Vec<Row> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist");
    let there = PAIRS.into_iter().filter(|pair| built.join(pair.3).exists());
    there.map(|(what, adapter, rust, other)| row(what, adapter, (&built.join(rust), &built.join(other)))).collect()
}

fn row(what: &str, adapter: AdapterName, (rust, other): (&PathBuf, &PathBuf)) -> Row {
    let (floor, measured) = (micros(adapter, rust), micros(adapter, other));
    let told = |micros: f64, component: &PathBuf| {
        let size = std::fs::metadata(component).unwrap().len() as f64 / MIB;
        format!("{micros:.0} µs, {size:.1} MiB")
    };
    let ratio = format!("{:.1}", measured / floor);
    Row::told(what, told(measured, other)).beside(told(floor, rust), ratio)
}

/// One call, in turn with nobody: the median of the rounds' means.
fn micros(adapter: AdapterName, component: &Path) -> f64 {
    let config: AdapterConfig = toml::from_str(&format!("component = '{}'", component.display())).unwrap();
    let cache = data::folder();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let configs = BTreeMap::from([(adapter, config)]);
        let adapters = Adapters::load(&configs, cache.path(), None).await.unwrap();
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            for _ in 0..CALLS {
                rejected(&adapters, adapter).await;
            }
            rounds.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
        }
        median(rounds)
    })
}

async fn rejected(adapters: &Adapters, adapter: AdapterName) {
    let answer = match adapter {
        AdapterName::Crm => adapters.archive_contact("no such id", "moved away", "key").await,
        _ => adapters.send_message(to_nobody(), "key").await,
    };
    assert!(format!("{answer:?}").contains("Reject"), "{answer:?}");
}

fn to_nobody() -> Message {
    Message {
        template: Template::Welcome,
        language: "de".to_owned(),
        prefer: Channel::Email,
        to: Recipient { name: "Jane Doe".to_owned(), email: None, phone: None },
        variables: Vec::new(),
    }
}
