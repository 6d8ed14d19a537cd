//! A client's accounts, live from core banking; when that is down, what it last said.
//!
//! The last answers are kept in memory within a bound: they are no truth of the hub's, and a restart may forget them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use serde::Serialize;
use utoipa::ToSchema;

use crate::adapters::{Adapters, CallError};
use crate::domain::delivery::{Adapter, Progress};
use crate::state::ClientRecord;

/// Answers that are kept.
const KEPT: usize = 10_000;

/// One account as CL006 shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The core banking system's own id.
    pub id: String,
    /// For example `current`.
    #[serde(rename = "type")]
    pub account_type: String,
    /// ISO 4217.
    pub currency: String,
    /// A decimal number in `currency`.
    pub balance: String,
    /// What of it can be used.
    pub available: Option<String>,
    /// For example `active`.
    pub status: String,
    /// IBAN, where it has one.
    pub iban: Option<String>,
    /// ISO 8601 date.
    pub opened_on: Option<String>,
}

/// The answer of CL006.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountsView {
    /// The accounts.
    pub items: Vec<Account>,
    /// When core banking said so.
    #[serde(with = "crate::domain::moment")]
    pub as_of: DateTime<Utc>,
    /// Core banking is down, and this is its last answer.
    pub stale: bool,
}

/// Asks for accounts.
#[derive(Clone)]
pub struct Accounts {
    adapters: Adapters,
    kept: Arc<Cache<String, Arc<AccountsView>>>,
}

impl Accounts {
    /// With nothing kept.
    #[must_use]
    pub fn new(adapters: Adapters) -> Self {
        Self { adapters, kept: Arc::new(Cache::new(KEPT)) }
    }

    /// The accounts of a client; none where core banking has no customer for it yet.
    ///
    /// # Errors
    /// Core banking can't be asked, and no answer is kept.
    pub async fn of(&self, record: &ClientRecord) -> Result<Arc<AccountsView>, CallError> {
        let reference = &record.client.reference;
        match self.live(record).await {
            Ok(view) => {
                let view = Arc::new(view);
                self.kept.insert(reference.clone(), view.clone());
                Ok(view)
            }
            Err(error) => match self.kept.get(reference) {
                Some(kept) => Ok(Arc::new(AccountsView { stale: true, ..kept.as_ref().clone() })),
                None => Err(error),
            },
        }
    }

    /// The accounts as they are now.
    ///
    /// # Errors
    /// Core banking can't be asked.
    pub async fn live(&self, record: &ClientRecord) -> Result<AccountsView, CallError> {
        let items = match record.link(Adapter::CoreBanking).external_id.as_deref() {
            Some(customer) => self.adapters.list_accounts(customer).await?,
            None => Vec::new(),
        };
        let items = items.into_iter().map(|account| Account {
            id: account.id,
            account_type: account.account_type,
            currency: account.currency,
            balance: account.balance,
            available: account.available,
            status: account.status,
            iban: account.iban,
            opened_on: account.opened_on,
        });
        Ok(AccountsView { items: items.collect(), as_of: Utc::now(), stale: false })
    }
}

impl Account {
    /// Whether there is money on it, or owed.
    #[must_use]
    pub fn has_balance(&self) -> bool {
        self.balance.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
    }
}

/// Whether a customer may be coming into being in core banking right now.
#[must_use]
pub fn is_being_created(record: &ClientRecord) -> bool {
    let link = record.link(Adapter::CoreBanking);
    let begun = link.mirror.as_ref().is_some_and(|mirror| mirror.progress != Progress::Parked);
    link.external_id.is_none() && (begun || (record.client.mirrored && !record.client.status.is_gone()))
}
