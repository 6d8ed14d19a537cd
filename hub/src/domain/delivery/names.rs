//! The five outside systems and what is asked of them, by the names of the configuration and of the contract for adapters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A name that is none of the five.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown adapter `{0}`: expected one of `core-banking`, `crm`, `kyc`, `identity`, `messaging`")]
pub struct UnknownAdapter(String);

/// The outside systems, one adapter of each kind. The names are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Adapter {
    /// Customers and accounts.
    CoreBanking,
    /// Relationships.
    Crm,
    /// Screening and documents.
    Kyc,
    /// Credentials and devices.
    Identity,
    /// Messages to clients.
    Messaging,
}

impl Adapter {
    /// All of them, in the order of the specification's table.
    pub const ALL: [Self; 5] = [Self::CoreBanking, Self::Crm, Self::Kyc, Self::Identity, Self::Messaging];

    /// As it stands in the configuration and the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CoreBanking => "core-banking",
            Self::Crm => "crm",
            Self::Kyc => "kyc",
            Self::Identity => "identity",
            Self::Messaging => "messaging",
        }
    }

    /// The adapter of this name, which is also its interface's in the contract for adapters.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|adapter| adapter.as_str() == name)
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Adapter {
    type Err = UnknownAdapter;

    fn from_str(name: &str) -> Result<Self, UnknownAdapter> {
        Self::parse(name).ok_or_else(|| UnknownAdapter(name.to_owned()))
    }
}

/// What is asked of the outside system, by the name in the contract for adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Core banking: create or bring up to date.
    UpsertCustomer,
    /// Core banking: close.
    CloseCustomer,
    /// CRM: create or bring up to date.
    UpsertContact,
    /// CRM: archive.
    ArchiveContact,
    /// KYC: screen.
    Verify,
    /// KYC: hand a document over.
    SubmitDocument,
    /// Identity: create.
    Provision,
    /// Identity: bring up to date.
    Update,
    /// Identity: disable.
    Disable,
    /// Identity: tell the devices.
    ListDevices,
    /// Identity: lock, unlock, activate, deactivate.
    SetDeviceState,
    /// Identity: hand over.
    TransferDevice,
    /// Identity: have a PIN issued.
    ResetPin,
    /// Messaging: send.
    Send,
}

impl Function {
    /// All of them, in the order of the specification's table of adapters.
    pub const ALL: [Self; 14] = [
        Self::UpsertCustomer,
        Self::CloseCustomer,
        Self::UpsertContact,
        Self::ArchiveContact,
        Self::Verify,
        Self::SubmitDocument,
        Self::Provision,
        Self::Update,
        Self::Disable,
        Self::ListDevices,
        Self::SetDeviceState,
        Self::TransferDevice,
        Self::ResetPin,
        Self::Send,
    ];

    /// The function of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.as_str() == name)
    }

    /// As it stands in the contract for adapters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpsertCustomer => "upsert-customer",
            Self::CloseCustomer => "close-customer",
            Self::UpsertContact => "upsert-contact",
            Self::ArchiveContact => "archive-contact",
            Self::Verify => "verify",
            Self::SubmitDocument => "submit-document",
            Self::Provision => "provision",
            Self::Update => "update",
            Self::Disable => "disable",
            Self::ListDevices => "list-devices",
            Self::SetDeviceState => "set-device-state",
            Self::TransferDevice => "transfer-device",
            Self::ResetPin => "reset-pin",
            Self::Send => "send",
        }
    }

    /// Whether only the newest version matters. Everything else is a command.
    #[must_use]
    pub const fn is_mirror(self) -> bool {
        !matches!(
            self,
            Self::SubmitDocument
                | Self::ListDevices
                | Self::SetDeviceState
                | Self::TransferDevice
                | Self::ResetPin
                | Self::Send
        )
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no function's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown function `{0}`: expected a name of the contract for adapters, such as `upsert-contact` or `send`")]
pub struct UnknownFunction(String);

impl FromStr for Function {
    type Err = UnknownFunction;

    fn from_str(name: &str) -> Result<Self, UnknownFunction> {
        Self::parse(name).ok_or_else(|| UnknownFunction(name.to_owned()))
    }
}
