//! What is tried of each world: its functions, what has to be there before, and the calls themselves.

use crate::adapters::wit::identity::DeviceState;
use crate::adapters::wit::kyc::{Document, DocumentVerdict, Verdict};
use crate::adapters::wit::messaging::{Channel, Message, Recipient, Template, Value, Variable};
use crate::adapters::wit::types::{Profile, Receipt};
use crate::adapters::{AdapterName, Adapters, CallError};

use super::clients;
use super::script::Known;

/// One function in one situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `check-health`
    Health,
    /// The client is not there yet.
    Create,
    /// The client is there.
    Again,
    /// `update` of an identity.
    Update,
    /// Closed, archived or disabled.
    End,
    /// What the outside system shows of a client: accounts, a relationship, devices.
    Read,
    /// `case-status`
    CaseStatus,
    /// `submit-document`
    Document,
    /// `set-device-state`
    DeviceState,
    /// `transfer-device`
    Transfer,
    /// `reset-pin`
    ResetPin,
    /// `send`, by e-mail.
    Mail,
    /// `send`, as a text message.
    Text,
}

/// What a world has.
#[must_use]
pub const fn of_world(adapter: AdapterName) -> &'static [Act] {
    match adapter {
        AdapterName::CoreBanking | AdapterName::Crm => &[Act::Health, Act::Create, Act::Again, Act::End, Act::Read],
        AdapterName::Kyc => &[Act::Health, Act::Create, Act::CaseStatus, Act::Document],
        AdapterName::Identity => &[
            Act::Health,
            Act::Create,
            Act::Again,
            Act::Update,
            Act::End,
            Act::Read,
            Act::DeviceState,
            Act::Transfer,
            Act::ResetPin,
        ],
        AdapterName::Messaging => &[Act::Health, Act::Mail, Act::Text],
    }
}

impl Act {
    /// The function in the contract.
    #[must_use]
    pub const fn function(self, adapter: AdapterName) -> &'static str {
        match (self, adapter) {
            (Self::Health, _) => "check-health",
            (Self::Create | Self::Again, AdapterName::CoreBanking) => "upsert-customer",
            (Self::Create | Self::Again, AdapterName::Crm) => "upsert-contact",
            (Self::Create, AdapterName::Kyc) => "verify",
            (Self::Create | Self::Again, _) => "provision",
            (Self::Update, _) => "update",
            (Self::End, AdapterName::CoreBanking) => "close-customer",
            (Self::End, AdapterName::Crm) => "archive-contact",
            (Self::End, _) => "disable",
            (Self::Read, AdapterName::CoreBanking) => "list-accounts",
            (Self::Read, AdapterName::Crm) => "relationship",
            (Self::Read, _) => "list-devices",
            (Self::CaseStatus, _) => "case-status",
            (Self::Document, _) => "submit-document",
            (Self::DeviceState, _) => "set-device-state",
            (Self::Transfer, _) => "transfer-device",
            (Self::ResetPin, _) => "reset-pin",
            (Self::Mail | Self::Text, _) => "send",
        }
    }

    /// The function, and the situation where there is more than one.
    #[must_use]
    pub fn label(self, adapter: AdapterName) -> String {
        let function = self.function(adapter);
        match self {
            Self::Again => format!("{function} of a client that is there"),
            Self::Mail => format!("{function} by e-mail"),
            Self::Text => format!("{function} as a text message"),
            _ => function.to_owned(),
        }
    }

    /// Whether the function has a key, and so may be delivered more than once.
    #[must_use]
    pub const fn has_key(self) -> bool {
        !matches!(self, Self::Health | Self::Read | Self::CaseStatus)
    }

    /// Whether a client's own data goes out with it, so that odd data may break it.
    #[must_use]
    pub const fn carries_names(self) -> bool {
        matches!(self, Self::Create | Self::Mail)
    }

    /// Whether it can't have been done without a write. Screening may well be local, or a question.
    #[must_use]
    pub const fn must_write(self, adapter: AdapterName) -> bool {
        self.has_key() && !matches!(adapter, AdapterName::Kyc)
    }

    /// Whether its answer is what the outside system says now.
    #[must_use]
    pub const fn must_ask(self) -> bool {
        matches!(self, Self::Health | Self::Read | Self::CaseStatus)
    }

    /// Whether it needs nothing to be there before.
    #[must_use]
    pub const fn stands_alone(self) -> bool {
        matches!(self, Self::Health | Self::Create | Self::Document | Self::Mail | Self::Text)
    }
}

/// What one case is about.
pub struct Scene {
    /// The client.
    pub client: Profile,
    /// Another client, for a transfer.
    pub other: Profile,
    /// The outside system's id of the client.
    pub id: String,
    /// Of the other client.
    pub other_id: String,
    /// Of a device.
    pub device: String,
    /// Of a KYC case.
    pub case: String,
}

impl Scene {
    /// A client and another one, of whom the outside system knows nothing yet.
    #[must_use]
    pub fn new(client: Profile) -> Self {
        let other = clients::person(&format!("{}B", client.reference));
        let none = String::new;
        Self { client, other, id: none(), other_id: none(), device: none(), case: none() }
    }
}

/// An answer, in words; and whether it says that all is well.
pub struct Answered {
    /// For the report.
    pub text: String,
    /// `false` where `check-health` says so.
    pub well: bool,
}

fn receipt(receipt: Receipt) -> Answered {
    let note = receipt.note.map(|note| format!(" ({note})")).unwrap_or_default();
    plain(format!("a receipt for `{}`{note}", receipt.external_id))
}

fn plain(text: String) -> Answered {
    Answered { text, well: true }
}

/// Why a case can't be set up.
pub enum Unset {
    /// A function that had to work before has failed.
    Failed(String),
    /// The outside system has none of what is needed.
    Missing(&'static str),
}

/// Brings the outside system into the state that the act begins with.
///
/// # Errors
/// [`Unset`]
pub async fn prepare(
    adapters: &Adapters,
    adapter: AdapterName,
    act: Act,
    scene: &mut Scene,
    known: &Known,
) -> Result<(), Unset> {
    let failed = |error: CallError| Unset::Failed(error.to_string());
    if act == Act::CaseStatus {
        scene.case = match &known.case {
            Some(case) => case.clone(),
            None => opened_case(adapters, scene).await?,
        };
        return Ok(());
    }
    if act.stands_alone() {
        return Ok(());
    }
    scene.id = created(adapters, adapter, &scene.client).await.map_err(failed)?;
    if act == Act::Again || act == Act::Update {
        scene.client.version += 1;
        scene.client.external_id = Some(scene.id.clone());
    }
    if matches!(act, Act::DeviceState | Act::Transfer | Act::ResetPin) {
        let devices = adapters.list_devices(&scene.id).await.map_err(failed)?;
        let first = devices.into_iter().next().map(|device| device.id);
        scene.device = first
            .or_else(|| known.device.clone())
            .ok_or(Unset::Missing("list-devices shows no device; name one in the script: [known] device = \"…\""))?;
    }
    if act == Act::Transfer {
        scene.other_id = created(adapters, adapter, &scene.other).await.map_err(failed)?;
    }
    Ok(())
}

async fn opened_case(adapters: &Adapters, scene: &Scene) -> Result<String, Unset> {
    let verdict = adapters.verify(scene.client.clone(), Vec::new(), "set-up").await;
    match verdict.map_err(|error| Unset::Failed(error.to_string()))? {
        Verdict::Pending(case) => case.id.ok_or(Unset::Missing("the verdict names no case")),
        _ => Err(Unset::Missing(
            "verify opens no case for the suite's client; name one in the script: [known] case = \"…\"",
        )),
    }
}

async fn created(adapters: &Adapters, adapter: AdapterName, client: &Profile) -> Result<String, CallError> {
    let (client, key) = (client.clone(), format!("set-up-{}", client.reference));
    let made = match adapter {
        AdapterName::CoreBanking => adapters.upsert_customer(client, &key).await,
        AdapterName::Crm => adapters.upsert_contact(client, &key).await,
        _ => adapters.provision(client, &key).await,
    };
    made.map(|receipt| receipt.external_id)
}

/// Makes the call.
///
/// # Errors
/// As the component says.
pub async fn perform(
    adapters: &Adapters,
    adapter: AdapterName,
    act: Act,
    scene: &Scene,
    key: &str,
) -> Result<Answered, CallError> {
    let (client, id, reason) = (scene.client.clone(), scene.id.as_str(), "closed by the client");
    match act {
        Act::Health => adapters
            .check_health(adapter)
            .await
            .map(|health| Answered { text: format!("health with `ok = {}`", health.ok), well: health.ok }),
        Act::Create | Act::Again => match adapter {
            AdapterName::CoreBanking => adapters.upsert_customer(client, key).await.map(receipt),
            AdapterName::Crm => adapters.upsert_contact(client, key).await.map(receipt),
            AdapterName::Kyc => {
                adapters.verify(client, vec![document()], key).await.map(|verdict| plain(said(&verdict)))
            }
            _ => adapters.provision(client, key).await.map(receipt),
        },
        Act::Update => adapters.update_identity(id, client, key).await.map(receipt),
        Act::End => match adapter {
            AdapterName::CoreBanking => adapters.close_customer(id, reason, key).await.map(receipt),
            AdapterName::Crm => adapters.archive_contact(id, reason, key).await.map(receipt),
            _ => adapters.disable_identity(id, reason, key).await.map(receipt),
        },
        Act::Read => match adapter {
            AdapterName::CoreBanking => {
                adapters.list_accounts(id).await.map(|accounts| plain(format!("{} accounts", accounts.len())))
            }
            AdapterName::Crm => {
                let told = adapters.relationship(id).await;
                told.map(|about| plain(format!("a relationship with {} open cases", about.open_cases)))
            }
            _ => adapters.list_devices(id).await.map(|devices| plain(format!("{} devices", devices.len()))),
        },
        Act::CaseStatus => adapters.case_status(&scene.case).await.map(|verdict| plain(said(&verdict))),
        Act::Document => {
            let verdict = adapters.submit_document(client, document(), CONTENT.to_vec(), key).await;
            verdict.map(|verdict| plain(of_document(&verdict)))
        }
        Act::DeviceState => {
            let state = DeviceState { active: false, locked: true, reason: Some("lost".to_owned()) };
            adapters.set_device_state(&scene.device, state, key).await.map(receipt)
        }
        Act::Transfer => adapters.transfer_device(&scene.device, id, &scene.other_id, key).await.map(receipt),
        Act::ResetPin => {
            let reset = adapters.reset_pin(&scene.device, key).await;
            reset.map(|reset| plain(format!("a reset `{}`", reset.id)))
        }
        Act::Mail => adapters.send_message(message(&client, Channel::Email), key).await.map(receipt),
        Act::Text => adapters.send_message(message(&client, Channel::Sms), key).await.map(receipt),
    }
}

/// A PDF, as far as its first bytes tell.
const CONTENT: &[u8] = b"%PDF-1.7 conformance";

fn document() -> Document {
    Document {
        id: "DC-1".to_owned(),
        document_type: "passport".to_owned(),
        media_type: "application/pdf".to_owned(),
        digest: crate::adapters::Digest::of(CONTENT).to_string().trim_start_matches("sha256:").to_owned(),
        size: u64::try_from(CONTENT.len()).unwrap_or_default(),
        submitted_at: "2026-03-01T10:00:00.000Z".to_owned(),
    }
}

/// As the hub sends it, with the variables that `messaging.wit` names.
fn message(client: &Profile, prefer: Channel) -> Message {
    let by_mail = prefer == Channel::Email;
    let name = Variable { name: "name".to_owned(), value: Value::Name(client.name.clone()) };
    let moment = Variable { name: "at".to_owned(), value: Value::Moment("2026-03-01T10:00:00.000Z".to_owned()) };
    let client_reference = Variable { name: "client".to_owned(), value: Value::Reference(client.reference.clone()) };
    Message {
        template: Template::Welcome,
        language: client.language.clone().unwrap_or_else(|| "en".to_owned()),
        prefer,
        to: Recipient {
            name: client.name.clone(),
            email: by_mail.then(|| "ada@moss.example".to_owned()),
            phone: (!by_mail).then(|| "+442079460001".to_owned()),
        },
        variables: vec![name, client_reference, moment],
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Approved(_) => "approved".to_owned(),
        Verdict::Rejected(reasons) => format!("rejected for {} reasons", reasons.len()),
        Verdict::NeedsDocuments(types) => format!("{} documents are needed", types.len()),
        Verdict::Pending(_) => "pending".to_owned(),
    }
}

fn of_document(verdict: &DocumentVerdict) -> String {
    match verdict {
        DocumentVerdict::Verified => "verified".to_owned(),
        DocumentVerdict::Refused(why) => format!("refused: {why}"),
        DocumentVerdict::Pending => "pending".to_owned(),
    }
}
