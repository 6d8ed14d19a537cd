//! The repository's policy against the specification's tables, and files that are no policy.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use proptest::prelude::*;

use super::cases::CaseClient;
use super::schema::View;
use super::{Decision, Finding, Matrix, Policy, Question, Source};
use crate::access::action::Action;
use crate::access::caller::Caller;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

fn policy() -> Policy {
    Policy::load(&folder()).unwrap_or_else(|findings| panic!("{}", told(&findings)))
}

fn told(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn caller(member: &str, org: &str, roles: &[&str], clients: &[&str], backoffice: Option<&str>) -> Caller {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let apps = backoffice.map(|state| ("backoffice".to_owned(), state.to_owned())).into_iter().collect();
    Caller::new(member.to_owned(), org.to_owned(), DateTime::UNIX_EPOCH)
        .with(owned(roles), owned(clients))
        .with_apps(apps)
}

/// The specification's tables, and the hub's own permissions, by hand.
fn effective(role: &str, action: &str) -> bool {
    let all: &[&str] = match role {
        "RP001" => return action.starts_with("CL") || action < "CX020",
        "RP002" => &["CL001", "CL002", "CL004", "CL008", "CL009"],
        "RP003" => &["CL001", "CL002", "CL004", "CL008", "CL009", "CX001", "CX002", "CX003", "CX004", "CX010"],
        "RP004" => &["CL001", "CL007", "CL008", "CL009", "CL010", "CL011", "CL012", "CL013"],
        "OP001" => return action >= "CX020" && action.starts_with("CX"),
        _ => &[],
    };
    all.contains(&action)
}

#[test]
fn effective_rights_are_those_of_the_specification() {
    let policy = policy();
    for role in ["RP001", "RP002", "RP003", "RP004", "OP001", "RP005", "rp001", "*", ""] {
        for action in Action::ALL {
            let caller = caller("m-1", "operators", &[role], &["CL-1"], Some("active"));
            let view = View::of(Some("CL-1"), None);
            let decision = policy.decide((&caller, "operators"), *action, view);
            let allowed = matches!(decision, Decision::Allowed { .. });
            assert_eq!(allowed, effective(role, action.as_str()), "{role} {action}");
            let by = match decision {
                Decision::Denied { by } => by,
                Decision::Allowed { .. } => None,
            };
            assert_eq!(by, None, "{role} {action}");
        }
    }
}

#[test]
fn the_matrix_is_the_one_that_was_reviewed() {
    let drawn = policy().matrix().to_string();
    let reviewed = fs::read_to_string(folder().join("matrix.txt")).unwrap_or_default();
    assert_eq!(drawn, reviewed, "write what `hub policy matrix` prints to policies/matrix.txt and review it");
}

#[test]
fn names_are_the_hubs_own() {
    let policy = policy();
    for action in Action::ALL {
        assert_eq!(policy.names.actions[action], action.name());
    }
}

#[test]
fn what_rests_on_the_client_says_so() {
    let policy = policy();
    let mine = CaseClient::new("CL-1", &["m-1".to_owned()]);
    let decide = |roles: &[&str], view| {
        policy.decide((&caller("m-1", "acme", roles, &[], Some("active")), "operators"), Action::CL004, view)
    };
    let Decision::Allowed { on_client, .. } = decide(&["RP002"], View::row(&mine)) else { panic!("denied") };
    assert!(on_client);
    let Decision::Allowed { on_client, .. } = decide(&["RP003"], View::row(&mine)) else { panic!("denied") };
    assert!(!on_client);
}

fn explained(question: serde_json::Value) -> super::Explanation {
    let question: Question = serde_json::from_value(question).unwrap();
    policy().explain(&question, "operators", None).unwrap()
}

#[test]
fn explanations_name_lines_values_and_the_smallest_change() {
    let denied = explained(serde_json::json!({ "member": "m-1", "org": "acme", "roles": ["RP002"], "action": "CL004",
        "client": "CL-9", "clients": ["CL-1"] }));
    assert_eq!((denied.allowed, denied.policy.as_deref()), (false, Some("P_BO_002")));
    assert!(denied.decided_by.unwrap().starts_with("conditions.csv:"));
    let condition = denied.roles[0].conditions.iter().find(|condition| !condition.holds).unwrap();
    assert!(condition.attributes.contains(&("member.clients".to_owned(), Some("[CL-1]".to_owned()))));
    assert!(condition.attributes.contains(&("{client}".to_owned(), Some("CL-9".to_owned()))));
    assert!(denied.to_turn_it.contains("member.clients contain {client}"), "{}", denied.to_turn_it);

    let ungranted =
        explained(serde_json::json!({ "member": "m", "org": "acme", "roles": ["RP004"], "action": "CL005" }));
    assert_eq!((ungranted.allowed, ungranted.policy), (false, None));
    assert_eq!(ungranted.to_turn_it, "give the member one of the roles RP001");

    let allowed = explained(serde_json::json!({ "member": "m", "org": "acme", "roles": ["RP001"], "action": "CL006" }));
    assert!(allowed.allowed && allowed.roles[0].granted.as_ref().unwrap().permission == "acct_list");
    assert_eq!(allowed.to_turn_it, "take away RP001");

    let foreign = explained(serde_json::json!({ "member": "m", "org": "acme", "roles": ["OP001"], "action": "CX020" }));
    assert!(!foreign.allowed && foreign.to_turn_it.contains("operator_org"));
    let stranger =
        explained(serde_json::json!({ "member": "m", "org": "acme", "roles": ["RP001"], "action": "CX020" }));
    assert!(
        stranger.to_turn_it.starts_with("give the member one of the roles OP001, and let"),
        "{}",
        stranger.to_turn_it
    );
}

/// The repository's policy with one file changed.
fn changed(file: &str, change: impl Fn(String) -> String) -> Result<Policy, Vec<Finding>> {
    let copy = copied();
    let text = fs::read_to_string(folder().join(file)).unwrap_or_default();
    fs::write(copy.path().join(file), change(text)).unwrap();
    Policy::load(copy.path())
}

/// The same, without trying the cases.
fn checked(file: &str, change: impl Fn(String) -> String) -> Result<Policy, Vec<Finding>> {
    let copy = copied();
    let text = fs::read_to_string(folder().join(file)).unwrap_or_default();
    fs::write(copy.path().join(file), change(text)).unwrap();
    Policy::check(Source::read(copy.path()).unwrap())
}

fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("tests")).unwrap();
    for file in Source::read(&folder()).unwrap().files() {
        fs::copy(folder().join(&file.name), copy.path().join(&file.name)).unwrap();
    }
    copy
}

#[test]
fn malformed_files_are_refused_by_place() {
    type Change = (&'static str, &'static str, &'static str, &'static str);
    // File, what is replaced (all of it where empty), by what, what the finding says.
    let cases: &[Change] = &[
        ("policy.csv", "", "", "policy.csv: no line says anything; expected `p, permission"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_list, CL099", "unknown action `CL099`; expected an action of"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_list, cl001", ":15: unknown action `cl001`"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_lst, CL001", ":4: unknown permission `clnt_lst`"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_list", "2 fields instead of 3"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_list, CL001, allow", "unknown action `CL001, allow`"),
        ("policy.csv", "p, clnt_list, CL001", "p2, clnt_list, CL001", ":1: unknown kind of line `p2`"),
        ("policy.csv", "p, clnt_list, CL001", "clnt_list CL001", "1 fields instead of 3"),
        ("policy.csv", "p, clnt_list, CL001", "p, , CL001", ":4: an empty field"),
        ("policy.csv", "p, clnt_list, CL001", "p, \"clnt_list, CL001", ":4: a double quote"),
        ("policy.csv", "p, clnt_list, CL001", "p, clnt_list, CL001\np, clnt_list, CL001", "a duplicate of line"),
        ("policy.csv", "g, RP004, dev_mgmt", "g, RP004, dev_mgmt\ng, RP004, dev_mgmt", "a duplicate of line"),
        ("policy.csv", "g, RP004, dev_mgmt", "g, RP044, dev_mgmt", ":4: unknown role `RP044`; expected a role of"),
        ("policy.csv", "g, RP004, dev_mgmt", "g, RP004, RP001", ":11: unknown permission `RP001`"),
        ("policy.csv", "g, OP001, hub_ops", "", "no role holds the permission `hub_ops`"),
        ("policy.csv", "p, acct_list, CL006", "", "the permission `acct_list` opens no action"),
        ("names.csv", "", "# nothing\n", "names.csv: no line says anything"),
        ("names.csv", "role, RP001, Administrator", "rule, RP001, Administrator", ":1: unknown kind `rule`"),
        ("names.csv", "role, RP001, Administrator", "role, RP 001, Administrator", "`RP 001` is no code"),
        ("names.csv", "role, RP001, Administrator", "role, RP001", "2 fields instead of 3"),
        ("names.csv", "role, RP001,", "role, RP001, A\nrole, RP001,", "`RP001` is named twice"),
        ("names.csv", "action, CL001,", "action, CL014,", "unknown action `CL014`; expected one of CL001"),
        ("names.csv", "action, CL006, List client accounts", "", "unknown action `CL006`"),
        ("conditions.csv", "", "", "conditions.csv: no line says anything"),
        ("conditions.csv", "P_BO_002, RP002", "P_BO_002, RP022", ":11: unknown role `RP022`; expected `*` or"),
        ("conditions.csv", "RP002, CL004", "RP002, CL044", ":18: unknown action `CL044`"),
        ("conditions.csv", "P_BO_001, *, *, org", "P_BO_001, *, org", "3 fields instead of 4"),
        ("conditions.csv", "P_BO_001, *", "P BO 001, *", "`P BO 001` is no id"),
        ("conditions.csv", "eq active", "is active", ":37: expected eq, ne"),
        ("conditions.csv", "eq active", "eq", "expected a word, a string"),
        ("conditions.csv", "org.apps.backoffice", "org.app.backoffice", ":17: unknown attribute `org.app.backoffice`"),
        ("conditions.csv", "contain {client}", "contain {klient}", "expected `{client}`, found `{klient}`"),
        ("conditions.csv", "contain {client}", "contain {client", "expected a name in braces"),
        ("conditions.csv", "role eq RP002 AND", "(role eq RP002 AND", "expected `)`, found the end"),
        (
            "conditions.csv",
            "member.clients contain",
            "client.starred eq true and member.clients co",
            "unknown attribute",
        ),
        ("conditions.csv", "role eq RP002", "client.createdAt co RP002", "which a date can be compared by"),
        ("conditions.csv", "P_BO_002,", "P_BO_001, *, *, role pr\nP_BO_002,", "contradicts line"),
        ("model.conf", "", "", "model.conf: `r` is missing"),
        ("model.conf", "[matchers]", "[matcher]", ":1: unknown section `[matcher]`"),
        ("model.conf", "[matchers]", "[matchers", "unknown section `[matchers`"),
        ("model.conf", "p = permission, action", "p = permission", "expected 2 different names"),
        ("model.conf", "p = permission, action", "p = permission, action, eft", "not the fields of this definition"),
        ("model.conf", "g = _, _", "g = _, _, _", "`_, _, _` is not supported"),
        ("model.conf", "e = some(where (p.eft == allow))", "e = !some(where (p.eft == deny))", "is not supported"),
        ("model.conf", "e2 = some(where (p.eft == allow))", "e2 = nonsense", "`nonsense` is not supported"),
        ("model.conf", "m = r.action == p.action &&", "m = r.action != p.action &&", "`m` lets an empty policy"),
        ("model.conf", "m = r.action == p.action && g", "m = r.action == p.action || g", "`m` lets"),
        ("model.conf", "m = r.action == p.action &&", "m = eval(p.action) &&", "`eval` is not allowed in a matcher"),
        ("model.conf", "m = r.action == p.action &&", "m = r.act == p.action &&", ":5: `r.act` is not allowed"),
        ("model.conf", "m = r.action == p.action &&", "m = r.action == p.action", "casbin refuses"),
        ("model.conf", "m = r.action", "m = ((((((((((((((((((r.action", "nested too deep"),
        ("model.conf", "m2 = ", "m2 = !", "`m2` does not bar"),
        ("model.conf", "!(p2.id in r2.held)", "p2.id in r2.held", "`m2` does not bar"),
        ("model.conf", "m2 = ", "m3 = ", "unknown key `m3` here; expected m or m2"),
        ("model.conf", "m = ", "m = r.role\nm = ", "defined in line"),
        ("model.conf", "g = _, _", "g", "neither section nor definition"),
        ("tests/roles.yaml", "", "- name: x\n  rule: y\n", "expected a list of cases"),
        ("tests/roles.yaml", "expect: deny", "expect: allow", "expected allow, found deny"),
        (
            "tests/assigned.yaml",
            "by: P_BO_002",
            "by: P_BO_009",
            "expected deny by P_BO_009, found deny by P_BO_002 (co",
        ),
        ("tests/assigned.yaml", "assignedTo: [m-3, m-7]", "asignedTo: [m-3]", "unknown attribute `asignedTo`"),
        ("tests/operators.yaml", "CX020", "CX999", "unknown action `CX999`"),
        ("tests/operators.yaml", "- name", "\t- name", "expected a list of cases"),
    ];
    for (file, from, to, said) in cases {
        let refused = changed(file, |text| {
            if from.is_empty() {
                return (*to).to_owned();
            }
            assert!(text.contains(from), "{file}: {from}");
            text.replacen(from, to, 1)
        });
        let findings = refused.err().unwrap_or_else(|| panic!("{file}: `{from}` → `{to}` was accepted"));
        let findings = told(&findings);
        assert!(findings.contains(said) && findings.contains(file), "{file}: `{from}` → `{to}`:\n{findings}");
    }
}

#[test]
fn all_findings_are_told_at_once_and_bytes_that_are_no_text_by_place() {
    let copy = copied();
    fs::write(copy.path().join("policy.csv"), "p, clnt_list, CL099\ng, RP009, clnt_list\n").unwrap();
    fs::write(copy.path().join("conditions.csv"), b"A, *, *, role pr\nB, *, \xff").unwrap();
    fs::write(copy.path().join("model.conf"), "[matchers]\nm = eval(x)\n").unwrap();
    let findings = Policy::load(copy.path()).unwrap_err();
    for file in ["policy.csv:1:15", "policy.csv:2:4", "conditions.csv:2:7", "model.conf:2:5"] {
        assert!(findings.iter().any(|finding| finding.to_string().starts_with(file)), "{file}: {}", told(&findings));
    }
    fs::remove_file(copy.path().join("names.csv")).unwrap();
    assert!(told(&Policy::load(copy.path()).unwrap_err()).starts_with("names.csv: "));
    fs::write(copy.path().join("names.csv"), vec![b'#'; 2 << 20]).unwrap();
    assert!(told(&Policy::load(copy.path()).unwrap_err()).contains("larger than 1048576 bytes"));
    let [nowhere] = &Policy::load(Path::new("/nowhere")).unwrap_err()[..] else { panic!() };
    assert!(nowhere.to_string().starts_with("/nowhere:"), "{nowhere}");
}

#[test]
fn a_quoted_condition_and_a_comma_within_a_text_are_read() {
    let written = "\"client.name eq \"\"a, b\"\" or role eq RP002\"";
    let bare = "client.name eq \"a, b\" or role eq RP002";
    let expression = |condition: &str| {
        let policy = checked("conditions.csv", |text| format!("{text}\nQ_1, RP001, CX004, {condition}\n"));
        policy.unwrap().conditions.last().unwrap().expression.clone()
    };
    assert_eq!(expression(written), expression(bare));
}

#[test]
fn differences_between_two_matrices_are_named() {
    let other = checked("policy.csv", |text| text.replace("g, RP004, clnt_list\n", "g, RP004, acct_list\n"));
    let differences = match other {
        Err(findings) => panic!("{}", told(&findings)),
        Ok(other) => policy().matrix().differences(&other.matrix()),
    };
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences.iter().any(|one| one.action == "CL001" && one.from == "✓" && one.to == "✗"));
    assert!(differences.iter().any(|one| one.action == "CL006" && one.from == "✗" && one.to == "✓"));
    let same: Matrix = policy().matrix();
    assert!(same.differences(&policy().matrix()).is_empty());
}

/// Conditions about the client on a listing, beside the repository's own.
fn narrowed() -> Policy {
    with_conditions(
        "L_1, RP002, CL001, client.status eq active\nL_2, *, CL009, not (client.segment eq private)\n\
         L_3, RP004, CL001, member.clients contain {client} or client.tags eq open\n\
         L_4, RP003, CL004, client.address.country ne GB\nL_4, RP003, *, member.id ne m-2\n",
    )
}

/// The repository's policy with more conditions, and without the cases that hold for it alone.
fn with_conditions(lines: &str) -> Policy {
    let copy = copied();
    for file in Source::read(copy.path()).unwrap().files().iter().filter(|file| file.name.starts_with("tests/")) {
        fs::remove_file(copy.path().join(&file.name)).unwrap();
    }
    let text = fs::read_to_string(copy.path().join("conditions.csv")).unwrap();
    fs::write(copy.path().join("conditions.csv"), format!("{text}\n{lines}")).unwrap();
    Policy::load(copy.path()).unwrap_or_else(|findings| panic!("{}", told(&findings)))
}

#[test]
fn a_condition_on_the_client_never_tells_that_there_is_none() {
    for condition in [
        "client.externalReference eq null",
        "client.externalReference ne null or client.externalReference eq null",
        "not (client.externalReference pr)",
        "not (client.segment eq private)",
        "client.tags ne open",
        "not (client.tags pr)",
        "client.tags eq null",
        "not (client.corporate.contacts[role eq billing])",
        "not (client.corporate pr)",
    ] {
        let policy = with_conditions(&format!("M_1, RP003, CL002, {condition}\n"));
        let caller = caller("m-1", "acme", &["RP003"], &[], Some("active"));
        let decide = |view| policy.decide((&caller, "operators"), Action::CL002, view);
        let missing = decide(View::of(Some("CL-1"), None));
        assert!(matches!(missing, Decision::Denied { .. }), "{condition}: {missing:?}");
        let there = serde_json::json!({ "reference": "CL-1", "segment": "sme" });
        let there: CaseClient = serde_json::from_value(there).unwrap();
        assert!(matches!(decide(View::row(&there)), Decision::Allowed { .. }), "{condition}");
    }
}

fn some_client() -> impl Strategy<Value = CaseClient> {
    let of = |all: &'static [&'static str]| prop::sample::select(all.to_vec());
    let parts = (of(&["CL-1", "CL-2"]), of(&["active", "suspended"]), of(&["", "private", "sme"]), of(&["open", "x"]));
    (parts, of(&["m-1", "m-2"]), of(&["GB", "DE"])).prop_map(|((reference, status, segment, tag), member, country)| {
        let mut client = serde_json::json!({ "reference": reference, "status": status, "tags": [tag],
            "assignedTo": [member], "address.country": country });
        if !segment.is_empty() {
            client["segment"] = segment.into();
        }
        serde_json::from_value(client).unwrap()
    })
}

fn some_caller() -> impl Strategy<Value = Caller> {
    let roles =
        prop::collection::vec(prop::sample::select(vec!["RP001", "RP002", "RP003", "RP004", "OP001", "X"]), 0..3);
    let state = prop::sample::select(vec![Some("active"), Some("suspended"), None]);
    let org = prop::sample::select(vec!["acme", "operators"]);
    (roles, state, org, prop::sample::select(vec!["m-1", "m-2"]), prop::sample::select(vec!["CL-1", "CL-3"]))
        .prop_map(|(roles, state, org, member, client)| caller(member, org, &roles, &[client], state))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn remembered_answers_are_casbins((caller, client) in (some_caller(), some_client()), action in 0..Action::ALL.len()) {
        use std::sync::OnceLock;
        static POLICY: OnceLock<Policy> = OnceLock::new();
        let policy = POLICY.get_or_init(narrowed);
        let action = Action::ALL[action];
        for role in caller.roles().iter().filter_map(|role| policy.roles.get(role.as_str()).copied()) {
            let (held, answer) = policy.for_role(&caller, role, (action, View::row(&client)));
            prop_assert_eq!(answer, policy.ask_casbin(role, action, held.bits));
            let conditions = policy.applying(role, action).count();
            prop_assert_eq!(answer.barred, held.bits.count_ones() as usize != conditions);
        }
    }

    #[test]
    fn a_listing_shows_what_may_be_seen_row_by_row((caller, client) in (some_caller(), some_client()), search in any::<bool>()) {
        use std::sync::OnceLock;
        static POLICY: OnceLock<Policy> = OnceLock::new();
        let policy = POLICY.get_or_init(narrowed);
        let action = if search { Action::CL009 } else { Action::CL001 };
        let roles: Vec<u16> = caller.roles().iter().filter_map(|role| policy.roles.get(role.as_str()).copied()).collect();
        let row = policy.allows_row(&caller, action, &roles, View::row(&client));
        let listed = match policy.decide((&caller, "operators"), action, View::default()) {
            Decision::Denied { .. } => false,
            Decision::Allowed { rows, .. } if rows.is_empty() => true,
            Decision::Allowed { rows, .. } => policy.allows_row(&caller, action, &rows, View::row(&client)),
        };
        prop_assert_eq!(listed, row);
    }

    #[test]
    fn no_file_panics(text in any::<String>(), file in prop::sample::select(vec!["model.conf", "names.csv", "policy.csv", "conditions.csv"])) {
        prop_assert!(changed(file, |_| text.clone()).is_err());
    }
}
