//! The five kinds of adapter, by the key that each has in the configuration.
//!
//! One adapter of each kind: the key says which world of `wit/` the component must implement.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The kind of an adapter, which is also its key: `[adapters.<name>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterName {
    /// Customers and accounts in the core banking system.
    CoreBanking,
    /// Contacts and relationships.
    Crm,
    /// Screening and documents.
    Kyc,
    /// Identities and devices.
    Identity,
    /// Messages to clients.
    Messaging,
}

impl AdapterName {
    /// Every name, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [
        Self::CoreBanking,
        Self::Crm,
        Self::Kyc,
        Self::Identity,
        Self::Messaging,
    ];

    /// The name as the configuration, the routes and the journal write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CoreBanking => "core-banking",
            Self::Crm => "crm",
            Self::Kyc => "kyc",
            Self::Identity => "identity",
            Self::Messaging => "messaging",
        }
    }

    /// The adapter whose world exports the interface of this name: `backoffice:adapter/<interface>`.
    pub fn from_interface(interface: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == interface)
    }
}

impl fmt::Display for AdapterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is none of the five.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "unknown adapter `{0}`: expected one of `core-banking`, `crm`, `kyc`, `identity`, `messaging`"
)]
pub struct UnknownAdapter(String);

impl FromStr for AdapterName {
    type Err = UnknownAdapter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_interface(text).ok_or_else(|| UnknownAdapter(text.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_and_writes_the_same_everywhere() {
        for name in AdapterName::ALL {
            assert_eq!(name.to_string().parse::<AdapterName>().unwrap(), name);
            assert_eq!(
                serde_json::to_value(name).unwrap(),
                serde_json::json!(name.as_str())
            );
        }
        let refused = "CRM".parse::<AdapterName>().unwrap_err().to_string();
        assert!(refused.contains("`core-banking`"), "{refused}");
    }
}
