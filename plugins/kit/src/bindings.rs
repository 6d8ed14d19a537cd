//! Made from `wit/`: the contract's shared types and the hub's own interfaces.
//!
//! Generated once, here, so that every adapter has the *same* `Profile` and `Disposition`: an adapter's own
//! `generate!` maps these interfaces to this module in its `with`. Nothing else belongs in this file.
#![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]

wit_bindgen::generate!({
    path: "../../wit",
    inline: r"
        package backoffice:kit;

        world imports {
            import backoffice:adapter/types@1.0.0;
            import backoffice:adapter/http@1.0.0;
            import backoffice:adapter/settings@1.0.0;
            import backoffice:adapter/log@1.0.0;
            import backoffice:adapter/store@1.0.0;
        }
    ",
    world: "backoffice:kit/imports",
    generate_all,
    additional_derives: [PartialEq],
});
