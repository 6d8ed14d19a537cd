//! What a runtime asks WASI for is answered, and there is nothing behind it.

use hub::adapters::AdapterName;

use crate::hand::Hand;
use crate::support::retry;

/// A guest that asks one function with a pointer for its answer, and says the byte `at` of that answer.
fn asking<'a>(wasi: &'a [&'a str], imports: &'a str, upsert: &'a str) -> Hand<'a> {
    Hand { wasi, imports, upsert, ..Hand::default() }
}

async fn said(hand: Hand<'_>) -> String {
    hand.load("").await.upsert().await.unwrap().external_id
}

#[tokio::test]
async fn there_are_no_variables_no_arguments_no_folders() {
    const COUNT: &str = "(call $ask (i32.const 1024)) (call $digit (i32.load (i32.const 1028)))";
    for (interface, function) in [
        ("wasi:cli/environment@0.2.0", "get-environment"),
        ("wasi:cli/environment@0.2.0", "get-arguments"),
        ("wasi:filesystem/preopens@0.2.0", "get-directories"),
    ] {
        let imports = format!("(import \"{interface}\" \"{function}\" (func $ask (param i32)))");
        assert_eq!(said(asking(&[interface], &imports, COUNT)).await, "0", "{function}");
    }
    let cwd = "(import \"wasi:cli/environment@0.2.0\" \"initial-cwd\" (func $ask (param i32)))";
    let some = "(call $ask (i32.const 1024)) (call $digit (i32.load8_u (i32.const 1024)))";
    assert_eq!(said(asking(&["wasi:cli/environment@0.2.0"], cwd, some)).await, "0");
}

/// Of the error codes 1 is `access-denied` and 20 `permanent-resolver-failure`.
#[tokio::test]
async fn no_socket_is_made_and_no_name_looked_up() {
    const CODE: &str = "(call $ask (i32.const 0) (i32.const 1024))
        (call $digit (i32.add (i32.load8_u (i32.const 1028)) (i32.mul (i32.const 8)
            (i32.eqz (i32.load8_u (i32.const 1024))))))";
    for kind in ["tcp", "udp"] {
        let interface = format!("wasi:sockets/{kind}-create-socket@0.2.0");
        let imports = format!("(import \"{interface}\" \"create-{kind}-socket\" (func $ask (param i32 i32)))");
        assert_eq!(said(asking(&[&interface], &imports, CODE)).await, "1", "{kind}");
    }
    let wasi = ["wasi:sockets/instance-network@0.2.0", "wasi:sockets/ip-name-lookup@0.2.0"];
    let imports = "(import \"wasi:sockets/instance-network@0.2.0\" \"instance-network\" (func $network (result i32)))
        (import \"wasi:sockets/ip-name-lookup@0.2.0\" \"resolve-addresses\" (func $find (param i32 i32 i32 i32)))";
    let upsert = "(i32.store8 (i32.const 700) (i32.const 97))
        (call $find (call $network) (i32.const 700) (i32.const 1) (i32.const 1024))
        (call $digit (i32.sub (i32.load8_u (i32.const 1028)) (i32.const 20)))";
    assert_eq!(said(asking(&wasi, imports, upsert)).await, "0");
}

#[tokio::test]
async fn an_http_attempt_is_told_the_way_out_that_there_is() {
    let wasi = ["wasi:http/types@0.2.0", "wasi:http/outgoing-handler@0.2.0", "wasi:io/poll@0.2.0"];
    let imports = r#"
        (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
            (func $authority (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
            (func $path (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
        (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
        (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
        (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;
    let upsert = r#"(local $request i32)
        (local.set $request (call $request (call $fields)))
        (drop (call $authority (local.get $request) (i32.const 1) (i32.const 700) (i32.const 15)))
        (drop (call $path (local.get $request) (i32.const 1) (i32.const 715) (i32.const 7)))
        (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then (return (call $digit (i32.const 9)))))
        (call $block (call $subscribe (i32.load (i32.const 1032))))
        (call $get (i32.load (i32.const 1032)) (i32.const 2048))
        (call $say (i32.load (i32.const 2084)) (i32.load (i32.const 2088)))"#;
    let more = r#"(data (i32.const 700) "169.254.169.254/latest")"#;
    let text = said(Hand { wasi: &wasi, imports, more, upsert, ..Hand::default() }).await;
    assert!(text.contains("use `http.send`"), "{text}");
}

#[tokio::test]
async fn clocks_are_coarse() {
    let monotonic = "(import \"wasi:clocks/monotonic-clock@0.2.0\" \"now\" (func $now (result i64)))";
    let fine = "(call $digit (i64.ne (i64.rem_u (call $now) (i64.const 1000000)) (i64.const 0)))";
    assert_eq!(said(asking(&["wasi:clocks/monotonic-clock@0.2.0"], monotonic, fine)).await, "0");
    let wall = "(import \"wasi:clocks/wall-clock@0.2.0\" \"now\" (func $now (param i32)))";
    let fine = "(call $now (i32.const 1024))
        (call $digit (i32.ne (i32.rem_u (i32.load (i32.const 1032)) (i32.const 1000000)) (i32.const 0)))";
    assert_eq!(said(asking(&["wasi:clocks/wall-clock@0.2.0"], wall, fine)).await, "0");
}

#[tokio::test]
async fn a_call_that_exits_or_asks_for_endless_randomness_fails_alone() {
    let exit = asking(
        &["wasi:cli/exit@0.2.0"],
        "(import \"wasi:cli/exit@0.2.0\" \"exit\" (func $exit (param i32)))",
        "(call $exit (i32.const 0)) (i32.const 0)",
    );
    let random = asking(
        &["wasi:random/random@0.2.0"],
        "(import \"wasi:random/random@0.2.0\" \"get-random-bytes\" (func $random (param i64 i32)))",
        "(call $random (i64.const -1) (i32.const 1024)) (i32.const 0)",
    );
    for (hand, says) in [(exit, "exit"), (random, "exceeds limit")] {
        let crm = hand.load("").await;
        let why = retry(crm.upsert().await);
        assert!(why.contains("trap") && why.contains(says), "{why}");
        assert!(crm.adapters.check_health(AdapterName::Crm).await.is_ok());
        assert_eq!(crm.report().blamed_on_guest, 1);
    }
}

#[tokio::test]
async fn a_sleep_without_end_ends_with_the_call() {
    let hand = asking(
        &["wasi:clocks/monotonic-clock@0.2.0", "wasi:io/poll@0.2.0"],
        "(import \"wasi:clocks/monotonic-clock@0.2.0\" \"subscribe-duration\" (func $in (param i64) (result i32)))
         (import \"wasi:io/poll@0.2.0\" \"[method]pollable.block\" (func $block (param i32)))",
        "(call $block (call $in (i64.const -1))) (i32.const 0)",
    );
    let crm = hand.load("deadline_ms = 100").await;
    let why = retry(crm.upsert().await);
    assert!(why.contains("deadline"), "{why}");
    assert_eq!((crm.report().faults["deadline"], crm.report().blamed_on_guest), (1, 1));
}

/// Each is an object of the host's: 128 KiB of header fields, a timer.
#[tokio::test]
async fn objects_of_the_host_are_counted() {
    let fields = asking(
        &["wasi:http/types@0.2.0"],
        "(import \"wasi:http/types@0.2.0\" \"[constructor]fields\" (func $one (result i32)))",
        "(loop $more (drop (call $one)) (br $more)) (i32.const 0)",
    );
    let timers = asking(
        &["wasi:clocks/monotonic-clock@0.2.0"],
        "(import \"wasi:clocks/monotonic-clock@0.2.0\" \"subscribe-duration\" (func $in (param i64) (result i32)))",
        "(loop $more (drop (call $in (i64.const -1))) (br $more)) (i32.const 0)",
    );
    for hand in [fields, timers] {
        let crm = hand.load("deadline_ms = 60000").await;
        let why = retry(crm.upsert().await);
        assert!(why.contains("limit"), "{why}");
        assert_eq!((crm.report().faults["limit"], crm.report().blamed_on_guest), (1, 1));
    }
}

#[tokio::test]
async fn output_goes_nowhere() {
    let hand = asking(
        &["wasi:cli/stdout@0.2.0", "wasi:io/streams@0.2.0"],
        "(import \"wasi:cli/stdout@0.2.0\" \"get-stdout\" (func $stdout (result i32)))
         (import \"wasi:io/streams@0.2.0\" \"[method]output-stream.blocking-write-and-flush\"
             (func $write (param i32 i32 i32 i32)))",
        "(call $write (call $stdout) (i32.const 0) (i32.const 4096) (i32.const 1024))
         (call $digit (i32.load8_u (i32.const 1024)))",
    );
    assert_eq!(said(hand).await, "0");
}
