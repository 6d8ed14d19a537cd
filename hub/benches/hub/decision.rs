//! A decision of the policy, against casbin's own enforcer on the same files.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use casbin::{CoreApi, DefaultModel, Enforcer, FileAdapter};
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
    let enforcer = runtime.block_on(async {
        let model = DefaultModel::from_file(policies.join("model.conf")).await.unwrap();
        Enforcer::new(model, FileAdapter::new(policies.join("policy.csv"))).await.unwrap()
    });
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
