//! Where a component comes from, as the configuration names it: a file, or an artifact in an OCI registry.

use std::fmt;
use std::path::{Path, PathBuf};

use oci_client::Reference;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a component in a registry is told from a file.
const SCHEME: &str = "oci://";

/// `component = "…"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum ComponentSource {
    /// A file.
    File(PathBuf),
    /// `oci://registry/repository:tag`, or `…@sha256:…`, which is always the same one.
    Registry(Reference),
}

/// Text after `oci://` that names no artifact.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected `oci://registry/repository:tag` or `oci://registry/repository@sha256:…`, got `{text}`: {why}")]
pub struct NotAnArtifact {
    text: String,
    why: String,
}

impl ComponentSource {
    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Registry(_) => None,
        }
    }
}

impl TryFrom<String> for ComponentSource {
    type Error = NotAnArtifact;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let Some(name) = text.strip_prefix(SCHEME) else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        let refused = |why: String| NotAnArtifact { text: text.clone(), why };
        // What names no registry would silently be one of Docker Hub's.
        if !name.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost") {
            return Err(refused("it names no registry".to_owned()));
        }
        name.parse().map(Self::Registry).map_err(|error: oci_client::ParseError| refused(error.to_string()))
    }
}

impl From<ComponentSource> for String {
    fn from(source: ComponentSource) -> Self {
        source.to_string()
    }
}

impl fmt::Display for ComponentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Registry(artifact) => write!(f, "{SCHEME}{artifact}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ComponentSource, String> {
        ComponentSource::try_from(text.to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_path_is_a_file_and_a_scheme_is_a_registry() {
        assert_eq!(parse("plugins/crm.wasm"), Ok(ComponentSource::File("plugins/crm.wasm".into())));
        for text in ["oci://ghcr.io/acme/crm:1.4", "oci://localhost:5000/crm:latest", "oci://127.0.0.1:5000/a/b:c"] {
            let source = parse(text).unwrap();
            assert!(matches!(source, ComponentSource::Registry(_)), "{text}");
            assert_eq!(source.to_string(), text);
        }
        let pinned = format!("oci://ghcr.io/acme/crm@sha256:{}", "a".repeat(64));
        assert_eq!(parse(&pinned).unwrap().to_string(), pinned);
    }

    #[test]
    fn what_names_no_artifact_is_refused_with_what_would() {
        for text in ["oci://", "oci://crm", "oci://acme/crm:1", "oci://ghcr.io/ACME/crm", "oci://ghcr.io/crm@sha256:12"]
        {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains("oci://registry/repository:tag") && refused.contains(text), "{refused}");
        }
    }
}
