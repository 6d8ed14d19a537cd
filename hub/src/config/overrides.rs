//! `HUB_<SECTION>__<KEY>` in the environment: each lays one value over the file.
//!
//! Names are matched with the keys that are there, without case and with `-` as `_`; a key that is not there is taken
//! in lower case. Shorter names are laid first, so that a key inside a table wins over the table.

use std::collections::BTreeMap;

use super::error::{Mistake, Origin};
use super::tree::{Node, Tree};

const PREFIX: &str = "HUB_";
const SEPARATOR: &str = "__";

/// Lays the overrides of `env` over `root`. `names` are known names whose `-` a variable can't spell.
pub fn lay(root: &mut Node, env: &BTreeMap<String, String>, names: &[&str]) -> Vec<Mistake> {
    let named = env.iter().filter_map(|(name, value)| {
        let path = name.strip_prefix(PREFIX)?;
        path.contains(SEPARATOR).then(|| (path.split(SEPARATOR).collect::<Vec<_>>(), name, value))
    });
    let mut overrides: Vec<_> = named.collect();
    overrides.sort_by_key(|(path, name, _)| (path.len(), *name));
    let mut mistakes = Vec::new();
    for (path, name, value) in overrides {
        if let Err(message) = set(root, &path, Node::from_variable(name, value), names) {
            let key = path.join(".").to_lowercase();
            mistakes.push(Mistake { origin: Origin::Variable(name.clone()), key, message });
        }
    }
    mistakes
}

fn set(node: &mut Node, path: &[&str], value: Node, names: &[&str]) -> Result<(), String> {
    let Tree::Table(members) = &mut node.value else {
        return Err("there is a value and not a table before the last `__`".to_owned());
    };
    match path {
        [] | ["", ..] => Err("expected HUB_<SECTION>__<KEY>, with a name on both sides of each `__`".to_owned()),
        [last] => {
            members.insert(spelled(members, last, names), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let name = spelled(members, first, names);
            let below = members.entry(name).or_insert_with(|| Node::table(value.origin.clone()));
            set(below, rest, value, names)
        }
    }
}

/// The key that a part of a variable's name means.
fn spelled(members: &BTreeMap<String, Node>, part: &str, names: &[&str]) -> String {
    let part = part.to_lowercase();
    let same = |name: &&str| name.to_lowercase().replace('-', "_") == part;
    let there = members.keys().map(String::as_str).find(same);
    there.or_else(|| names.iter().copied().find(same)).unwrap_or(&part).to_owned()
}
