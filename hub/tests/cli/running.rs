//! Commands that find the data held, and ask the hub that holds it over HTTP: here a stand-in that keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use hub::domain::delivery::Adapter;
use hub::startup::data::{self, Data};
use serde_json::Value;

use crate::support::{Ended, Place, person, policies};

/// One request: its first line, its headers in lower case, its body.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    headers: String,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

type Answer = (u16, &'static str, &'static str);

/// Holds the data as a hub would, and answers with what `answer` makes of the number of a request and itself.
fn stand_in(
    place: &Place,
    answer: impl Fn(usize, &Asked) -> Answer + Send + 'static,
) -> (Data, Arc<Mutex<Vec<Asked>>>) {
    let data = data::open(&place.store(), &[Adapter::Crm], None, |_, _| {}).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}\n", listener.local_addr().unwrap());
    std::fs::write(place.store().join("address"), url).unwrap();
    let kept: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let seen = kept.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let asked = read(&stream);
            let mut seen = seen.lock().unwrap();
            let (status, headers, body) = answer(seen.len(), &asked);
            seen.push(asked);
            let length = body.len();
            // A caller that has gone away needs no answer.
            let _ = write!(
                &stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
            );
        }
    });
    (data, kept)
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers, mut body) = (String::new(), String::new(), String::new());
    reader.read_line(&mut line).unwrap();
    while !headers.ends_with("\r\n\r\n") && headers != "\r\n" {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap() == 0 {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        headers.push_str(&if value.is_empty() { header.clone() } else { format!("{}:{value}", name.to_lowercase()) });
    }
    let asked = Asked { line: line.trim().to_owned(), headers, body: String::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    reader.take(length).read_to_string(&mut body).unwrap();
    Asked { body, ..asked }
}

fn import(place: &Place, lines: &[String], more: &[&str]) -> Ended {
    let file = place.file("people.jsonl", &lines.join("\n"));
    place.hub(&[&["import", file.to_str().unwrap(), "--org", "demo", "--member", "m-1"], more].concat())
}

#[test]
fn an_import_goes_through_the_api_of_a_running_hub() {
    let place = Place::new();
    let (_running, asked) = stand_in(&place, |number, asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        match body["individual"]["nationalId"].as_str().unwrap() {
            "1" if number == 0 => (429, "retry-after: 1\r\n", r#"{"code":"rate-limited","detail":"slowly"}"#),
            "2" => (201, "idempotency-replayed: true\r\n", "{}"),
            "3" => (409, "", r#"{"code":"duplicate-client","detail":"there is one"}"#),
            _ => (201, "location: /clients/profile/CL-1\r\n", "{}"),
        }
    });
    let told = import(&place, &[person(1), person(2), person(3)], &[]).failed();
    assert_eq!(told, "line 3: duplicate-client: there is one\n1 created, 1 already there, 1 refused\n");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|one| one.line == "POST /clients/profile HTTP/1.1"), "{asked:?}");
    assert!(asked.iter().all(|one| one.header("idempotency-key").unwrap().starts_with("import-")));
    assert!(asked.iter().all(|one| one.header("authorization").unwrap().starts_with("Bearer ey")));
    // What was asked to come later came with its own key again.
    let first: Vec<_> = asked.iter().filter(|one| one.body.contains(r#""nationalId":"1""#)).collect();
    assert_eq!(first[0].header("idempotency-key"), first[1].header("idempotency-key"));
}

#[test]
fn an_import_says_that_it_waits_and_can_be_interrupted() {
    let place = Place::new();
    let (_running, asked) = stand_in(&place, |_, asked| match asked.body.contains(r#""nationalId":"1""#) {
        true => (201, "location: /clients/profile/CL-1\r\n", "{}"),
        false => (503, "retry-after: 1\r\n", r#"{"code":"storage-unavailable","detail":"too little free space"}"#),
    });
    let file = place.file("people.jsonl", &[person(1), person(2)].join("\n"));
    let mut import = place.command(&["import", file.to_str().unwrap(), "--org", "demo", "--member", "m-1"]);
    let import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while asked.lock().unwrap().len() < 5 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-INT", &import.id().to_string()]).status().unwrap().success());
    let ended = Ended::from(import.wait_with_output().unwrap());
    assert_eq!((ended.code, &ended.out[..]), (1, "1 created, 0 already there, 0 refused\n"), "{ended:?}");
    for said in ["the import waits and tries again", "too little free space", "hub: interrupted; run it again to go on"]
    {
        assert!(ended.err.contains(said), "{ended:?}");
    }
}

#[test]
fn what_the_api_can_not_do_is_said() {
    let place = Place::new();
    let (_running, asked) = stand_in(&place, |_, _| (403, "", r#"{"code":"forbidden","detail":"not you"}"#));
    let told = import(&place, &[person(1)], &["--status", "active", "--no-onboarding"]).failed();
    assert!(told.contains("stop it first"), "{told}");
    assert!(asked.lock().unwrap().is_empty());
    let told = import(&place, &[person(1)], &[]).failed();
    assert!(told.contains("stopped at line 1: forbidden: not you"), "{told}");
}

#[test]
fn a_hub_that_can_not_be_found_is_named() {
    let place = Place::new();
    let _running = data::open(&place.store(), &[Adapter::Crm], None, |_, _| {}).unwrap();
    let told = place.hub(&["sync", "status"]).failed();
    assert!(told.contains(&format!("process {} holds the hub's data", std::process::id())), "{told}");
}

#[test]
fn the_links_of_a_running_hub_are_asked_for() {
    let place = Place::new();
    let (_running, asked) = stand_in(&place, |_, asked| match asked.line.contains("/metrics") {
        true => (200, "", "hub_sync_owed{adapter=\"crm\"} 3.0\nhub_sync_parked{adapter=\"crm\"} 1.0\n"),
        false => (200, "", r#"{"items":[{"id":"d1","adapter":"crm","client":"CL-1","attempts":8}]}"#),
    });
    let status = place.hub(&["sync", "status", "--json"]).json();
    assert_eq!(
        (status["adapter"].as_str(), status["owed"].as_u64(), status["parked"].as_u64()),
        (Some("crm"), Some(3), Some(1))
    );
    let parked = place.hub(&["sync", "parked", "--adapter", "crm", "--json"]).json();
    assert_eq!((parked["id"].as_str(), parked["attempts"].as_u64()), (Some("d1"), Some(8)));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[1].line, "GET /admin/sync/parked?limit=200&adapter=crm HTTP/1.1");
    assert!(asked[1].header("authorization").unwrap().starts_with("Bearer ey"));
}

/// The program as a server; killed where a test fails before it is stopped.
pub struct Served(pub std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(place: &Place) -> Served {
    ready(place.command(&["serve"]))
}

fn ready(mut command: Command) -> Served {
    let mut served = Served(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut ready = String::new();
    BufReader::new(served.0.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready http://127.0.0.1:"), "{ready}");
    served
}

#[test]
fn the_hub_itself_serves_is_asked_and_stops() {
    let place = Place::new()
        .with("HUB_HTTP__LISTEN", "127.0.0.1:0")
        .with("HUB_POLICIES__PATH", &policies())
        .with("HUB_ADAPTERS__CRM__COMPONENT", "absent.wasm");
    let mut served = serve(&place);

    let people: Vec<String> = (0..20).map(person).collect();
    let later: Vec<String> = (20..23).map(person).collect();
    assert_eq!(import(&place, &people, &[]).done(), "20 created, 0 already there, 0 refused\n");
    assert_eq!(import(&place, &people, &[]).done(), "0 created, 20 already there, 0 refused\n");
    let same = person(1).replace("Ines", "Ana");
    let told = import(&place, &[same], &[]).failed();
    assert!(told.starts_with("line 1: duplicate-client"), "{told}");
    assert_eq!(place.hub(&["sync", "status", "--json"]).json()["adapter"], "crm");
    assert_eq!(place.hub(&["sync", "parked"]).done().lines().count(), 1);
    let second = place.hub(&["serve"]).failed();
    assert!(second.contains(&format!("is held by process {}", served.0.id())), "{second}");

    assert!(Command::new("kill").arg(served.0.id().to_string()).status().unwrap().success());
    assert_eq!(served.0.wait().unwrap().code(), Some(0));
    assert!(place.hub(&["journal", "verify"]).done().starts_with("whole: "));
    assert_eq!(import(&place, &people, &[]).done(), "0 created, 20 already there, 0 refused\n");
    assert_eq!(import(&place, &later, &[]).done(), "3 created, 0 already there, 0 refused\n");
    // Whoever asks without the hub's configuration is told what it owed all the same.
    let mut bare = place.command(&["sync", "status"]);
    let told = bare.env_remove("HUB_ADAPTERS__CRM__COMPONENT").output().unwrap();
    assert!(String::from_utf8(told.stdout).unwrap().contains("crm"));
    let mut served = serve(&place);
    assert_eq!(import(&place, &later, &[]).done(), "0 created, 3 already there, 0 refused\n");
    assert!(Command::new("kill").arg(served.0.id().to_string()).status().unwrap().success());
    assert_eq!(served.0.wait().unwrap().code(), Some(0));
}

#[test]
fn the_end_of_the_terminal_stops_the_hub_unless_that_is_ignored() {
    let place = Place::new().with("HUB_HTTP__LISTEN", "127.0.0.1:0").with("HUB_POLICIES__PATH", &policies());
    let started = |hangup: &str| {
        let hub = place.command(&["serve"]);
        let mut env = Command::new("env");
        env.arg(hangup).arg(hub.get_program()).args(hub.get_args()).current_dir(place.path()).env_clear();
        env.envs(hub.get_envs().filter_map(|(name, value)| Some((name, value?))));
        ready(env)
    };
    let kill = |hub: &Served, signal: &str| {
        assert!(Command::new("kill").args([signal, &hub.0.id().to_string()]).status().unwrap().success());
    };
    let mut hub = started("--default-signal=HUP");
    kill(&hub, "-HUP");
    assert_eq!(hub.0.wait().unwrap().code(), Some(0));
    // As under `nohup`.
    let mut hub = started("--ignore-signal=HUP");
    kill(&hub, "-HUP");
    assert!(place.hub(&["sync", "status"]).done().starts_with("adapter"));
    kill(&hub, "-TERM");
    assert_eq!(hub.0.wait().unwrap().code(), Some(0));
}
