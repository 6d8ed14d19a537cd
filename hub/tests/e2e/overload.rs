//! Far more requests at once than the hub can take.

use std::collections::BTreeMap;

use futures::future::join_all;
use reqwest::Method;

use crate::harness::{Config, Member, Reply, World, run, samples};

/// HTTP/2 connections …
const CONNECTIONS: usize = 40;
/// … and requests at once on each: several times what all mailboxes hold.
const STREAMS: usize = 100;
/// What the hub may grow by meanwhile, in MiB: the requests themselves, and the clients that it has accepted.
const GROWTH: u64 = 200;

/// Resident memory of the hub, in MiB.
fn resident(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// One request on each stream of each connection, all at once.
async fn flood(member: &Member<'_>) -> Vec<Reply> {
    let connections: Vec<_> =
        (0..CONNECTIONS).map(|_| reqwest::Client::builder().http2_prior_knowledge().build().unwrap()).collect();
    let url = format!("{}/clients/profile", member.world.url());
    let asked = connections.iter().flat_map(|connection| (0..STREAMS).map(move |_| connection)).map(|connection| {
        let request = connection.request(Method::POST, &url).bearer_auth(&member.token).json(&samples::company());
        async move { Reply::read(request.send().await.unwrap()).await }
    });
    join_all(asked).await
}

#[test]
fn what_is_too_much_is_refused_at_once_and_nothing_that_was_accepted_is_lost() {
    run(async {
        let world = World::start(Config { adapters: String::new(), ..Config::default() }).await;
        let admin = world.admin("overload");
        admin.create(&samples::company()).await;
        let before = resident(&world);
        let replies = flood(&admin).await;
        let grown = resident(&world).saturating_sub(before);
        let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
        for reply in &replies {
            *statuses.entry(reply.status).or_default() += 1;
            if reply.status != 201 {
                reply.problem(503, "overloaded");
                assert!(reply.header("retry-after").is_some(), "{reply:?}");
            }
        }
        let count = |status: u16| statuses.get(&status).copied().unwrap_or(0);
        assert!(count(201) > 0 && count(503) > 0, "{statuses:?}");
        assert!(grown < GROWTH, "grew by {grown} MiB");
        // Back to normal, and exactly what was accepted is there.
        admin.create(&samples::company()).await;
        let list = admin.get("/clients/profile?limit=1").await.ok(200);
        assert_eq!(list["total"], 2 + count(201));
    });
}
