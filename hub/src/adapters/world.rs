//! The five worlds behind one face: a component that is linked and ready to be instantiated.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::AdapterName;
use super::bindings::types::{Description, Disposition, Health};
use super::bindings::{core_banking, crm, identity, kyc, messaging};
use super::guest::Guest;

/// An instance of a component of one world, and how it comes from a linked one.
pub trait World: Sized + Send + Sync + 'static {
    /// The adapter that implements it.
    const NAME: AdapterName;

    /// Makes an instance; nothing where the linked component is of another world.
    fn instantiate(
        linked: &Linked,
        store: &mut Store<Guest>,
    ) -> impl Future<Output = wasmtime::Result<Option<Self>>> + Send;

    /// What the adapter says of itself.
    fn describe(&self, store: &mut Store<Guest>) -> impl Future<Output = wasmtime::Result<Description>> + Send;

    /// How the outside system is.
    fn check_health(
        &self,
        store: &mut Store<Guest>,
    ) -> impl Future<Output = wasmtime::Result<Result<Health, Disposition>>> + Send;
}

macro_rules! worlds {
    ($($name:ident => $world:path, $pre:path, $interface:ident;)*) => {
        /// A component whose imports are linked and whose exports are known.
        #[derive(Clone)]
        pub enum Linked {
            $(#[doc = "Of the world of this name."] $name($pre),)*
        }

        impl Linked {
            /// Looks the exports of the world up.
            ///
            /// # Errors
            /// An export is missing.
            pub fn new(name: AdapterName, linked: InstancePre<Guest>) -> wasmtime::Result<Self> {
                Ok(match name {
                    $(AdapterName::$name => Self::$name(<$pre>::new(linked)?),)*
                })
            }
        }

        $(impl World for $world {
            const NAME: AdapterName = AdapterName::$name;

            async fn instantiate(linked: &Linked, store: &mut Store<Guest>) -> wasmtime::Result<Option<Self>> {
                match linked {
                    Linked::$name(linked) => linked.instantiate_async(store).await.map(Some),
                    _ => Ok(None),
                }
            }

            async fn describe(&self, store: &mut Store<Guest>) -> wasmtime::Result<Description> {
                self.$interface().call_describe(store).await
            }

            async fn check_health(&self, store: &mut Store<Guest>) -> wasmtime::Result<Result<Health, Disposition>> {
                self.$interface().call_check_health(store).await
            }
        })*
    };
}

worlds! {
    CoreBanking => core_banking::CoreBankingAdapter, core_banking::CoreBankingAdapterPre<Guest>, backoffice_adapter_core_banking;
    Crm => crm::CrmAdapter, crm::CrmAdapterPre<Guest>, backoffice_adapter_crm;
    Kyc => kyc::KycAdapter, kyc::KycAdapterPre<Guest>, backoffice_adapter_kyc;
    Identity => identity::IdentityAdapter, identity::IdentityAdapterPre<Guest>, backoffice_adapter_identity;
    Messaging => messaging::MessagingAdapter, messaging::MessagingAdapterPre<Guest>, backoffice_adapter_messaging;
}

/// The functions of a world, by their WIT names; `describe` and `check-health` are in all of them.
pub fn functions(name: AdapterName) -> &'static [&'static str] {
    match name {
        AdapterName::CoreBanking => &["upsert-customer", "close-customer", "list-accounts"],
        AdapterName::Crm => &["upsert-contact", "archive-contact", "relationship"],
        AdapterName::Kyc => &["verify", "case-status", "submit-document"],
        AdapterName::Identity => {
            &["provision", "update", "disable", "list-devices", "set-device-state", "transfer-device", "reset-pin"]
        }
        AdapterName::Messaging => &["send"],
    }
}
