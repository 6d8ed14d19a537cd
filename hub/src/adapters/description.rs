//! The check of what an adapter says of itself, and what an operator should know about it.

use std::collections::HashSet;

use semver::Version;

use super::AdapterName;
use super::bindings::types::{Description, RepeatSafety};
use super::config::AdapterConfig;
use super::world;

/// The longest text in a description, in bytes.
const MAX_TEXT_BYTES: usize = 200;
/// The most items of a list in it.
const MAX_ITEMS: usize = 100;

/// Refuses a description that can't be true or is out of measure.
///
/// # Errors
/// What is wrong with it.
pub fn check(adapter: AdapterName, description: &Description) -> Result<(), String> {
    let lists = [description.endpoints.len(), description.settings.len(), description.functions.len()];
    if lists.into_iter().any(|length| length > MAX_ITEMS) {
        return Err(format!("a list has more than {MAX_ITEMS} items"));
    }
    if texts(description).any(|text| text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control)) {
        return Err(format!("a text is longer than {MAX_TEXT_BYTES} bytes or has control characters"));
    }
    if description.name.trim().is_empty() {
        return Err("its `name` is empty: expected a short one, for example `espocrm`".to_owned());
    }
    if let Err(error) = Version::parse(&description.version) {
        let version = &description.version;
        return Err(format!("its `version` is {version:?} ({error}): expected a semantic one, for example `1.0.0`"));
    }
    if let Some((list, twice)) = repeated(description) {
        return Err(format!("`{twice}` stands twice in its `{list}`"));
    }
    let known = world::functions(adapter);
    let strange = description.functions.iter().find(|function| !known.contains(&function.name.as_str()));
    match strange {
        Some(function) => Err(format!(
            "the world `{adapter}-adapter` has no function `{}`; it has: {}",
            function.name,
            known.join(", ")
        )),
        None => Ok(()),
    }
}

fn texts(description: &Description) -> impl Iterator<Item = &String> {
    let Description { name, version, vendor, product, endpoints, settings, functions } = description;
    [name, version, vendor, product]
        .into_iter()
        .chain(endpoints)
        .chain(settings)
        .chain(functions.iter().map(|function| &function.name))
}

/// A name that stands twice in one of the lists, and in which.
fn repeated(description: &Description) -> Option<(&'static str, &str)> {
    let functions: Vec<_> = description.functions.iter().map(|function| function.name.as_str()).collect();
    let endpoints: Vec<_> = description.endpoints.iter().map(String::as_str).collect();
    let settings: Vec<_> = description.settings.iter().map(String::as_str).collect();
    [("functions", functions), ("endpoints", endpoints), ("settings", settings)].into_iter().find_map(
        |(list, names)| {
            let mut seen = HashSet::new();
            names.into_iter().find(|name| !seen.insert(*name)).map(|twice| (list, twice))
        },
    )
}

/// Differences between the description and the configuration that are likely mistakes, one line each.
pub fn warnings(adapter: AdapterName, description: &Description, config: &AdapterConfig) -> Vec<String> {
    let section = format!("adapters.{adapter}");
    let missing = description.endpoints.iter().filter(|name| !config.endpoints.contains_key(*name)).map(|name| {
        format!("it calls the endpoint `{name}`, which is not configured: add [{section}.endpoints.{name}]")
    });
    let unused = config.endpoints.keys().filter(|name| !description.endpoints.contains(name)).map(|name| {
        format!("[{section}.endpoints.{name}] is configured, but it does not say that it calls it, and so may not")
    });
    let unread = config.settings.keys().filter(|name| !description.settings.contains(name)).map(|name| {
        format!("the setting `{name}` is configured, but it does not say that it reads it, and so may not")
    });
    let undescribed = world::functions(adapter)
        .iter()
        .filter(|name| repeat_safety(description, name).is_none())
        .map(|name| format!("it does not say whether `{name}` may be repeated"));
    missing.chain(unused).chain(unread).chain(undescribed).collect()
}

/// What it says about repeating one of its functions, by the WIT name; nothing where it says nothing.
pub fn repeat_safety(description: &Description, function: &str) -> Option<RepeatSafety> {
    description.functions.iter().find(|described| described.name == function).map(|described| described.repeat)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::bindings::types::FunctionDescription;
    use super::*;

    fn description() -> Description {
        let function = |name: &str, repeat| FunctionDescription { name: name.to_owned(), repeat };
        Description {
            name: "espocrm".to_owned(),
            version: "1.0.0".to_owned(),
            vendor: "v".to_owned(),
            product: "p".to_owned(),
            endpoints: vec!["api".to_owned()],
            settings: vec!["pipeline".to_owned()],
            functions: vec![
                function("upsert-contact", RepeatSafety::LookUp),
                function("archive-contact", RepeatSafety::Safe),
            ],
        }
    }

    #[test]
    fn functions_are_those_of_the_world() {
        let mut description = description();
        assert_eq!(check(AdapterName::Crm, &description), Ok(()));
        assert_eq!(repeat_safety(&description, "upsert-contact"), Some(RepeatSafety::LookUp));
        assert_eq!(repeat_safety(&description, "relationship"), None);
        description.functions[0].name = "upsertContact".to_owned();
        let refused = check(AdapterName::Crm, &description).unwrap_err();
        assert!(refused.contains("upsertContact") && refused.contains("archive-contact"), "{refused}");
    }

    #[test]
    fn texts_and_lists_are_bounded() {
        let mut long = description();
        long.vendor = "x".repeat(MAX_TEXT_BYTES + 1);
        assert!(check(AdapterName::Crm, &long).is_err());
        let mut many = description();
        many.settings = (0..=MAX_ITEMS).map(|at| at.to_string()).collect();
        assert!(check(AdapterName::Crm, &many).is_err());
    }

    #[test]
    fn it_has_a_name_a_semantic_version_and_nothing_twice() {
        let refused = |change: fn(&mut Description)| {
            let mut description = description();
            change(&mut description);
            check(AdapterName::Crm, &description).unwrap_err()
        };
        let cases = [
            (refused(|it| it.name = " ".to_owned()), "`name` is empty"),
            (refused(|it| it.version = "latest".to_owned()), "`version` is \"latest\""),
            (refused(|it| it.functions.extend_from_within(..1)), "`upsert-contact` stands twice in its `functions`"),
            (refused(|it| it.endpoints.extend_from_within(..)), "`api` stands twice in its `endpoints`"),
            (refused(|it| it.settings.extend_from_within(..)), "`pipeline` stands twice in its `settings`"),
        ];
        for (refused, expected) in cases {
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn likely_mistakes_are_told() {
        let config: AdapterConfig = toml::from_str(
            "component = 'x'\nsettings = { pipelin = 'a' }\n[endpoints.apis]\nurl = 'https://crm.example'",
        )
        .unwrap();
        let warnings = warnings(AdapterName::Crm, &description(), &config).join("\n");
        for expected in ["[adapters.crm.endpoints.api]", "endpoints.apis", "`pipelin`", "`relationship`"] {
            assert!(warnings.contains(expected), "{warnings}");
        }
    }
}
