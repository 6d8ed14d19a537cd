//! One call of an adapter, in a fresh instance, against the same function called natively.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use hub::adapters::wit::types::{ClientKind, ClientStatus, Corporate, Details, Profile, Receipt};
use hub::adapters::{AdapterConfig, AdapterName, Adapters};

use crate::data;
use crate::report::{Row, median};

const ROUNDS: usize = 9;
const CALLS: u32 = 2_000;
const TARGET_MICROS: f64 = 60.0;

pub fn call() -> Row {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist/fixtures/behaviour.wasm");
    let config = format!("component = '{}'\nsettings.behave = 'echo'\n", component.display());
    let config: AdapterConfig = toml::from_str(&config).unwrap();
    let cache = data::folder();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let configs = BTreeMap::from([(AdapterName::Crm, config)]);
        let adapters = Adapters::load(&configs, cache.path(), None).await.unwrap();
        let (mut sandboxed, mut native) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let began = Instant::now();
            for number in 0..CALLS {
                adapters.upsert_contact(profile(number), "key").await.unwrap();
            }
            sandboxed.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
            let began = Instant::now();
            for number in 0..CALLS {
                black_box(echo(black_box(profile(number)), black_box("key")));
            }
            native.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
        }
        let over = median(sandboxed.iter().zip(&native).map(|(sandboxed, native)| sandboxed - native));
        let mut row = Row::most("an adapter's call over the same natively", "µs", over, TARGET_MICROS);
        row.measured = format!("{:.1} µs", median(sandboxed));
        row.beside(format!("{:.1} µs", median(native)), format!("+{over:.1} µs"))
    })
}

/// What the fixture does.
fn echo(profile: Profile, _key: &str) -> Receipt {
    Receipt { external_id: profile.reference, note: None }
}

pub fn profile(number: u32) -> Profile {
    Profile {
        reference: format!("CL-{number:026}"),
        external_reference: None,
        organisation: data::ORG.to_owned(),
        version: 1,
        kind: ClientKind::Corporate,
        status: ClientStatus::Active,
        name: "Northwind Trading GmbH".to_owned(),
        details: Details::Corporate(Corporate {
            legal_name: "Northwind Trading GmbH".to_owned(),
            registration_number: "HRB 1234".to_owned(),
            lei: None,
            tax_id: None,
            industry: Some("4690".to_owned()),
            incorporated_on: None,
            contacts: Vec::new(),
        }),
        email: Some("office@northwind.example".to_owned()),
        phone: Some("+4930123450".to_owned()),
        address: None,
        segment: Some("sme".to_owned()),
        language: Some("de".to_owned()),
        tags: vec!["import".to_owned(), "priority".to_owned()],
        assigned_to: vec!["m-1".to_owned()],
        external_id: None,
        created_at: "2026-01-01T00:00:00.000Z".to_owned(),
        updated_at: "2026-01-01T00:00:00.000Z".to_owned(),
    }
}
