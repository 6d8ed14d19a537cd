//! A decision of the policy, against casbin's own enforcer on the same files.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use casbin::{CoreApi, Enforcer};
use hub::access::{Access, Action, LocalKey, Target, Tokens};

use crate::data;
use crate::report::{Row, median};

const ROUNDS: usize = 9;
const DECISIONS: u32 = 50_000;
const OF_CASBIN: u32 = 2_000;

pub fn permit() -> Row {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let access = Access::load(&policies, "operators").unwrap();
    let folder = data::folder();
    let key = LocalKey::open(&folder.path().join("hub.key")).unwrap();
    let token = data::tokens(folder.path(), 1).remove(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let caller = runtime.block_on(Tokens::local(&key).verify(&token)).unwrap();
    let (model, rules) = (policies.join("model.conf"), policies.join("policy.csv"));
    let paths = (model.to_str().unwrap().to_owned(), rules.to_str().unwrap().to_owned());
    let enforcer = runtime.block_on(Enforcer::new(paths.0, paths.1)).unwrap();
    let target = Target { reference: "CL-1", client: None };
    let (mut ours, mut casbins) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..DECISIONS {
            black_box(access.permit(black_box(&caller), Action::CL002, Some(target)).unwrap());
        }
        ours.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(DECISIONS));
        let began = Instant::now();
        for _ in 0..OF_CASBIN {
            let request = ("RP001", "CL002", vec!["P_BO_001"]);
            assert!(enforcer.enforce(black_box(request)).unwrap());
        }
        casbins.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(OF_CASBIN));
    }
    let (ours, casbins) = (median(ours), median(casbins));
    let row = Row::told("a decision, beside casbin's enforcer", format!("{ours:.2} µs"));
    row.beside(format!("{casbins:.2} µs"), format!("{:.3}", ours / casbins))
}
