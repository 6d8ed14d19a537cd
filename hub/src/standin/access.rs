//! Stand-in until `access` is merged.
#![allow(missing_docs, dead_code, clippy::unused_async)]

use std::sync::Arc;

use crate::domain::client::Client;

#[derive(Debug, Clone)]
pub struct Caller { pub member: String, pub org: String, pub roles: Vec<String> }
#[derive(Debug)]
pub enum TokenError { Invalid(String), Expired }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action { Cl001, Cl002, Cl003, Cl004, Cl005, Cl006, Cl007, Cl008, Cl009, Cl010, Cl011, Cl012, Cl013, Cx001, Cx002, Cx003, Cx004, Cx020, Cx021, Cx030, Cx040 }
impl Action { pub fn as_str(self) -> &'static str { "CL001" } }
#[derive(Debug, Clone)]
pub struct Denied { pub action: Action, pub decision_id: String, pub policy: Option<String> }
#[derive(Debug, Clone)]
pub struct Permit { pub caller: Arc<Caller>, pub action: Action }
impl Permit { pub fn org(&self) -> &str { &self.caller.org } }
pub struct Target<'a> { pub reference: &'a str, pub client: Option<&'a Client> }
pub struct Tokens;
impl Tokens {
    pub async fn verify(&self, bearer: &str) -> Result<Arc<Caller>, TokenError> {
        match bearer {
            "expired" => Err(TokenError::Expired),
            "panic" => std::panic::panic_any("boom"),
            "good" => Ok(Arc::new(Caller { member: "m".into(), org: "o".into(), roles: vec!["RP001".into()] })),
            _ => Err(TokenError::Invalid("bad".into())),
        }
    }
}
#[derive(Clone)]
pub struct Access;
impl Access { pub fn permit(&self, caller: &Arc<Caller>, action: Action, _t: Option<Target<'_>>) -> Result<Permit, Denied> { Ok(Permit { caller: caller.clone(), action }) } }
