//! Who calls, as a verified token says. Nothing else makes a caller.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// A member of an organisation, with what the token says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    member: String,
    org: String,
    roles: Vec<String>,
    /// Sorted.
    clients: Vec<String>,
    apps: BTreeMap<String, String>,
    expires_at: DateTime<Utc>,
}

impl Caller {
    /// Only a verified token, and a question that leads to no permit, may speak for a member.
    pub(super) fn new(member: String, org: String, expires_at: DateTime<Utc>) -> Self {
        let (roles, clients, apps) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { member, org, roles, clients, apps, expires_at }
    }

    /// With these roles and assigned clients.
    pub(super) fn with(mut self, roles: Vec<String>, mut clients: Vec<String>) -> Self {
        clients.sort_unstable();
        clients.dedup();
        (self.roles, self.clients) = (roles, clients);
        self
    }

    /// With the organisation's subscriptions.
    pub(super) fn with_apps(mut self, apps: BTreeMap<String, String>) -> Self {
        self.apps = apps;
        self
    }

    /// The member's id.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The organisation that the member acts in.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The role codes, known or not; unknown ones grant nothing.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The references that the token assigns to the member, sorted.
    #[must_use]
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// Whether the token assigns `reference` to the member.
    #[must_use]
    pub fn has_client(&self, reference: &str) -> bool {
        self.clients.binary_search_by(|client| client.as_str().cmp(reference)).is_ok()
    }

    /// How the organisation's subscriptions stand.
    pub(super) const fn apps(&self) -> &BTreeMap<String, String> {
        &self.apps
    }

    /// How the organisation's subscription to `app` stands, for example `active`.
    #[must_use]
    pub fn app(&self, app: &str) -> Option<&str> {
        self.apps.get(app).map(String::as_str)
    }

    /// Until when the token holds, clock skew not counted.
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> u64 {
        let listed: usize = self.roles.iter().chain(&self.clients).map(|text| text.len() + 24).sum();
        let apps: usize = self.apps.iter().map(|(app, state)| app.len() + state.len() + 64).sum();
        (256 + self.member.len() + self.org.len() + listed + apps) as u64
    }
}
