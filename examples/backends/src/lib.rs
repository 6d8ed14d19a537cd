//! One server that plays the outside systems of the hub on loopback, each with a state of its own.
//!
//! Every system is a folder or file here that speaks the public API of a real product on the routes that the bundled
//! adapters use: the same paths, shapes, headers, status codes and error bodies. No system is given an idempotency key
//! or a look-up that the real product lacks, because the hub's handling of lost answers is what it is here to prove.
//!
//! The way of a request: [`server`] reads it and asks [`faults`] whether to disturb it, [`routes`] turns it into a
//! [`call::Call`], the system's own `answer` decides with a lock on its state and no waiting, and writes down what it
//! did in [`effects`]. [`control`] is for tests: it sets faults and shows state.
//!
//! Invariants: nothing here waits while it holds a lock; a look-up by reference never walks a list; what is made up for
//! a client (accounts, devices, cases) depends on the seed and the client's reference alone.

pub mod call;
mod chance;
pub mod control;
pub mod effects;
pub mod espocrm;
pub mod faults;
pub mod fineract;
pub mod mail;
pub mod matching;
pub mod routes;
pub mod scim;
pub mod server;
pub mod sms;
mod stored;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use server::serve;

/// One of the systems that are played here, by the name that `/control` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Apache Fineract, core banking.
    Fineract,
    /// EspoCRM.
    Espocrm,
    /// The OpenSanctions matching API.
    Match,
    /// A SCIM 2.0 identity system with devices.
    Scim,
    /// The SendGrid v3 mail API.
    Mail,
    /// The Twilio messages API.
    Sms,
}

impl System {
    /// All of them, in the order of their declaration.
    pub const ALL: [System; 6] =
        [System::Fineract, System::Espocrm, System::Match, System::Scim, System::Mail, System::Sms];

    /// The first segment of its paths, and its name in `/control`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            System::Fineract => "fineract",
            System::Espocrm => "espocrm",
            System::Match => "match",
            System::Scim => "scim",
            System::Mail => "mail",
            System::Sms => "sms",
        }
    }

    /// The system that a request's path belongs to; none for the control routes and unknown paths.
    #[must_use]
    pub fn of_path(path: &str) -> Option<System> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        System::ALL.into_iter().find(|system| system.name() == first)
    }
}

/// Everything that one server plays, and what tests may do to it.
pub struct Backends {
    /// What has taken effect, in order.
    pub effects: Arc<effects::Effects>,
    /// The disturbances that are switched on.
    pub faults: faults::Faults,
    /// Core banking.
    pub fineract: fineract::Fineract,
    /// CRM.
    pub espocrm: espocrm::EspoCrm,
    /// Screening.
    pub matching: matching::Matching,
    /// Identity and devices.
    pub scim: scim::Scim,
    /// E-mail.
    pub mail: mail::Mail,
    /// Text messages.
    pub sms: sms::Sms,
}

impl Backends {
    /// Empty systems; `seed` decides what will be made up for each client.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let effects = Arc::new(effects::Effects::default());
        Backends {
            faults: faults::Faults::new(seed),
            fineract: fineract::Fineract::new(seed, Arc::clone(&effects)),
            espocrm: espocrm::EspoCrm::new(seed, Arc::clone(&effects)),
            matching: matching::Matching::new(Arc::clone(&effects)),
            scim: scim::Scim::new(seed, Arc::clone(&effects)),
            mail: mail::Mail::new(seed, Arc::clone(&effects)),
            sms: sms::Sms::new(seed, Arc::clone(&effects)),
            effects,
        }
    }

    /// What the system answers to a call that no fault stands in the way of.
    #[must_use]
    pub fn answer(&self, system: System, call: &call::Call) -> call::Answer {
        match system {
            System::Fineract => self.fineract.answer(call),
            System::Espocrm => self.espocrm.answer(call),
            System::Match => self.matching.answer(call),
            System::Scim => self.scim.answer(call),
            System::Mail => self.mail.answer(call),
            System::Sms => self.sms.answer(call),
        }
    }
}
