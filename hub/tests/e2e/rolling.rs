//! Everything around the hub stopped and started in turn, and the hub itself, while clients are created and changed.

use std::cell::Cell;
use std::sync::Arc;

use backends::Backends;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::faults::under_load;
use crate::harness::{Config, Member, Nats, World, free_port, run, samples, until};

const SYSTEMS: [&str; 6] = ["fineract", "espocrm", "match", "scim", "mail", "sms"];

/// One outside system on a port of its own, which keeps what it has while it is away.
struct System {
    port: u16,
    holds: Arc<Backends>,
    up: CancellationToken,
}

impl System {
    async fn start(port: u16, holds: &Arc<Backends>) -> Self {
        let listener = until("the port is free", || async { TcpListener::bind(("127.0.0.1", port)).await.ok() }).await;
        let (up, holds) = (CancellationToken::new(), holds.clone());
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(backends::serve(listener, holds.clone(), up.clone().cancelled_owned()));
        Self { port, holds, up }
    }

    /// Connections are reset, whatever is on them.
    fn stop(&self) {
        self.up.cancel();
    }

    async fn again(&mut self) {
        *self = Self::start(self.port, &self.holds).await;
    }
}

/// A client that was accepted now is at one of its links in this state.
async fn new_client(world: &World, link: &str, state: &[&str]) -> String {
    let admin = world.admin("probe");
    let reference = admin.create(&samples::company()).await["reference"].as_str().unwrap().to_owned();
    admin
        .client_when(&reference, &format!("{state:?} at {link}"), |client| {
            client["sync"][link]["state"].as_str().is_some_and(|found| state.contains(&found))
        })
        .await;
    reference
}

#[test]
fn a_rolling_restart_of_everything_around_loses_and_doubles_nothing() {
    run(async {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let holds = Arc::new(Backends::new(7));
        let mut systems = Vec::new();
        let mut adapters = Config::default().adapters;
        for name in SYSTEMS {
            let system = System::start(0, &holds).await;
            let at = format!("http://127.0.0.1:{}/{name}", system.port);
            adapters = adapters.replace(&format!("{{backends}}/{name}"), &at);
            systems.push(system);
        }
        let control = System::start(0, &holds).await;
        let outside = Some(format!("http://127.0.0.1:{}", control.port));
        let more = format!("[nats]\nurl = \"nats://127.0.0.1:{port}\"\n");
        let nats = Cell::new(Some(Nats::start(folder.path(), port)));
        let world = World::start(Config { more, adapters, outside, strict: false, ..Config::default() }).await;
        let links = ["core-banking", "crm", "kyc", "identity", "messaging"];
        let work = async {
            for (system, link) in systems.iter_mut().zip(links) {
                system.stop();
                // It is missed before it comes back, and its own deliveries go on then.
                let waiting = ["pending", "retrying", "held", "parked"];
                let reference = new_client(&world, link, &waiting).await;
                system.again().await;
                world
                    .admin("probe")
                    .client_when(&reference, "delivered", |c| c["sync"][link]["state"] == "synced")
                    .await;
            }
            drop(nats.take());
            new_client(&world, "kyc", &["synced"]).await;
            nats.set(Some(Nats::start(folder.path(), port)));
            new_client(&world, "kyc", &["synced"]).await;
        };
        let told = under_load(&world, "rolling", work).await;
        assert_eq!(told.restarting.get(), 0, "requests were disturbed");
        world.settle().await;
        let parked = world.operator().get("/admin/sync/parked?limit=200").await.ok(200)["items"].clone();
        let mut unsure = Vec::new();
        for item in parked.as_array().unwrap() {
            assert_eq!((&item["adapter"], &item["reason"]), (&json!("messaging"), &json!("outcome-unknown")), "{item}");
            unsure.push(item["client"].clone());
        }
        let admin = world.admin("rolling");
        let references: Vec<_> = told.edits.borrow().keys().cloned().collect();
        for reference in &references {
            let client = admin.client(reference).await;
            for (system, kind) in
                [("fineract", "client.created"), ("espocrm", "account.created"), ("scim", "user.created")]
            {
                let kinds = world.outside.kinds(system, reference).await;
                assert_eq!(kinds.iter().filter(|found| *found == kind).count(), 1, "{system} {reference}: {kinds:?}");
            }
            for link in ["core-banking", "crm", "identity", "kyc"] {
                assert_eq!(client["sync"][link]["state"], "synced", "{client}");
            }
            let mails = world.outside.state("mail", client["email"].as_str().unwrap()).await["messages"].clone();
            let welcomes = mails.as_array().unwrap().iter().filter(|mail| mail["categories"][0] == "welcome").count();
            let known = !unsure.contains(&Value::String(reference.clone()));
            assert!(welcomes == 1 || (welcomes == 0 && !known), "{reference} was welcomed {welcomes} times");
        }
        super::events::announced_once_and_in_order(&format!("nats://127.0.0.1:{port}"), &admin, &references).await;
    });
}

/// Creates until the hub takes no more, and counts what was answered.
async fn create(admin: &Member<'_>, answered: &Cell<u64>) {
    loop {
        let request = admin.request(reqwest::Method::POST, "/clients/profile").json(&samples::company());
        // Refused by the hub or by its port: what counts is that whatever was done was answered.
        let Ok(reply) = request.send().await else { return };
        match reply.status().as_u16() {
            201 => answered.set(answered.get() + 1),
            503 => return,
            other => panic!("{other}: {:?}", reply.text().await),
        }
        assert!(reply.text().await.unwrap().contains("\"CL-"), "half an answer");
    }
}

#[test]
fn sigterm_under_load_answers_what_it_has_accepted() {
    const WRITERS: usize = 8;
    run(async {
        let world = World::start(Config { strict: false, ..Config::default() }).await;
        let admin = world.admin("sigterm");
        let answered = Cell::new(0);
        for round in 1..4 {
            let writing = join_all((0..WRITERS).map(|_| create(&admin, &answered)));
            let enough = answered.get() + 20 * round;
            let stopping = async {
                until("they are at work", || std::future::ready((answered.get() >= enough).then_some(()))).await;
                world.terminate();
            };
            tokio::join!(writing, stopping);
            world.left();
            world.up();
            assert_eq!(admin.get("/clients/profile?limit=1").await.ok(200)["total"], answered.get(), "round {round}");
        }
    });
}
