//! Adapters with the fixture loaded, and a client to call them with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hub::adapters::wit::types::{ClientKind, ClientStatus, Details, Individual, Profile, Receipt};
use hub::adapters::{
    AdapterConfig, AdapterName, AdapterReport, AdapterState, Adapters, CallError, Difference, Refused,
};
use tempfile::TempDir;

/// A component that `make plugins` has built.
pub fn component(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist").join(name);
    assert!(path.exists(), "{} is missing: run `make plugins` first", path.display());
    path
}

/// One CRM adapter, and the folder for its compiled code.
pub struct Crm {
    pub adapters: Adapters,
    _cache: TempDir,
}

impl Crm {
    /// Loads the fixture with this behaviour and more lines of configuration.
    pub async fn behaving(behave: &str, more: &str) -> Self {
        let component = component("fixtures/behaviour.wasm");
        Self::configured(&format!("component = '{}'\n{more}\nsettings.behave = '{behave}'\n", component.display()), "")
            .await
    }

    /// As [`Crm::behaving`], with the endpoint `api` at this URL and more lines for it.
    pub async fn calling(behave: &str, url: &str, endpoint: &str, more: &str) -> Self {
        let component = component("fixtures/behaviour.wasm");
        Self::configured(
            &format!("component = '{}'\n{more}\nsettings.behave = '{behave}'\n", component.display()),
            &format!("[endpoints.api]\nurl = '{url}'\nprivate = true\n{endpoint}\n"),
        )
        .await
    }

    /// Loads whatever this configuration says.
    pub async fn configured(adapter: &str, endpoints: &str) -> Self {
        let config: AdapterConfig = toml::from_str(&format!("{adapter}\n{endpoints}")).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let configs = BTreeMap::from([(AdapterName::Crm, config)]);
        let adapters = Adapters::load(&configs, cache.path(), None).await.unwrap();
        Self { adapters, _cache: cache }
    }

    /// Loads the file again and lets it take over.
    pub async fn reload(&self) -> Result<Difference, Refused> {
        let candidate = self.adapters.prepare(AdapterName::Crm).await?;
        let difference = candidate.difference.clone();
        self.adapters.take_over(candidate);
        Ok(difference)
    }

    pub async fn upsert(&self) -> Result<Receipt, CallError> {
        self.adapters.upsert_contact(profile("Ada"), "key-1").await
    }

    pub fn report(&self) -> AdapterReport {
        self.adapters.report().remove(0)
    }
}

/// A client of this name.
pub fn profile(name: &str) -> Profile {
    Profile {
        reference: "CL-01".to_owned(),
        external_reference: None,
        organisation: "demo".to_owned(),
        version: 1,
        kind: ClientKind::Individual,
        status: ClientStatus::Active,
        name: name.to_owned(),
        details: Details::Individual(Individual {
            given_name: name.to_owned(),
            family_name: "Lovelace".to_owned(),
            date_of_birth: "1815-12-10".to_owned(),
            nationality: "GB".to_owned(),
            national_id: "AL-1".to_owned(),
        }),
        email: None,
        phone: None,
        address: None,
        segment: None,
        language: None,
        tags: Vec::new(),
        assigned_to: Vec::new(),
        external_id: None,
        created_at: "2026-01-01T00:00:00.000Z".to_owned(),
        updated_at: "2026-01-01T00:00:00.000Z".to_owned(),
    }
}

/// Why its adapter is down.
pub fn down(crm: &Crm) -> String {
    match crm.report().state {
        AdapterState::Down { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// The text of a call that must be retried.
pub fn retry(result: Result<Receipt, CallError>) -> String {
    match result {
        Err(CallError::Retry { why, .. }) => why,
        other => panic!("expected a retry, got {other:?}"),
    }
}

/// The text of a call whose outcome is unknown.
pub fn unknown(result: Result<Receipt, CallError>) -> String {
    match result {
        Err(CallError::Unknown(why)) => why,
        other => panic!("expected an unknown outcome, got {other:?}"),
    }
}
