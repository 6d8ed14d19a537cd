//! A guest that computes, allocates, traps or talks too much harms its own call and nothing else.

use std::time::{Duration, Instant};

use hub::adapters::wit::types::RepeatSafety;
use hub::adapters::{AdapterName, AdapterState, CallError};

use crate::support::{Crm, profile, retry};

#[tokio::test]
async fn a_well_behaved_guest_answers() {
    let crm = Crm::behaving("echo", "").await;
    assert_eq!(crm.upsert().await.unwrap().external_id, "CL-01");
    assert!(crm.adapters.check_health(AdapterName::Crm).await.unwrap().ok);
    assert_eq!(crm.adapters.repeat_safety(AdapterName::Crm, "upsert-contact"), Some(RepeatSafety::Safe));
    assert_eq!(crm.adapters.repeat_safety(AdapterName::Crm, "no-such"), None);
    assert_eq!(crm.adapters.names(), [AdapterName::Crm]);
    let report = crm.report();
    assert_eq!((report.state, report.calls, report.in_flight), (AdapterState::Up, 2, 0));
}

#[tokio::test]
async fn an_endless_loop_ends_within_two_ticks_of_its_deadline() {
    let crm = Crm::behaving("spinner", "deadline_ms = 50").await;
    let mut late = Vec::new();
    for _ in 0..40 {
        let started = Instant::now();
        let why = retry(crm.upsert().await);
        late.push(started.elapsed().saturating_sub(Duration::from_millis(50)));
        assert!(why.contains("deadline"), "{why}");
    }
    late.sort_unstable();
    // The median, since other tests run on the same cores.
    assert!(late[20] < Duration::from_millis(10), "{late:?}");
    let report = crm.report();
    assert_eq!((report.faults["deadline"], report.blamed_on_guest), (40, 40));
}

#[tokio::test]
async fn loops_on_every_thread_do_not_stop_another_adapter() {
    let busy = Crm::behaving("spinner", "deadline_ms = 300\nconcurrency = 16").await;
    let calls = (0..16).map(|_| busy.upsert());
    let other = async {
        let calm = Crm::behaving("echo", "").await;
        for _ in 0..20 {
            calm.upsert().await.unwrap();
        }
    };
    let (ended, ()) = tokio::join!(futures::future::join_all(calls), other);
    assert!(ended.into_iter().all(|call| retry(call).contains("deadline")));
}

#[tokio::test]
async fn memory_beyond_the_limit_is_not_given() {
    let crm = Crm::behaving("memory-hog", "memory_mib = 16").await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("16 MiB"), "{why}");
    assert_eq!(crm.report().faults["limit"], 1);
}

#[tokio::test]
async fn traps_and_stack_overflows_fail_their_call_alone() {
    for behave in ["trapper", "deep-recursion"] {
        let crm = Crm::behaving(behave, "").await;
        for _ in 0..3 {
            let why = retry(crm.upsert().await);
            assert!(why.contains("trap"), "{why}");
        }
        assert!(crm.adapters.check_health(AdapterName::Crm).await.is_ok());
        assert_eq!((crm.report().faults["trap"], crm.report().blamed_on_guest), (3, 3));
    }
}

#[tokio::test]
async fn one_payload_that_crashes_it_leaves_the_others_alone() {
    let crm = Crm::behaving("bomb", "").await;
    for _ in 0..60 {
        retry(crm.adapters.upsert_contact(profile("bomb"), "k").await);
        crm.adapters.upsert_contact(profile("Ada"), "k").await.unwrap();
    }
    assert_eq!(crm.report().state, AdapterState::Up);
}

#[tokio::test]
async fn an_answer_without_measure_is_not_copied() {
    let crm = Crm::behaving("huge-return", "memory_mib = 256\nsettings.size = '100000000'").await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("too much data"), "{why}");
    let crm = Crm::behaving("huge-return", "settings.size = '100000'").await;
    assert!(crm.upsert().await.unwrap().note.unwrap().len() < 2_000, "a remark is cut");
    let crm = Crm::behaving("huge-id", "").await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("limit") && why.contains("`external-id`") && !why.contains("xxx"), "{why}");
    assert_eq!(crm.report().blamed_on_guest, 1);
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut_off() {
    let crm = Crm::behaving("log-flooder", "settings.count = '20000'").await;
    assert_eq!(crm.upsert().await.unwrap().external_id, "CL-01");
}

#[tokio::test]
async fn the_store_is_kept_between_calls_where_it_is_allowed() {
    let crm = Crm::behaving("storer", "store = true").await;
    assert_eq!(crm.upsert().await.unwrap().note, None);
    crm.reload().await.unwrap();
    assert_eq!(crm.upsert().await.unwrap().note.as_deref(), Some("key-1"));

    let without = Crm::behaving("storer", "").await;
    let Err(CallError::Unknown(why)) = without.upsert().await else { panic!("kept") };
    assert!(why.contains("store = true"), "{why}");
}

#[tokio::test]
async fn the_store_has_an_end() {
    let crm = Crm::behaving("store-hog", "store = true").await;
    let receipt = crm.upsert().await.unwrap();
    assert_eq!(receipt.external_id, (16 * 1024 / 100).to_string());
    let why = receipt.note.unwrap();
    assert!(why.contains("at most 16384 are kept"), "{why}");
}

#[tokio::test]
async fn a_disposition_is_one_short_line() {
    let text = "settings.text = \"a\\nb\\u001b[31m\\u202e\"";
    let why = crate::support::unknown(Crm::behaving("liar", text).await.upsert().await);
    assert_eq!(why, "a b\\u{1b}[31m\\u{202e}");
    let long = format!("settings.text = '{}'", "x".repeat(5_000));
    assert!(crate::support::unknown(Crm::behaving("liar", &long).await.upsert().await).len() < 1_100);
}

#[tokio::test]
async fn too_many_calls_wait_outside_and_then_are_refused() {
    let crm = Crm::behaving("spinner", "deadline_ms = 200\nconcurrency = 1").await;
    let (first, second, third) = tokio::join!(crm.upsert(), crm.upsert(), crm.upsert());
    retry(first);
    let others = [second, third];
    assert!(others.contains(&Err(CallError::Busy)), "{others:?}");
}

#[tokio::test]
async fn a_guest_that_only_fails_is_quarantined_until_it_is_reloaded() {
    let crm = Crm::behaving("trapper", "").await;
    let mut calls = 0;
    let reason = loop {
        calls += 1;
        match crm.upsert().await {
            Err(CallError::Down(reason)) => break reason,
            Err(CallError::Retry { .. }) if calls < 200 => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(reason.contains("quarantined"), "{reason}");
    assert!(matches!(crm.report().state, AdapterState::Quarantined { .. }));
    crm.reload().await.unwrap();
    retry(crm.upsert().await);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_its_call_with_it() {
    let crm = Crm::behaving("spinner", "deadline_ms = 60000\nconcurrency = 1").await;
    let gone = tokio::time::timeout(Duration::from_millis(50), crm.upsert()).await;
    assert!(gone.is_err());
    let freed = tokio::time::timeout(Duration::from_secs(5), async {
        while crm.report().in_flight > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    freed.await.expect("the slot is given back");
}
