//! What a call costs in a fresh instance, by the language of the adapter: one that each rejects by its argument alone, so
//! that no outside system has a part in it. The one in Rust is the floor of the one that speaks the same API.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use hub::adapters::wit::messaging::{Channel, Message, Recipient, Template};
use hub::adapters::{AdapterConfig, AdapterName, Adapters};

use crate::data;
use crate::report::{Row, median};

const ROUNDS: usize = 9;
const CALLS: u32 = 500;
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

fn row(what: &str, adapter: AdapterName, (rust, other): (&Path, &Path)) -> Row {
    let (floors, measured) = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (cache, mut rounds) = (data::folder(), (Vec::new(), Vec::new()));
        let (floor, other) = (loaded(adapter, rust, cache.path()).await, loaded(adapter, other, cache.path()).await);
        for _ in 0..ROUNDS {
            rounds.0.push(micros(&floor, adapter).await);
            rounds.1.push(micros(&other, adapter).await);
        }
        rounds
    });
    let ratio = median(measured.iter().zip(&floors).map(|(measured, floor)| measured / floor));
    let told = |rounds: Vec<f64>, component: &Path| {
        let size = std::fs::metadata(component).unwrap().len() as f64 / MIB;
        format!("{:.0} µs, {size:.1} MiB", median(rounds))
    };
    Row::told(what, told(measured, other)).beside(told(floors, rust), format!("{ratio:.1}"))
}

async fn loaded(adapter: AdapterName, component: &Path, cache: &Path) -> Adapters {
    let config: AdapterConfig = toml::from_str(&format!("component = '{}'", component.display())).unwrap();
    Adapters::load(&BTreeMap::from([(adapter, config)]), cache, None).await.unwrap()
}

/// The mean of one round.
async fn micros(adapters: &Adapters, adapter: AdapterName) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        rejected(adapters, adapter).await;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
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
