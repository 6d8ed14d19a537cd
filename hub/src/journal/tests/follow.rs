//! Subscriptions: everything once, in order, from anywhere, however slow.

use super::*;

async fn take(subscription: &mut Subscription, count: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(subscription.next().await.unwrap().unwrap().seq);
    }
    seen
}

#[tokio::test]
async fn a_subscriber_sees_what_was_and_what_comes() {
    let dir = folder();
    let small = Options { segment_bytes: 5000, ..options(dir.path()) };
    let journal = FileJournal::open(small, |_| {}).unwrap().0;
    for _ in 0..20 {
        journal.append(many(&["client/a", "client/b"])).await.unwrap();
    }
    let mut old = journal.subscribe(1);
    let mut middle = journal.subscribe(17);
    let mut new = journal.subscribe(41);
    // More groups than the ring holds, so the slow ones have to read files.
    for _ in 0..100 {
        journal.append(one("client/a")).await.unwrap();
    }
    assert_eq!(take(&mut old, 140).await, (1..=140).collect::<Vec<_>>());
    assert_eq!(take(&mut middle, 124).await, (17..=140).collect::<Vec<_>>());
    assert_eq!(take(&mut new, 100).await, (41..=140).collect::<Vec<_>>());
    let (seen, _) = tokio::join!(take(&mut new, 1), journal.append(one("client/a")));
    assert_eq!(seen, [141]);
    journal.close();
    assert_eq!(take(&mut old, 1).await, [141]);
    assert!(old.next().await.is_none() && new.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_while_it_is_written() {
    let dir = folder();
    let journal = Arc::new(open(dir.path()));
    let followers: Vec<_> = (0..4)
        .map(|_| {
            let mut subscription = journal.subscribe(1);
            tokio::spawn(async move { take(&mut subscription, 1600).await })
        })
        .collect();
    let writers: Vec<_> = (0..16)
        .map(|at| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    journal.append(one(&format!("client/{at}"))).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for follower in followers {
        assert_eq!(follower.await.unwrap(), (1..=1600).collect::<Vec<_>>());
    }
}
