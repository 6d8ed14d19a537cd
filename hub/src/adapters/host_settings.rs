//! `settings.get`: what the operator wrote under `[adapters.<name>.settings]`, and nothing else.

use super::bindings::settings::Host;
use super::guest::Guest;

impl Host for Guest {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.grants.settings.get(&name).cloned())
    }
}
