//! The way in for commands: which shard owns a lane, and what must be asked of outside systems before it decides.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::Utc;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::command::{Answer, Ask, CommandError, Done, Filing, Keys, Meta, Order, PinResetView, Upload, not_kept};
use super::desk::Desk;
use super::jobs::Jobs;
use super::mailbox::Mailbox;
use super::shard::Shard;
use super::{ChildSpec, RestartPolicy, Seat, Tree, TreeError, group, supervise};
use crate::access::{Access, Permit};
use crate::domain::delivery::Adapter;
use crate::domain::kyc::{Document, DocumentStatus};
use crate::domain::reference::{CLIENT, DOCUMENT, reference};
use crate::domain::refusal::Refusal;
use crate::domain::validate::Draft;
use crate::domain::validate::body::{ActivateBody, LockBody, ResetPinBody, ReviewBody, TransferBody};
use crate::journal::Journal;
use crate::state::{ClientRecord, DeviceRecord, State};
use crate::sync::accounts::{Account, Accounts, AccountsView, is_being_created};
use crate::sync::documents::Documents;
use crate::telemetry::TraceContext;

/// Shards of clients, and of devices. Their work is short; what takes time is the journal, which is shared.
const SHARDS: usize = 2;
/// Commands that may wait for one shard or be in its hands.
const MAILBOX: usize = 512;

/// Hands commands to the shards. Cheap to clone.
#[derive(Clone)]
pub struct Commands(Arc<Parts>);

struct Parts {
    clients: Vec<Mailbox<Shard>>,
    devices: Vec<Mailbox<Shard>>,
    desk: Arc<Desk>,
    accounts: Accounts,
    keys: Keys,
    jobs: Jobs,
    documents: Documents,
    open_accounts_block_archive: bool,
}

/// What the shards work with.
pub struct Shards {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// What is so.
    pub state: State,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Asks core banking.
    pub accounts: Accounts,
    /// The contents of documents.
    pub documents: Documents,
    /// Accounts with a balance stand in the way of archiving.
    pub open_accounts_block_archive: bool,
}

pub(super) type Outcome<T> = Result<Answer<T>, CommandError>;

impl Commands {
    /// Starts the shards below their groups in the tree.
    ///
    /// # Errors
    /// The tree refuses a name.
    pub fn start(tree: &Tree, shards: Shards) -> Result<Self, TreeError> {
        let Shards { journal, state, access, accounts, documents, open_accounts_block_archive } = shards;
        let desk = Arc::new(Desk { journal, state, access });
        Ok(Self(Arc::new(Parts {
            clients: supervised(tree, "clients", &desk)?,
            devices: supervised(tree, "devices", &desk)?,
            desk,
            accounts,
            keys: Keys::default(),
            jobs: Jobs::default(),
            documents,
            open_accounts_block_archive,
        })))
    }

    /// CL003. Takes a place in the shard that will own the client, but is carried out here: nobody can know the reference
    /// yet, so there is no command to wait for or to keep waiting, and who is the first is settled by the journal's claims.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create(&self, permit: Permit, meta: Meta, draft: Draft) -> Outcome<Arc<ClientRecord>> {
        let ask = self.order(reference(CLIENT, Uuid::now_v7()), (permit, meta), Order::Create(Box::new(draft)))?;
        let _place = owner(&self.0.clients, &ask.lane)?.place()?;
        client(self.0.desk.carry_out(&ask).await)
    }

    /// CL004.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn edit(
        &self,
        (permit, meta): (Permit, Meta),
        reference: &str,
        if_match: Option<u64>,
        draft: Draft,
    ) -> Outcome<Arc<ClientRecord>> {
        let order = Order::Edit { if_match, draft: Box::new(draft) };
        client(self.on_client(reference.to_owned(), permit, meta, order).await)
    }

    /// CL005.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn archive(
        &self,
        (permit, meta): (Permit, Meta),
        reference: &str,
        if_match: Option<u64>,
        reason: Option<String>,
    ) -> Outcome<Arc<ClientRecord>> {
        // Asked outside the shard, so that no other command waits for core banking; the version that was read must still hold.
        let asked = self.may_archive(permit.org(), reference).await?;
        let order = Order::Archive { if_match: if_match.or(asked), reason };
        client(self.on_client(reference.to_owned(), permit, meta, order).await)
    }

    async fn may_archive(&self, org: &str, reference: &str) -> Result<Option<u64>, CommandError> {
        let parts = &self.0;
        let banked = parts.desk.state.configured().contains(&Adapter::CoreBanking);
        if !parts.open_accounts_block_archive || !banked {
            return Ok(None);
        }
        let record = parts.desk.state.client(org, reference).ok_or(Refusal::ClientNotFound)?;
        if record.client.status.is_gone() {
            return Ok(None);
        }
        if is_being_created(&record) {
            return Err(CommandError::OnboardingInProgress);
        }
        let view = parts.accounts.live(&record).await.map_err(|error| unavailable(&error))?;
        if view.items.iter().any(Account::has_balance) {
            return Err(CommandError::HasOpenAccounts);
        }
        Ok(Some(record.client.version))
    }

    /// CX004.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn review(
        &self,
        permit: Permit,
        meta: Meta,
        reference: &str,
        body: ReviewBody,
    ) -> Outcome<Arc<ClientRecord>> {
        client(self.on_client(reference.to_owned(), permit, meta, Order::Review(body)).await)
    }

    /// CX003.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn submit_document(
        &self,
        permit: Permit,
        meta: Meta,
        reference: &str,
        upload: Upload,
    ) -> Outcome<Document> {
        let filing = self.stage(upload).await?;
        let done = self.on_client(reference.to_owned(), permit, meta, Order::Document(Arc::new(filing))).await?;
        expect(done, |done| if let Done::Document(document) = done { Some(document) } else { None })
    }

    async fn stage(&self, upload: Upload) -> Result<Filing, CommandError> {
        if !self.0.desk.journal.has_room() {
            return Err(CommandError::StorageUnavailable);
        }
        let digest = hex::encode(Sha256::digest(&upload.content));
        let size = upload.content.len() as u64;
        let content = self.0.documents.stage(&digest, upload.content).await.map_err(|error| not_kept(&error))?;
        let document = Document {
            id: crate::domain::reference::reference(DOCUMENT, Uuid::now_v7()),
            document_type: upload.document_type,
            status: DocumentStatus::Pending,
            reason: None,
            media_type: upload.media_type,
            digest,
            size,
            submitted_at: Utc::now(),
            checked_at: None,
        };
        Ok(Filing { document, content })
    }

    /// CL008.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn star(&self, permit: Permit, meta: Meta, reference: &str, starred: Option<bool>) -> Outcome<bool> {
        let done = self.on_client(reference.to_owned(), permit, meta, Order::Star(starred)).await?;
        expect(done, |done| if let Done::Starred(starred) = done { Some(starred) } else { None })
    }

    /// CL010.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn lock(&self, permit: Permit, meta: Meta, body: LockBody) -> Outcome<Arc<DeviceRecord>> {
        device(self.on_device(body.device.clone(), permit, meta, Order::Lock(body)).await)
    }

    /// CL011.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn transfer(&self, permit: Permit, meta: Meta, body: TransferBody) -> Outcome<Arc<DeviceRecord>> {
        device(self.on_device(body.device.clone(), permit, meta, Order::Transfer(body)).await)
    }

    /// CL012.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn activate(&self, permit: Permit, meta: Meta, body: ActivateBody) -> Outcome<Arc<DeviceRecord>> {
        device(self.on_device(body.device.clone(), permit, meta, Order::Activate(body)).await)
    }

    /// CL013.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn reset_pin(&self, permit: Permit, meta: Meta, body: ResetPinBody) -> Outcome<PinResetView> {
        let done = self.on_device(body.device.clone(), permit, meta, Order::ResetPin(body)).await?;
        expect(done, |done| if let Done::Reset(reset) = done { Some(reset) } else { None })
    }

    /// CL006.
    ///
    /// # Errors
    /// There is no such client, or core banking can't be asked and no answer is kept.
    pub async fn accounts(&self, permit: &Permit, reference: &str) -> Result<Arc<AccountsView>, CommandError> {
        let record = self.0.desk.state.client(permit.org(), reference).ok_or(Refusal::ClientNotFound)?;
        self.0.accounts.of(&record).await.map_err(|error| unavailable(&error))
    }

    pub(super) fn state(&self) -> &State {
        &self.0.desk.state
    }

    pub(super) fn journal(&self) -> &Arc<dyn Journal> {
        &self.0.desk.journal
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    pub(super) async fn on_client(&self, lane: String, permit: Permit, meta: Meta, order: Order) -> Outcome<Done> {
        self.ask(&self.0.clients, lane, (permit, meta), order).await
    }

    async fn on_device(&self, lane: String, permit: Permit, meta: Meta, order: Order) -> Outcome<Done> {
        self.ask(&self.0.devices, lane, (permit, meta), order).await
    }

    fn turn(&self, meta: &Meta) -> Result<Option<super::command::KeyTurn>, CommandError> {
        let Some(key) = &meta.key else { return Ok(None) };
        self.0.keys.begin(&key.key).map(Some).ok_or(CommandError::InProgress)
    }

    async fn ask(
        &self,
        shards: &[Mailbox<Shard>],
        lane: String,
        (permit, meta): (Permit, Meta),
        order: Order,
    ) -> Outcome<Done> {
        let ask = self.order(lane, (permit, meta), order)?;
        owner(shards, &ask.lane)?.ask(ask).await?
    }

    fn order(&self, lane: String, (permit, meta): (Permit, Meta), order: Order) -> Result<Ask, CommandError> {
        let (trace, span) = (TraceContext::current(), tracing::Span::current());
        Ok(Ask { turn: self.turn(&meta)?, trace, span, lane, permit, meta, order })
    }
}

/// The shard that owns a lane.
fn owner<'a>(shards: &'a [Mailbox<Shard>], lane: &str) -> Result<&'a Mailbox<Shard>, CommandError> {
    let mut hasher = DefaultHasher::new();
    lane.hash(&mut hasher);
    let count = u64::try_from(shards.len()).unwrap_or(1).max(1);
    let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
    shards.get(index).ok_or(CommandError::ShuttingDown)
}

fn supervised(tree: &Tree, name: &str, desk: &Arc<Desk>) -> Result<Vec<Mailbox<Shard>>, TreeError> {
    group(tree, "", name, RestartPolicy::default())?;
    (0..SHARDS)
        .map(|number| {
            let desk = desk.clone();
            supervise(
                tree,
                name,
                ChildSpec {
                    name: format!("shard-{number}"),
                    mailbox: MAILBOX,
                    seat: Seat::Own,
                    factory: Box::new(move |_| Shard::new(desk.clone())),
                    policy: RestartPolicy::default(),
                },
            )
        })
        .collect()
}

fn unavailable(error: &crate::adapters::CallError) -> CommandError {
    tracing::warn!(adapter = "core-banking", %error, "accounts can't be asked for");
    let retry_after = match error {
        crate::adapters::CallError::Retry { after, .. } => *after,
        _ => None,
    };
    CommandError::AdapterUnavailable { adapter: "core-banking", retry_after }
}

fn client(done: Outcome<Done>) -> Outcome<Arc<ClientRecord>> {
    expect(done?, |done| if let Done::Client(record) = done { Some(record) } else { None })
}

fn device(done: Outcome<Done>) -> Outcome<Arc<DeviceRecord>> {
    expect(done?, |done| if let Done::Device(record) = done { Some(record) } else { None })
}

/// A command comes to what its order says; only a replay of another kind of request could differ, and that is a reused key.
pub(super) fn expect<T>(done: Answer<Done>, pick: impl FnOnce(Done) -> Option<T>) -> Outcome<T> {
    let Answer { value, replayed } = done.map(pick);
    value.map(|value| Answer { value, replayed }).ok_or(CommandError::KeyReused)
}
