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
//! With a folder to keep them in, the systems survive a restart of the process: see [`record`].
//!
//! Invariants: nothing here waits while it holds a lock, but for the disk where there is such a folder; a look-up by
//! reference never walks a list; what is made up for a client (accounts, devices, cases) depends on the seed and the
//! client's reference alone.

pub mod call;
mod chance;
pub mod control;
pub mod effects;
pub mod espocrm;
pub mod faults;
pub mod fineract;
pub mod mail;
pub mod matching;
mod record;
pub mod routes;
pub mod scim;
pub mod server;
pub mod sms;
mod stored;

use std::io;
use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use http::{Method, StatusCode};
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
    /// Where what may change them is kept.
    record: Option<record::Record>,
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
            record: None,
            effects,
        }
    }

    /// The systems as they were left in `folder`, which they are kept in from now on.
    ///
    /// # Errors
    /// The folder can't be used, or holds something else.
    pub fn open(seed: u64, folder: &Path) -> io::Result<Self> {
        let (record, asked) = record::Record::open(folder, seed)?;
        let mut backends = Self::new(seed);
        for asked in asked {
            backends.effects.happened(asked.at);
            match System::ALL.into_iter().find(|system| system.name() == asked.to) {
                Some(system) => drop(backends.decide(system, &asked.call)),
                None => drop(control::answer(&backends, &asked.call)),
            }
        }
        backends.record = Some(record);
        Ok(backends)
    }

    /// What a call to `to` is answered, written down before it is carried out where it may change something.
    fn carried_out(&self, to: &str, call: &call::Call, carry_out: impl FnOnce() -> call::Answer) -> call::Answer {
        let Some(record) = self.record.as_ref().filter(|_| call.method != Method::GET) else { return carry_out() };
        let at = Utc::now();
        let Ok(turn) = record.write(to, at, call) else {
            return call::Answer::empty(StatusCode::INSUFFICIENT_STORAGE);
        };
        self.effects.happened(at);
        let answer = carry_out();
        drop(turn);
        answer
    }

    /// What the system answers to a call that no fault stands in the way of.
    #[must_use]
    pub fn answer(&self, system: System, call: &call::Call) -> call::Answer {
        self.carried_out(system.name(), call, || self.decide(system, call))
    }

    /// What a test's own request is answered.
    #[must_use]
    pub fn answer_test(&self, call: &call::Call) -> call::Answer {
        // A fault is not kept.
        if call.path.is_empty() {
            return control::answer(self, call);
        }
        self.carried_out("control", call, || control::answer(self, call))
    }

    fn decide(&self, system: System, call: &call::Call) -> call::Answer {
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
