//! What is in a new project: the files of `hub/templates`, filled in, and the contract.

use super::args::Language;
use crate::adapters::AdapterName;

/// The contract, file by file.
const WIT: [(&str, &str); 7] = [
    ("wit/types.wit", include_str!("../../../../wit/types.wit")),
    ("wit/host.wit", include_str!("../../../../wit/host.wit")),
    ("wit/core-banking.wit", include_str!("../../../../wit/core-banking.wit")),
    ("wit/crm.wit", include_str!("../../../../wit/crm.wit")),
    ("wit/identity.wit", include_str!("../../../../wit/identity.wit")),
    ("wit/kyc.wit", include_str!("../../../../wit/kyc.wit")),
    ("wit/messaging.wit", include_str!("../../../../wit/messaging.wit")),
];

/// What is filled in.
pub struct Names {
    /// The project's name.
    pub name: String,
    /// The component's, without `.wasm`.
    pub component: String,
    /// What it implements.
    pub adapter: AdapterName,
    /// What it is written in.
    pub language: Language,
}

/// The bindings are for the test alone; a component gets its own.
const PYTHON_TEST: &str = ".venv/bin/componentize-py -d wit -w {{world}} bindings bindings \
                           && PYTHONPATH=bindings .venv/bin/python -m unittest";

macro_rules! by_world {
    ($adapter:expr, $folder:literal, $suffix:literal) => {
        match $adapter {
            AdapterName::CoreBanking => {
                include_str!(concat!("../../../templates/", $folder, "/core-banking.", $suffix))
            }
            AdapterName::Crm => include_str!(concat!("../../../templates/", $folder, "/crm.", $suffix)),
            AdapterName::Identity => include_str!(concat!("../../../templates/", $folder, "/identity.", $suffix)),
            AdapterName::Kyc => include_str!(concat!("../../../templates/", $folder, "/kyc.", $suffix)),
            AdapterName::Messaging => include_str!(concat!("../../../templates/", $folder, "/messaging.", $suffix)),
        }
    };
}

/// How to get the tools of a language.
pub const fn setup(language: Language) -> &'static str {
    match language {
        Language::Rust => "rustup target add wasm32-unknown-unknown",
        Language::Python => "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        Language::Js => "npm install",
    }
}

/// The files of a project, by their paths in it.
pub fn files(names: &Names) -> Vec<(&'static str, String)> {
    let conformance = by_world!(names.adapter, "conformance", "toml");
    let mut files = vec![
        ("README.md", filled(include_str!("../../../templates/README.md.in"), names)),
        ("conformance.toml", conformance.to_owned()),
    ];
    files.extend(WIT.iter().map(|(path, text)| (*path, (*text).to_owned())));
    files.extend(match names.language {
        Language::Rust => rust(names),
        Language::Python => python(names),
        Language::Js => javascript(names),
    });
    files
}

fn rust(names: &Names) -> Vec<(&'static str, String)> {
    vec![
        ("Cargo.toml", filled(include_str!("../../../templates/rust/Cargo.toml.in"), names)),
        ("src/lib.rs", by_world!(names.adapter, "rust", "rs").to_owned()),
        ("src/outside.rs", include_str!("../../../templates/rust/outside.rs").to_owned()),
        (".gitignore", "/target\n/dist\n*.pem\n".to_owned()),
    ]
}

fn python(names: &Names) -> Vec<(&'static str, String)> {
    vec![
        ("pyproject.toml", filled(include_str!("../../../templates/python/pyproject.toml.in"), names)),
        ("requirements.txt", include_str!("../../../templates/python/requirements.txt").to_owned()),
        ("app.py", filled(by_world!(names.adapter, "python", "py"), names)),
        ("outside.py", include_str!("../../../templates/python/outside.py").to_owned()),
        ("test_outside.py", include_str!("../../../templates/python/test_outside.py").to_owned()),
        (".gitignore", "/.venv\n/bindings\n/dist\n__pycache__\n*.pem\n".to_owned()),
    ]
}

fn javascript(names: &Names) -> Vec<(&'static str, String)> {
    vec![
        ("package.json", filled(include_str!("../../../templates/js/package.json.in"), names)),
        ("adapter.js", filled(by_world!(names.adapter, "js", "js"), names)),
        ("outside.js", include_str!("../../../templates/js/outside.js").to_owned()),
        ("rules.js", include_str!("../../../templates/js/rules.js").to_owned()),
        ("rules.test.js", include_str!("../../../templates/js/rules.test.js").to_owned()),
        (".gitignore", "/node_modules\n/dist\n".to_owned()),
    ]
}

fn filled(template: &str, names: &Names) -> String {
    let (test, source, rules) = match names.language {
        Language::Rust => ("cargo test", "src/lib.rs", "src/outside.rs"),
        Language::Python => (PYTHON_TEST, "app.py", "outside.py"),
        Language::Js => ("npm test", "adapter.js", "rules.js"),
    };
    template
        .replace("{{test}}", test)
        .replace("{{name}}", &names.name)
        .replace("{{component}}", &names.component)
        .replace("{{adapter}}", names.adapter.as_str())
        .replace("{{world}}", &format!("{}-adapter", names.adapter))
        .replace("{{setup}}", setup(names.language))
        .replace("{{source}}", source)
        .replace("{{rules}}", rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for adapter in AdapterName::ALL {
            for language in Language::ALL {
                let names = Names { name: "acme-x".to_owned(), component: "acme-x".to_owned(), adapter, language };
                for (path, text) in files(&names) {
                    assert!(!text.contains("{{name}}") && !text.contains("{{world}}"), "{adapter} {path}");
                }
            }
        }
    }
}
