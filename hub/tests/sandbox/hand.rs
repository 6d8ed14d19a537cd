//! Components written by hand, for what no compiler makes: a core module in text behind the world of a CRM adapter.
//!
//! Every function of it answers with the zeroes that its memory begins with, which the contract's types read as a
//! success with empty texts; only `describe` has a name, a version and the endpoint `api`, and `upsert-contact` does
//! what the test says.

use std::path::Path;

use tempfile::TempDir;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::support::Crm;

/// The parts of WASI p2 that are tried.
const WASI: &str = include_str!("wasi.wit");

/// A resource of its own.
const MADE: &str = r#"
    (import "[export]tests:hand/made" "[resource-new]made" (func $made (param i32) (result i32)))
    (func (export "tests:hand/made#[constructor]made") (result i32) (call $made (i32.const 1)))"#;

/// What is written by hand.
#[derive(Default)]
pub struct Hand<'a> {
    /// Interfaces that it imports beside those of the contract, each `wasi:…@0.2.0`.
    pub wasi: &'a [&'a str],
    /// Whether it exports a resource of its own, `made` in `tests:hand/made`.
    pub makes: bool,
    /// What stands before the module's memory: its imports.
    pub imports: &'a str,
    /// What stands beside its functions: tables, memories, globals, functions.
    pub more: &'a str,
    /// What `upsert-contact` does; an address of its answer is left on the stack. At 0 is a success with an empty
    /// external id, which the hub refuses.
    pub upsert: &'a str,
    /// What `cabi_realloc` does first.
    pub realloc: &'a str,
}

impl Hand<'_> {
    fn module(&self) -> String {
        let Self { imports, more, upsert, realloc, .. } = self;
        let made = if self.makes { MADE } else { "" };
        format!(
            r#"(module
                {imports}
                {made}
                (memory (export "memory") 4)
                (global $top (mut i32) (i32.const 65536))
                {more}
                (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32)
                    (result i32) (local $at i32)
                    {realloc}
                    (local.set $at (i32.and
                        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
                        (i32.sub (i32.const 0) (local.get $align))))
                    (global.set $top (i32.add (local.get $at) (local.get $size)))
                    (local.get $at))
                ;; A receipt whose external id is this text.
                (func $say (param $text i32) (param $length i32) (result i32)
                    (i32.store (i32.const 520) (local.get $text))
                    (i32.store (i32.const 524) (local.get $length))
                    (i32.const 512))
                ;; A receipt whose external id is one character, `0` for 0.
                (func $digit (param $number i32) (result i32)
                    (i32.store8 (i32.const 600) (i32.add (i32.const 48) (local.get $number)))
                    (call $say (i32.const 600) (i32.const 1)))
                (data (i32.const 0xf000) "\60\f0\00\00\04\00\00\00\68\f0\00\00\05\00\00\00")
                (data (i32.const 0xf060) "hand\00\00\00\001.0.0")
                (data (i32.const 0xf020) "\40\f0\00\00\01\00\00\00")
                (data (i32.const 0xf040) "\48\f0\00\00\03\00\00\00api")
                (func (export "backoffice:adapter/crm@1.0.0#describe") (result i32) (i32.const 0xf000))
                (func (export "backoffice:adapter/crm@1.0.0#check-health") (result i32) (i32.const 0))
                (func (export "backoffice:adapter/crm@1.0.0#upsert-contact") (param i32) (result i32) {upsert})
                (func (export "backoffice:adapter/crm@1.0.0#archive-contact") (param i32 i32 i32 i32 i32 i32)
                    (result i32) (i32.const 0))
                (func (export "backoffice:adapter/crm@1.0.0#relationship") (param i32 i32) (result i32) (i32.const 0)))"#
        )
    }

    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let mut resolve = Resolve::default();
        resolve.push_dir(wit).unwrap();
        let imports: String = self.wasi.iter().map(|name| format!("import {name};\n")).collect();
        let made = if self.makes { "export made;" } else { "" };
        let world = format!(
            "package tests:hand;\n{WASI}\ninterface made {{ resource made {{ constructor(); }} }}
            world hand {{ include backoffice:adapter/crm-adapter@1.0.0; {imports} {made} }}"
        );
        let package = resolve.push_str("hand.wit", &world).unwrap();
        let world = resolve.select_world(&[package], Some("hand")).unwrap();
        let mut module = wat::parse_str(self.module()).unwrap_or_else(|error| panic!("{error}\n{}", self.module()));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        plugin_build::componentize(&module).unwrap()
    }

    /// Loads it as the CRM adapter, with more lines of configuration.
    pub async fn load(&self, more: &str) -> Crm {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("hand.wasm");
        std::fs::write(&file, self.component()).unwrap();
        Crm::configured(&format!("component = '{}'\n{more}", file.display()), "").await
    }
}
