//! The measure of what a component answers, before anything of it is kept: it goes into the journal, into requests
//! and to callers, and memory alone would let it be millions of bytes.
//!
//! An id or an amount that is out of measure makes no sense any more when it is cut, so the answer is refused;
//! remarks for people are cut.

use super::bindings::core_banking::exports::backoffice::adapter::core_banking::Account;
use super::bindings::crm::exports::backoffice::adapter::crm::RelationshipSummary;
use super::bindings::identity::exports::backoffice::adapter::identity::{Device, PinReset};
use super::bindings::kyc::exports::backoffice::adapter::kyc::{DocumentVerdict, Verdict};
use super::bindings::types::{Health, Receipt};
use super::text::{one_line, steers};

/// The longest id, date or amount, in bytes.
const MAX_VALUE_BYTES: usize = 256;
/// The longest remark, in bytes.
const MAX_REMARK_BYTES: usize = 1024;
/// The most accounts or devices of one client.
const MAX_ITEMS: usize = 1_000;
/// The most entries of a communication log and of feedback (`wit/crm.wit`), and of reasons.
const MAX_ENTRIES: usize = 50;

/// What a function answers when it succeeds.
pub trait Answer: Send + 'static {
    /// Cuts remarks to size.
    ///
    /// # Errors
    /// What is out of measure, and what would be within it.
    fn measured(self) -> Result<Self, String>
    where
        Self: Sized;
}

fn value(name: &str, text: &str) -> Result<(), String> {
    if text.len() > MAX_VALUE_BYTES || text.chars().any(steers) {
        return Err(format!("`{name}` is longer than {MAX_VALUE_BYTES} bytes or has control characters"));
    }
    Ok(())
}

fn values(named: &[(&str, Option<&String>)]) -> Result<(), String> {
    named.iter().try_for_each(|(name, text)| text.map_or(Ok(()), |text| value(name, text)))
}

/// What was made has an id of the outside system's own, or nobody finds it again.
fn there(name: &str, id: &str) -> Result<(), String> {
    if id.trim().is_empty() { Err(format!("`{name}` is empty; expected the outside system's own")) } else { Ok(()) }
}

fn remark(text: String) -> String {
    one_line(&text, MAX_REMARK_BYTES)
}

fn remarks(mut texts: Vec<String>) -> Vec<String> {
    texts.truncate(MAX_ENTRIES);
    texts.into_iter().map(remark).collect()
}

impl Answer for Receipt {
    fn measured(self) -> Result<Self, String> {
        value("external-id", &self.external_id)?;
        there("external-id", &self.external_id)?;
        Ok(Self { note: self.note.map(remark), ..self })
    }
}

impl Answer for Health {
    fn measured(self) -> Result<Self, String> {
        Ok(Self { detail: self.detail.map(remark), ..self })
    }
}

impl Answer for PinReset {
    fn measured(self) -> Result<Self, String> {
        values(&[("id", Some(&self.id)), ("expires-at", self.expires_at.as_ref())])?;
        there("id", &self.id)?;
        Ok(self)
    }
}

impl Answer for RelationshipSummary {
    fn measured(mut self) -> Result<Self, String> {
        values(&[("owner", self.owner.as_ref()), ("last-contact-at", self.last_contact_at.as_ref())])?;
        self.communications.truncate(MAX_ENTRIES);
        self.feedback.truncate(MAX_ENTRIES);
        for one in &mut self.communications {
            values(&[("at", Some(&one.at)), ("channel", Some(&one.channel))])?;
            one.subject = remark(std::mem::take(&mut one.subject));
        }
        for one in &mut self.feedback {
            value("at", &one.at)?;
            one.text = one.text.take().map(remark);
        }
        Ok(self)
    }
}

impl Answer for Verdict {
    fn measured(self) -> Result<Self, String> {
        Ok(match self {
            Self::Approved(approval) => {
                values(&[("expires-at", approval.expires_at.as_ref())])?;
                Self::Approved(approval)
            }
            Self::Rejected(reasons) => Self::Rejected(remarks(reasons)),
            Self::NeedsDocuments(types) => Self::NeedsDocuments(remarks(types)),
            Self::Pending(mut case) => {
                values(&[("id", case.id.as_ref())])?;
                case.reasons = remarks(case.reasons);
                Self::Pending(case)
            }
        })
    }
}

impl Answer for DocumentVerdict {
    fn measured(self) -> Result<Self, String> {
        Ok(match self {
            Self::Refused(why) => Self::Refused(remark(why)),
            other => other,
        })
    }
}

impl<T: Item> Answer for Vec<T> {
    fn measured(self) -> Result<Self, String> {
        if self.len() > MAX_ITEMS {
            return Err(format!("a list of {} items; at most {MAX_ITEMS} are taken", self.len()));
        }
        self.iter().try_for_each(Item::check)?;
        Ok(self)
    }
}

/// One of a list whose order and number mean something.
pub trait Item: Send + 'static {
    /// Refuses one that is out of measure.
    fn check(&self) -> Result<(), String>;
}

impl Item for Account {
    fn check(&self) -> Result<(), String> {
        let Self { id, account_type, currency, balance, available, status, iban, opened_on } = self;
        values(&[
            ("id", Some(id)),
            ("account-type", Some(account_type)),
            ("currency", Some(currency)),
            ("balance", Some(balance)),
            ("available", available.as_ref()),
            ("status", Some(status)),
            ("iban", iban.as_ref()),
            ("opened-on", opened_on.as_ref()),
        ])
    }
}

impl Item for Device {
    fn check(&self) -> Result<(), String> {
        values(&[
            ("id", Some(&self.id)),
            ("model", self.model.as_ref()),
            ("label", self.label.as_ref()),
            ("enrolled-at", self.enrolled_at.as_ref()),
        ])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn receipt(external_id: &str, note: &str) -> Receipt {
        Receipt { external_id: external_id.to_owned(), note: Some(note.to_owned()) }
    }

    #[test]
    fn ids_are_refused_and_remarks_are_cut() {
        let taken = receipt("c-1", &"x".repeat(MAX_REMARK_BYTES * 2)).measured().unwrap();
        assert_eq!(taken.note.unwrap().chars().count(), MAX_REMARK_BYTES + 1);
        for id in ["x".repeat(MAX_VALUE_BYTES + 1), "a\nb".to_owned(), "\u{1b}[2J".to_owned()] {
            let refused = receipt(&id, "").measured().unwrap_err();
            assert!(refused.contains("`external-id`") && !refused.contains(&id), "{refused}");
        }
    }

    #[test]
    fn lists_are_counted() {
        let account = Account {
            id: "a-1".to_owned(),
            account_type: "savings".to_owned(),
            currency: "EUR".to_owned(),
            balance: "1.00".to_owned(),
            available: None,
            status: "active".to_owned(),
            iban: None,
            opened_on: None,
        };
        assert!(vec![account.clone(); MAX_ITEMS].measured().is_ok());
        assert!(vec![account.clone(); MAX_ITEMS + 1].measured().is_err());
        assert!(vec![Account { balance: "9".repeat(MAX_VALUE_BYTES + 1), ..account }].measured().is_err());
        let Verdict::Rejected(reasons) = Verdict::Rejected(vec!["listed".to_owned(); 99]).measured().unwrap() else {
            panic!("another verdict");
        };
        assert_eq!(reasons.len(), MAX_ENTRIES);
    }
}
