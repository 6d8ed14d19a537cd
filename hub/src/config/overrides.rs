//! `HUB_<SECTION>__<KEY>` in the environment: each lays one value over the file.
//!
//! Names are matched with the keys that are there, without case and with `-` as `_`; a key that is not there is taken
//! in lower case. Shorter names are laid first, so that a key inside a table wins over the table. A table replaces the
//! file's; what it leaves out is as in the defaults.

use std::collections::BTreeMap;

use super::error::{Mistake, Origin};
use super::tree::{Node, Tree};
use crate::domain::delivery::Adapter;

const PREFIX: &str = "HUB_";
const SEPARATOR: &str = "__";

/// Lays the overrides of `env` over `root`.
pub fn lay(root: &mut Node, env: &BTreeMap<String, String>, defaults: &Node) -> Vec<Mistake> {
    let named = env.iter().filter_map(|(name, value)| {
        let path = name.strip_prefix(PREFIX)?;
        path.contains(SEPARATOR).then(|| (path.split(SEPARATOR).collect::<Vec<_>>(), name, value))
    });
    let mut overrides: Vec<_> = named.collect();
    overrides.sort_by_key(|(path, name, _)| (path.len(), *name));
    let mut mistakes: Vec<_> = env.keys().filter_map(|name| misspelled(name, defaults)).collect();
    for (path, name, value) in overrides {
        if let Err(message) = set(root, &path, Node::from_variable(name, value), Some(defaults)) {
            let key = path.join(".").to_lowercase();
            mistakes.push(Mistake { origin: Origin::Variable(name.clone()), key, message });
        }
    }
    mistakes
}

/// A key of ours behind a single `_`, which would go unnoticed. Other names that begin like ours are other people's.
fn misspelled(name: &str, defaults: &Node) -> Option<Mistake> {
    let (section, key) = name.strip_prefix(PREFIX)?.split_once('_')?;
    defaults.get(&section.to_lowercase())?.get(&key.to_lowercase())?;
    let (key, message) =
        (format!("{section}.{key}").to_lowercase(), format!("expected {PREFIX}{section}{SEPARATOR}{key}"));
    Some(Mistake { origin: Origin::Variable(name.to_owned()), key, message })
}

fn set(node: &mut Node, path: &[&str], value: Node, default: Option<&Node>) -> Result<(), String> {
    let Tree::Table(members) = &mut node.value else {
        return Err("there is a value and not a table before the last `__`".to_owned());
    };
    match path {
        [] | ["", ..] => Err("expected HUB_<SECTION>__<KEY>, with a name on both sides of each `__`".to_owned()),
        [last] => {
            let name = spelled(members, last);
            let default = default.and_then(|default| default.get(&name));
            let whole = match (default, &value.value) {
                (Some(default), Tree::Table(_)) if matches!(default.value, Tree::Table(_)) => {
                    let mut whole = default.clone();
                    whole.merge(value);
                    whole
                }
                _ => value,
            };
            members.insert(name, whole);
            Ok(())
        }
        [first, rest @ ..] => {
            let name = spelled(members, first);
            let default = default.and_then(|default| default.get(&name));
            let below = members.entry(name).or_insert_with(|| Node::table(value.origin.clone()));
            set(below, rest, value, default)
        }
    }
}

/// The key that a part of a variable's name means. A variable can't spell the `-` in an adapter's name.
fn spelled(members: &BTreeMap<String, Node>, part: &str) -> String {
    let part = part.to_lowercase();
    let same = |name: &&str| name.to_lowercase().replace('-', "_") == part;
    let there = members.keys().map(String::as_str).find(same);
    there.or_else(|| Adapter::ALL.map(Adapter::as_str).into_iter().find(same)).unwrap_or(&part).to_owned()
}
