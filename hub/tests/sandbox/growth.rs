//! What a component may grow, and what it may begin with: memory, tables, instances, handles, and answers.

use hub::adapters::{AdapterName, CallError};

use crate::hand::Hand;
use crate::support::{Crm, down, retry};

/// Its fault is the guest's, and the next call of a better behaved function is served.
async fn fails_alone(crm: &Crm, kind: &str, says: &str) {
    let why = retry(crm.upsert().await);
    assert!(why.contains(kind) && why.contains(says), "{kind}, {says}: {why}");
    assert!(crm.adapters.check_health(AdapterName::Crm).await.is_ok());
    let report = crm.report();
    assert_eq!((report.faults[kind], report.blamed_on_guest), (1, 1));
}

/// Grows until it is refused, then traps.
const GROW_TABLES: &str = "
    (loop $more
        (br_if $more (i32.ne (table.grow $a (ref.func $say) (i32.const 1000)) (i32.const -1)))
        (br_if $more (i32.ne (table.grow $b (ref.func $say) (i32.const 1000)) (i32.const -1))))
    unreachable";

#[tokio::test]
async fn tables_share_the_limit_of_memory() {
    let more = "(table $a 10 funcref) (table $b 10 funcref) (elem declare func $say)";
    let hand = Hand { more, upsert: GROW_TABLES, ..Hand::default() };
    fails_alone(&hand.load("").await, "limit", "table").await;

    let begins = Hand { more: "(table 1000000 funcref)", upsert: "(call $digit (i32.const 0))", ..Hand::default() };
    let why = down(&begins.load("memory_mib = 4").await);
    assert!(why.contains("table") && why.contains("4 MiB"), "{why}");
    begins.load("memory_mib = 16").await.upsert().await.unwrap();
}

#[tokio::test]
async fn many_memories_share_one_limit() {
    let more = "(memory $b 1) (memory $c 1)";
    let grow = "(loop $more
        (br_if $more (i32.ne (memory.grow $b (i32.const 16)) (i32.const -1)))
        (br_if $more (i32.ne (memory.grow $c (i32.const 16)) (i32.const -1))))
        unreachable";
    let hand = Hand { more, upsert: grow, ..Hand::default() };
    fails_alone(&hand.load("memory_mib = 8").await, "limit", "8 MiB").await;
}

#[tokio::test]
async fn handles_are_counted() {
    let upsert = "(loop $more (drop (call $made (i32.const 1))) (br $more)) (i32.const 0)";
    let crm = Hand { makes: true, upsert, ..Hand::default() }.load("deadline_ms = 60000").await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("handle"), "{why}");
    assert_eq!(crm.report().blamed_on_guest, 1);
    assert!(crm.adapters.check_health(AdapterName::Crm).await.is_ok());
}

/// Components inside components, each instantiated twice: many of them, and none with anything in it.
#[tokio::test]
async fn an_instance_bomb_of_empty_components_is_refused() {
    let mut text = "(component $c0)".to_owned();
    for level in 1..24 {
        let inner = level - 1;
        text = format!(
            "(component $c{level} {text} (instance (instantiate $c{inner})) (instance (instantiate $c{inner})))"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.wasm");
    std::fs::write(&path, wat::parse_str(&text).unwrap()).unwrap();
    let crm = Crm::configured(&format!("component = '{}'", path.display()), "").await;
    let why = down(&crm);
    assert!(why.contains("component instances at the start; at most"), "{why}");
}

/// 100,000 globals in each of 64 instances of one module would be 100 MiB outside of any memory.
#[tokio::test]
async fn what_instances_carry_beside_memory_is_bounded() {
    let globals = "(global (mut i64) (i64.const 1))".repeat(100_000);
    let instances = "(core instance (instantiate $m))".repeat(64);
    let text = format!(
        "(component (core module $m {globals}) {instances} (instance $i)
            (export \"backoffice:adapter/crm@1.0.0\" (instance $i)))"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("globals.wasm");
    std::fs::write(&path, wat::parse_str(&text).unwrap()).unwrap();
    let crm = Crm::configured(&format!("component = '{}'", path.display()), "").await;
    let why = down(&crm);
    assert!(why.contains("can't be compiled") && why.contains("exceeds"), "{why}");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_a_trap() {
    let cases = [
        ("an address outside of its memory", "(i32.const -8)"),
        ("a case that there is not", "(i32.store8 (i32.const 512) (i32.const 9)) (i32.const 512)"),
        ("a text outside of its memory", "(call $say (i32.const 1024) (i32.const -1))"),
        (
            "a text that is no UTF-8",
            "(i32.store8 (i32.const 700) (i32.const 255)) (call $say (i32.const 700) (i32.const 1))",
        ),
    ];
    for (what, upsert) in cases {
        let crm = Hand { upsert, ..Hand::default() }.load("").await;
        let why = retry(crm.upsert().await);
        assert!(why.contains("trap"), "{what}: {why}");
        assert_eq!(crm.report().blamed_on_guest, 1, "{what}");
    }
}

#[tokio::test]
async fn an_allocator_that_lies_or_spins_is_the_guests_fault() {
    for (realloc, kind) in [("(return (i32.const -8))", "trap"), ("(loop $l (br $l))", "deadline")] {
        let crm = Hand { realloc, upsert: "(i32.const 0)", ..Hand::default() }.load("deadline_ms = 100").await;
        let why = retry(crm.upsert().await);
        assert!(why.contains(kind), "{why}");
        assert_eq!((crm.report().faults[kind], crm.report().blamed_on_guest), (1, 1));
    }
}

/// Neither loop passes a back edge of its own: the one only calls the host, the other only itself.
#[tokio::test]
async fn no_way_of_going_on_dodges_the_deadline() {
    let settings = "(import \"backoffice:adapter/settings@1.0.0\" \"get\" (func $get (param i32 i32 i32)))";
    let hammer = "(loop $more (call $get (i32.const 0) (i32.const 4) (i32.const 1024)) (br $more)) (i32.const 0)";
    let tail =
        Hand { more: "(func $tail (return_call $tail))", upsert: "(call $tail) (i32.const 0)", ..Hand::default() };
    let fill = Hand {
        upsert: "(drop (memory.grow (i32.const 800)))
            (loop $more (memory.fill (i32.const 4096) (i32.const 1) (i32.const 50000000)) (br $more)) (i32.const 0)",
        ..Hand::default()
    };
    let hammer = Hand { imports: settings, upsert: hammer, ..Hand::default() };
    for hand in [hammer, tail, fill] {
        let crm = hand.load("deadline_ms = 100").await;
        let why = retry(crm.upsert().await);
        assert!(why.contains("deadline"), "{why}");
        assert_eq!((crm.report().faults["deadline"], crm.report().blamed_on_guest), (1, 1));
    }
}

#[tokio::test]
async fn a_component_that_spins_where_it_begins_is_not_loaded() {
    let more = "(func $begin (loop $l (br $l))) (start $begin)";
    let crm = Hand { more, upsert: "(i32.const 0)", ..Hand::default() }.load("deadline_ms = 100").await;
    let why = down(&crm);
    assert!(why.contains("`describe` failed") && why.contains("deadline"), "{why}");
    assert!(matches!(crm.upsert().await, Err(CallError::Down(_))));
}

#[tokio::test]
async fn what_could_block_a_thread_or_dodge_the_count_is_not_compiled() {
    for (what, more) in [("shared memory", "(memory $shared 1 2 shared)"), ("64-bit memory", "(memory $wide i64 1)")] {
        let crm = Hand { more, upsert: "(i32.const 0)", ..Hand::default() }.load("").await;
        let why = down(&crm);
        assert!(why.contains("can't be compiled"), "{what}: {why}");
    }
}
