//! What a component may do beyond another one, or not any more: what an operator is shown before one takes the place of
//! the other.
//!
//! It grows with an import, an endpoint or a setting that the other did not have, with a function that the hub may
//! repeat on its word, and with another signer. Versions and footprints are shown, and are no growth: the limits of
//! a call are the configuration's, whatever runs within them.

use serde::Serialize;
use utoipa::ToSchema;

use super::report::LoadedInfo;

/// The difference between two components of one adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AdapterDifference)]
pub struct Difference {
    /// What the new one may do beyond the old, such as `endpoint archive`.
    #[schema(example = json!(["endpoint archive"]))]
    pub gains: Vec<String>,
    /// What the old one did beyond the new.
    pub loses: Vec<String>,
    /// What else is different.
    pub changes: Vec<Changed>,
}

/// One thing that is different without being a right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AdapterChange)]
pub struct Changed {
    /// What: `version`, `contract`, `memoryBytes`, …
    #[schema(value_type = String, example = "version")]
    pub what: &'static str,
    /// With the old one.
    pub from: String,
    /// With the new one.
    pub to: String,
}

impl Difference {
    /// Compares the two; a first component differs from nothing.
    pub fn between(old: Option<&LoadedInfo>, new: &LoadedInfo) -> Self {
        let Some(old) = old else { return Self::default() };
        let (before, after) = (reaches(old), reaches(new));
        let beyond =
            |all: &[String], others: &[String]| all.iter().filter(|one| !others.contains(one)).cloned().collect();
        Self { gains: beyond(&after, &before), loses: beyond(&before, &after), changes: changes(old, new) }
    }

    /// Whether the new one may do anything that the old one may not.
    #[must_use]
    pub fn grows(&self) -> bool {
        !self.gains.is_empty()
    }
}

fn reaches(info: &LoadedInfo) -> Vec<String> {
    let described = &info.description;
    // An interface gives the same in every version that is linked.
    let name = |import: &String| import.split_once('@').map_or(import.clone(), |(name, _)| name.to_owned());
    let imports = info.imports.iter().map(|import| format!("import {}", name(import)));
    let endpoints = described.endpoints.iter().map(|name| format!("endpoint {name}"));
    let settings = described.settings.iter().map(|name| format!("setting {name}"));
    let repeated = described.functions.iter().filter(|(_, repeat)| **repeat != "unsafe");
    let repeated = repeated.map(|(name, _)| format!("repeat {name}"));
    let signer = info.signed_by.iter().map(|key| format!("signer {key}"));
    imports.chain(endpoints).chain(settings).chain(repeated).chain(signer).collect()
}

fn changes(old: &LoadedInfo, new: &LoadedInfo) -> Vec<Changed> {
    let (before, after) = (facts(old), facts(new));
    let pairs = before.into_iter().zip(after).filter(|((_, from), (_, to))| from != to);
    pairs.map(|((what, from), (_, to))| Changed { what, from, to }).collect()
}

fn facts(info: &LoadedInfo) -> [(&'static str, String); 7] {
    let (described, needs) = (&info.description, &info.footprint);
    [
        ("name", described.name.clone()),
        ("version", described.version.clone()),
        ("vendor", described.vendor.clone()),
        ("product", described.product.clone()),
        ("contract", info.contract.clone()),
        ("memoryBytes", needs.memory_bytes.to_string()),
        ("coreInstances", needs.core_instances.to_string()),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{DescriptionReport, Digest, Footprint};
    use super::*;

    fn info() -> LoadedInfo {
        LoadedInfo {
            digest: Digest::of(b"old"),
            signed_by: Some("key-1".to_owned()),
            bytes: 3,
            contract: "1.0.0".to_owned(),
            world: "crm-adapter".to_owned(),
            imports: vec!["backoffice:adapter/http@1.0.0".to_owned()],
            footprint: Footprint::default(),
            description: DescriptionReport {
                name: "crm".to_owned(),
                version: "1".to_owned(),
                vendor: "v".to_owned(),
                product: "p".to_owned(),
                endpoints: vec!["api".to_owned()],
                settings: Vec::new(),
                functions: [("upsert-contact".to_owned(), "unsafe")].into(),
            },
            warnings: Vec::new(),
            loaded_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_it_may_do_is_growth() {
        let (old, mut new) = (info(), info());
        new.imports = vec!["backoffice:adapter/http@1.4.0".to_owned()];
        new.contract = "1.4.0".to_owned();
        new.footprint.memory_bytes = 1 << 20;
        let difference = Difference::between(Some(&old), &new);
        assert!(!difference.grows() && difference.loses.is_empty(), "{difference:?}");
        let what: Vec<&str> = difference.changes.iter().map(|change| change.what).collect();
        assert_eq!(what, ["contract", "memoryBytes"]);
    }

    #[test]
    fn every_right_that_is_new_or_gone_is_named() {
        let (old, mut new) = (info(), info());
        new.imports.push("backoffice:adapter/store@1.0.0".to_owned());
        new.description.endpoints = vec!["archive".to_owned()];
        new.description.settings.push("pipeline".to_owned());
        new.description.functions.insert("upsert-contact".to_owned(), "look-up");
        new.signed_by = Some("key-2".to_owned());
        let difference = Difference::between(Some(&old), &new);
        let gains = [
            "import backoffice:adapter/store",
            "endpoint archive",
            "setting pipeline",
            "repeat upsert-contact",
            "signer key-2",
        ];
        assert_eq!(difference.gains, gains);
        assert_eq!(difference.loses, ["endpoint api", "signer key-1"]);
        assert!(!Difference::between(None, &new).grows());
    }
}
