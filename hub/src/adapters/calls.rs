//! Every function of every world as a typed call. No decisions here: names, arguments, results.
//!
//! `key` is the idempotency key of the delivery. All of them fail with [`CallError`].

use super::bindings::core_banking::{CoreBankingAdapter, exports::backoffice::adapter::core_banking::Account};
use super::bindings::crm::{CrmAdapter, exports::backoffice::adapter::crm::RelationshipSummary};
use super::bindings::identity::IdentityAdapter;
use super::bindings::identity::exports::backoffice::adapter::identity::{Device, DeviceState, PinReset};
use super::bindings::kyc::KycAdapter;
use super::bindings::kyc::exports::backoffice::adapter::kyc::{Document, DocumentVerdict, Verdict};
use super::bindings::messaging::{MessagingAdapter, exports::backoffice::adapter::messaging::Message};
use super::bindings::types::{Health, Profile, Receipt};
use super::world::World;
use super::{AdapterName, Adapters, CallError};

/// The arguments move into the call, since it runs on another thread. What only reads is said so.
macro_rules! call {
    ($adapters:expr, $world:ty, $interface:ident, $function:literal, $call:ident ( $($argument:expr),* )) => {
        call!(@call $adapters, $world, $interface, $function, $call($($argument),*))
    };
    (reads $adapters:expr, $world:ty, $interface:ident, $function:literal, $call:ident ( $($argument:expr),* )) => {
        call!(@read $adapters, $world, $interface, $function, $call($($argument),*))
    };
    (@$how:ident $adapters:expr, $world:ty, $interface:ident, $function:literal, $call:ident ( $($argument:expr),* )) => {
        $adapters
            .$how::<$world, _, _>($function, move |world, store| {
                Box::pin(async move { world.$interface().$call(store, $(&$argument),*).await })
            })
            .await
    };
}

/// Core banking.
impl Adapters {
    /// Creates the customer or brings it up to this version.
    pub async fn upsert_customer(&self, profile: Profile, key: &str) -> Result<Receipt, CallError> {
        let key = key.to_owned();
        call!(
            self,
            CoreBankingAdapter,
            backoffice_adapter_core_banking,
            "upsert-customer",
            call_upsert_customer(profile, key)
        )
    }

    /// Closes the customer.
    pub async fn close_customer(&self, external_id: &str, reason: &str, key: &str) -> Result<Receipt, CallError> {
        let (id, reason, key) = (external_id.to_owned(), reason.to_owned(), key.to_owned());
        call!(
            self,
            CoreBankingAdapter,
            backoffice_adapter_core_banking,
            "close-customer",
            call_close_customer(id, reason, key)
        )
    }

    /// The customer's accounts as they are now.
    pub async fn list_accounts(&self, external_id: &str) -> Result<Vec<Account>, CallError> {
        let id = external_id.to_owned();
        call!(reads self, CoreBankingAdapter, backoffice_adapter_core_banking, "list-accounts", call_list_accounts(id))
    }
}

/// CRM.
impl Adapters {
    /// Creates the contact or brings it up to this version.
    pub async fn upsert_contact(&self, profile: Profile, key: &str) -> Result<Receipt, CallError> {
        let key = key.to_owned();
        call!(self, CrmAdapter, backoffice_adapter_crm, "upsert-contact", call_upsert_contact(profile, key))
    }

    /// Marks the contact as archived.
    pub async fn archive_contact(&self, external_id: &str, reason: &str, key: &str) -> Result<Receipt, CallError> {
        let (id, reason, key) = (external_id.to_owned(), reason.to_owned(), key.to_owned());
        call!(self, CrmAdapter, backoffice_adapter_crm, "archive-contact", call_archive_contact(id, reason, key))
    }

    /// What the CRM knows of the relationship now.
    pub async fn relationship(&self, external_id: &str) -> Result<RelationshipSummary, CallError> {
        let id = external_id.to_owned();
        call!(reads self, CrmAdapter, backoffice_adapter_crm, "relationship", call_relationship(id))
    }
}

/// KYC.
impl Adapters {
    /// Screens the client.
    pub async fn verify(&self, profile: Profile, documents: Vec<Document>, key: &str) -> Result<Verdict, CallError> {
        let key = key.to_owned();
        call!(self, KycAdapter, backoffice_adapter_kyc, "verify", call_verify(profile, documents, key))
    }

    /// How a case stands that an earlier verdict named.
    pub async fn case_status(&self, id: &str) -> Result<Verdict, CallError> {
        let id = id.to_owned();
        call!(reads self, KycAdapter, backoffice_adapter_kyc, "case-status", call_case_status(id))
    }

    /// Hands a document over.
    pub async fn submit_document(
        &self,
        profile: Profile,
        document: Document,
        content: Vec<u8>,
        key: &str,
    ) -> Result<DocumentVerdict, CallError> {
        let key = key.to_owned();
        call!(
            self,
            KycAdapter,
            backoffice_adapter_kyc,
            "submit-document",
            call_submit_document(profile, document, content, key)
        )
    }
}

/// Identity.
impl Adapters {
    /// Creates the identity of the client, or finds the one that is there.
    pub async fn provision(&self, profile: Profile, key: &str) -> Result<Receipt, CallError> {
        let key = key.to_owned();
        call!(self, IdentityAdapter, backoffice_adapter_identity, "provision", call_provision(profile, key))
    }

    /// Brings the identity up to this version.
    pub async fn update_identity(&self, external_id: &str, profile: Profile, key: &str) -> Result<Receipt, CallError> {
        let (id, key) = (external_id.to_owned(), key.to_owned());
        call!(self, IdentityAdapter, backoffice_adapter_identity, "update", call_update(id, profile, key))
    }

    /// Disables the identity.
    pub async fn disable_identity(&self, external_id: &str, reason: &str, key: &str) -> Result<Receipt, CallError> {
        let (id, reason, key) = (external_id.to_owned(), reason.to_owned(), key.to_owned());
        call!(self, IdentityAdapter, backoffice_adapter_identity, "disable", call_disable(id, reason, key))
    }

    /// The devices enrolled for an identity.
    pub async fn list_devices(&self, external_id: &str) -> Result<Vec<Device>, CallError> {
        let id = external_id.to_owned();
        call!(reads self, IdentityAdapter, backoffice_adapter_identity, "list-devices", call_list_devices(id))
    }

    /// Sets what the device may do.
    pub async fn set_device_state(&self, device_id: &str, state: DeviceState, key: &str) -> Result<Receipt, CallError> {
        let (id, key) = (device_id.to_owned(), key.to_owned());
        call!(
            self,
            IdentityAdapter,
            backoffice_adapter_identity,
            "set-device-state",
            call_set_device_state(id, state, key)
        )
    }

    /// Moves the device from one identity to another.
    pub async fn transfer_device(
        &self,
        device_id: &str,
        from: &str,
        to: &str,
        key: &str,
    ) -> Result<Receipt, CallError> {
        let (id, from, to, key) = (device_id.to_owned(), from.to_owned(), to.to_owned(), key.to_owned());
        call!(
            self,
            IdentityAdapter,
            backoffice_adapter_identity,
            "transfer-device",
            call_transfer_device(id, from, to, key)
        )
    }

    /// Has a new PIN issued to the owner of the device.
    pub async fn reset_pin(&self, device_id: &str, key: &str) -> Result<PinReset, CallError> {
        let (id, key) = (device_id.to_owned(), key.to_owned());
        call!(self, IdentityAdapter, backoffice_adapter_identity, "reset-pin", call_reset_pin(id, key))
    }
}

/// Messaging.
impl Adapters {
    /// Sends the message.
    pub async fn send_message(&self, message: Message, key: &str) -> Result<Receipt, CallError> {
        let key = key.to_owned();
        call!(self, MessagingAdapter, backoffice_adapter_messaging, "send", call_send(message, key))
    }
}

/// All of them.
impl Adapters {
    /// How the outside system behind an adapter is.
    pub async fn check_health(&self, name: AdapterName) -> Result<Health, CallError> {
        match name {
            AdapterName::CoreBanking => self.health_of::<CoreBankingAdapter>().await,
            AdapterName::Crm => self.health_of::<CrmAdapter>().await,
            AdapterName::Kyc => self.health_of::<KycAdapter>().await,
            AdapterName::Identity => self.health_of::<IdentityAdapter>().await,
            AdapterName::Messaging => self.health_of::<MessagingAdapter>().await,
        }
    }

    async fn health_of<W: World>(&self) -> Result<Health, CallError> {
        self.read::<W, _, _>("check-health", |world, store| Box::pin(world.check_health(store))).await
    }
}
