//! Rate limits, by member and by address.

use crate::harness::{Config, Reply, World, run};

#[track_caller]
fn limited(reply: &Reply, by: &str) {
    reply.problem(429, "rate-limited");
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{reply:?}");
    let policy = reply.header("ratelimit-policy").unwrap();
    assert!(policy.contains(&format!("\"{by}\"")) && policy.contains("q="), "{policy}");
    let limit = reply.header("ratelimit").unwrap();
    assert!(limit.contains("r=0") && limit.contains("t="), "{limit}");
}

#[test]
fn behind_a_trusted_proxy_each_caller_has_a_limit_of_its_own_and_can_not_dodge_it() {
    run(async {
        let limits =
            "member = { per_second = 1000, burst = 1000 }\naddress = { per_second = 1, burst = 10 }".to_owned();
        let more_http = "proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]".to_owned();
        let world = World::start(Config { limits, more_http, strict: false, ..Config::default() }).await;
        let url = format!("{}/clients/profile", world.url());
        let ask = async |name: &str, forwarded: String| {
            // A connection for each request: many of them make nobody another one.
            let http = reqwest::Client::new();
            let request = http.get(&url).header(name, forwarded).bearer_auth(format!("{}.x.y", forwarded_token()));
            request.send().await.unwrap().status().as_u16()
        };
        let mut first = Vec::new();
        for number in 0..40 {
            let name = ["x-forwarded-for", "X-Forwarded-For", "X-FORWARDED-FOR"][number % 3];
            // What the caller writes itself stands to the left, and each time it says something else.
            first.push(ask(name, format!("198.51.100.{number}, 203.0.113.9, 10.0.0.{number}")).await);
        }
        assert_eq!(first[0], 401, "{first:?}");
        assert!(first.iter().filter(|status| **status == 429).count() >= 25, "{first:?}");
        assert_eq!(
            ask("x-forwarded-for", "203.0.113.10".to_owned()).await,
            401,
            "another caller behind the same proxy"
        );
    });
}

/// A text that differs each time.
fn forwarded_token() -> u64 {
    crate::harness::samples::unique()
}

#[test]
fn members_and_addresses_are_slowed_down_each_by_its_own_limit() {
    run(async {
        let limits = "member = { per_second = 2, burst = 10 }\naddress = { per_second = 5, burst = 80 }".to_owned();
        let world = World::start(Config { limits, strict: false, ..Config::default() }).await;
        let (one, two) = (world.admin("limits"), world.member("limits", "m-2", &["RP002"]));
        let mut replies = Vec::new();
        for _ in 0..20 {
            replies.push(one.get("/clients/profile").await);
        }
        let passed = replies.iter().filter(|reply| reply.status == 200).count();
        assert!((10..20).contains(&passed), "{passed} of 20 passed");
        limited(replies.last().unwrap(), "member");
        // Another member, and the same id in another organisation, are others.
        two.get("/clients/profile").await.ok(200);
        world.admin("elsewhere").get("/clients/profile").await.ok(200);
        // The limit counts before the request is looked at any further, and what waits passes again.
        limited(&one.get("/nowhere").await, "member");
        let wait: u64 = one.get("/clients/profile").await.header("retry-after").unwrap().parse().unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
        one.get("/clients/profile").await.ok(200);

        // The address is looked at before the token, and nothing that a caller writes makes another one of it.
        let url = format!("{}/clients/profile", world.url());
        let mut statuses = Vec::new();
        let mut last = None;
        for place in 0..150 {
            let request = world.http.get(&url).header("x-forwarded-for", format!("192.0.2.{place}"));
            let reply = Reply::read(request.send().await.unwrap()).await;
            statuses.push(reply.status);
            last = Some(reply);
        }
        assert_eq!(statuses[0], 401, "{statuses:?}");
        limited(&last.unwrap(), "address");
        assert!(statuses.iter().filter(|status| **status == 429).count() > 30, "{statuses:?}");
    });
}
