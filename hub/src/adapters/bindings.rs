//! The types and calls generated from `wit/`: one Rust type for each WIT type, shared by all five worlds.
//!
//! The first module is the host's side, with every interface that a component may import; the worlds point back to it,
//! so that a `Profile` for one adapter is a `Profile` for all.

#![allow(missing_docs, reason = "documented in the WIT that it is generated from")]

/// What the hub offers to components.
mod host {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package backoffice:hub;

            world host {
                import backoffice:adapter/types@1.0.0;
                import backoffice:adapter/http@1.0.0;
                import backoffice:adapter/settings@1.0.0;
                import backoffice:adapter/log@1.0.0;
                import backoffice:adapter/store@1.0.0;
            }
        ",
        world: "backoffice:hub/host",
        imports: { "backoffice:adapter/http.send": async | trappable, default: trappable },
        additional_derives: [PartialEq],
    });
}

pub use host::Host_ as HostWorld;
pub use host::backoffice::adapter::{http, log, settings, store, types};

/// One world: what a component of this kind exports.
macro_rules! world {
    ($module:ident, $world:literal) => {
        pub mod $module {
            wasmtime::component::bindgen!({
                path: "../wit",
                world: $world,
                exports: { default: async },
                additional_derives: [PartialEq],
                with: {
                    "backoffice:adapter/types": crate::adapters::bindings::types,
                    "backoffice:adapter/http": crate::adapters::bindings::http,
                    "backoffice:adapter/settings": crate::adapters::bindings::settings,
                    "backoffice:adapter/log": crate::adapters::bindings::log,
                    "backoffice:adapter/store": crate::adapters::bindings::store,
                },
            });
        }
    };
}

world!(core_banking, "core-banking-adapter");
world!(crm, "crm-adapter");
world!(kyc, "kyc-adapter");
world!(identity, "identity-adapter");
world!(messaging, "messaging-adapter");
