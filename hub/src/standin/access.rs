//! Stand-in until `access` is merged.
#![allow(missing_docs, dead_code, clippy::unused_async)]

#[derive(Debug, Clone)]
pub struct Caller { pub member: String, pub org: String, pub roles: Vec<String> }
#[derive(Debug)]
pub enum TokenError { Invalid(String), Expired }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action { Cl001, Cl002, Cl003, Cl004, Cl005, Cl006, Cl007, Cl008, Cl009, Cl010, Cl011, Cl012, Cl013, Cx001, Cx002, Cx003, Cx004, Cx020, Cx021, Cx030, Cx040 }
impl Action { pub fn as_str(self) -> &'static str { "CL001" } }
#[derive(Debug)]
pub struct Denial { pub action: Action, pub decision_id: String, pub policy: Option<String> }
#[derive(Debug, Clone)]
pub struct Permit { pub caller: std::sync::Arc<Caller>, pub action: Action }
pub struct Tokens;
impl Tokens { pub async fn verify(&self, _bearer: &str) -> Result<std::sync::Arc<Caller>, TokenError> { Err(TokenError::Expired) } }
pub struct Access;
impl Access { pub fn permit(&self, caller: &std::sync::Arc<Caller>, action: Action, _client: Option<&crate::domain::client::Client>) -> Result<Permit, Denial> { Ok(Permit { caller: caller.clone(), action }) } }
