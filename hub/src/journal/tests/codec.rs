//! Properties of the line: what is written is read, and no byte of it can change unnoticed.

use proptest::prelude::*;

use super::super::claims::ClaimsKey;
use super::super::compose::{Clock, Line, PreparedAppend};
use super::super::line::{ClaimMark, check, decode};
use super::*;

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#"",\"salt\":\"""#.to_owned()),
        Just("{\"salt\":\"\",\"dataHash\":\"\",\n\"data\":1,\"prev\":\"\" , \"hash\":\"\"}".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" ,\r\n"))),
            (any::<String>(), inner)
                .prop_map(|(name, value)| format!("{{{}:{value}}}", serde_json::to_string(&name).unwrap())),
        ]
    })
}

prop_compose! {
    fn new_entry()(
        texts in prop::array::uniform6(any::<String>()),
        roles in prop::collection::vec(any::<String>(), 0..3),
        address in any::<Option<String>>(),
        trace in any::<Option<String>>(),
        key in any::<Option<(String, String)>>(),
        data in json(),
    ) -> NewEntry {
        let [org, stream, kind, member, action, request_id] = texts;
        NewEntry {
            org, stream, kind: kind.into(), action: action.into(), request_id, trace,
            actor: Actor { member, roles, address },
            key: key.map(|(key, body)| RequestKey { key, body }),
            data: RawValue::from_string(data).unwrap(),
            event: None,
        }
    }
}

fn write(new: NewEntry, seq: u64, claimed: bool) -> (Entry, Vec<u8>) {
    let dir = folder();
    let key = ClaimsKey::open(dir.path(), true).unwrap();
    let clock = Clock::after(chrono::DateTime::UNIX_EPOCH);
    let append = Append { entries: vec![new], ..Append::default() };
    let mut append = PreparedAppend::new(append, &key).unwrap();
    let claims =
        [ClaimMark { key: key.mark("a"), until: None }, ClaimMark { key: key.mark("b"), until: Some(clock.time) }];
    let releases = [key.mark("c"), key.mark("d")];
    let line = Line {
        clock: &clock,
        seq,
        group: seq / 2,
        more: u32::from(claimed),
        version: seq / 3,
        prev: Digest::of(&[b"prev"]),
        claims: if claimed { &claims } else { &[] },
        releases: if claimed { &releases } else { &[] },
    };
    let mut out = Vec::new();
    let bound = append.bytes;
    let entry = line.write(append.entries.remove(0), &mut out);
    assert!(out.len() <= bound + 4 * 88);
    assert_eq!(out.pop(), Some(b'\n'));
    (entry, out)
}

proptest! {
    #[test]
    fn what_is_written_is_read(new in new_entry(), seq in 1u64.., claimed: bool) {
        let data = new.data.get().replace(['\n', '\r'], " ");
        let (written, line) = write(new, seq, claimed);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok());
        let read = decode(&line).unwrap();
        prop_assert_eq!(gist(&written), gist(&read));
        prop_assert_eq!(read.data.as_ref().map(|data| data.get()), Some(data.as_str()));
        let facts = check(&line, &mut String::new()).unwrap();
        prop_assert_eq!((facts.seq, facts.group, facts.hash), (seq, seq / 2, written.hash));
        prop_assert_eq!((facts.claims.len(), facts.releases.len()), if claimed { (2, 2) } else { (0, 0) });
    }

    #[test]
    fn no_byte_changes_unnoticed(new in new_entry(), at: prop::sample::Index, bit in 0u8..8) {
        let (_, mut line) = write(new, 7, true);
        let at = at.index(line.len());
        line[at] ^= 1 << bit;
        prop_assert!(check(&line, &mut String::new()).is_err());
        prop_assert!(decode(&line).is_err());
    }

    #[test]
    fn any_bytes_are_refused_and_never_a_panic(bytes: Vec<u8>, new in new_entry(), cut: prop::sample::Index) {
        prop_assert!(check(&bytes, &mut String::new()).is_err());
        let (_, line) = write(new, 7, false);
        prop_assert!(decode(&line[..cut.index(line.len())]).is_err());
    }
}

#[test]
fn an_erased_line_still_verifies() {
    let (written, line) = write(entry("client/a", r#"{"name":"Zoë"}"#), 1, false);
    let text = String::from_utf8(line).unwrap();
    let erased = text.replace(&written.salt, "").replace(r#"{"name":"Zoë"}"#, "null");
    let read = decode(erased.as_bytes()).unwrap();
    assert_eq!((read.hash, read.data.is_none(), read.salt.as_str()), (written.hash, true, ""));
    let half = text.replace(&written.salt, "");
    assert!(matches!(decode(half.as_bytes()), Err(Fault::DataHash { .. })));
}
