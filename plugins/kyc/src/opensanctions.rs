//! The service: its settings, its health, and how its refusals read.

use adapter_kit::types::{ClientKind, Disposition, Health};
use adapter_kit::{Answer, Call, Refusal, Session, Settings, below};
use serde::Deserialize;

pub const SETTINGS: [&str; 7] = [
    "dataset",
    "threshold",
    "algorithm",
    "validity-days",
    "required-documents-individual",
    "required-documents-corporate",
    "allowed-documents",
];

const DEFAULT_THRESHOLD: f64 = 0.7;
const DEFAULT_VALIDITY_DAYS: i64 = 365;
const LONGEST_VALIDITY_DAYS: i64 = 3650;
const A_LIST_OF_TYPES: &str = "a list of document types, for example [\"passport\"]";

/// What the settings say of a screening.
pub struct Rules {
    pub dataset: String,
    pub threshold: f64,
    pub algorithm: Option<String>,
    pub validity_days: i64,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    /// `unavailable` where one is malformed.
    pub fn read(settings: Settings<'_>) -> Result<Self, Disposition> {
        Ok(Self {
            dataset: settings.text("dataset", "default"),
            threshold: settings.number("threshold", 0.0..=1.0)?.unwrap_or(DEFAULT_THRESHOLD),
            algorithm: settings.get("algorithm"),
            validity_days: settings
                .number("validity-days", 1..=LONGEST_VALIDITY_DAYS)?
                .unwrap_or(DEFAULT_VALIDITY_DAYS),
        })
    }
}

/// The types of document that a client of this kind has to hand in.
pub fn required_documents(settings: Settings<'_>, kind: ClientKind) -> Result<Vec<String>, Disposition> {
    let name = match kind {
        ClientKind::Individual => "required-documents-individual",
        ClientKind::Corporate => "required-documents-corporate",
    };
    Ok(settings.json(name, A_LIST_OF_TYPES)?.unwrap_or_default())
}

/// The types of document that are accepted; nothing where any is.
pub fn allowed_documents(settings: Settings<'_>) -> Result<Option<Vec<String>>, Disposition> {
    settings.json("allowed-documents", A_LIST_OF_TYPES)
}

/// One cheap question.
pub fn check_health(session: &Session<'_>) -> Result<Health, Disposition> {
    let answer = session.send(Call::get("api", below(&["healthz"])?))?;
    answer.success(refusal)?.read().map(|()| Health { ok: true, detail: None })
}

#[derive(Deserialize)]
struct Problem {
    detail: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    #[serde(rename = "type")]
    kind: String,
}

/// The kind of the first mistake that a body of validation errors names. Any other `detail` is free text and stays out.
pub fn refusal(answer: &Answer) -> Refusal {
    let problem = answer.try_json::<Problem>();
    let kind = problem.and_then(|problem| problem.detail.into_iter().next()).map(|mistake| mistake.kind);
    Refusal::coded(&kind.unwrap_or_default(), None)
}
