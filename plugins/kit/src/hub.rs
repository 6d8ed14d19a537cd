//! The hub as an adapter sees it: three things to ask it for, behind a trait so that tests can play it.

use crate::http::{self, HttpFailure, Request, Response};
use crate::log::{self, Level};
use crate::setting_imports;

/// What an adapter asks of the hub.
pub trait Hub {
    /// Sends a request to a configured endpoint and waits for the answer.
    ///
    /// # Errors
    /// Why there is no answer.
    fn send(&self, request: &Request) -> Result<Response, HttpFailure>;

    /// The value of a setting, as text; JSON for what is not a string.
    fn setting(&self, name: &str) -> Option<String>;

    /// Writes a line to the hub's log. Personal data does not belong there.
    fn log(&self, level: Level, message: &str);
}

/// The real hub, through the component's imports. Outside a component its functions can't be called.
#[derive(Debug, Clone, Copy, Default)]
pub struct Imports;

impl Hub for Imports {
    fn send(&self, request: &Request) -> Result<Response, HttpFailure> {
        http::send(request)
    }

    fn setting(&self, name: &str) -> Option<String> {
        setting_imports::get(name)
    }

    fn log(&self, level: Level, message: &str) {
        log::write(level, message);
    }
}
