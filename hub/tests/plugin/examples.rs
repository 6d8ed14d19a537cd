//! The adapters in other languages hold against the simulated outside systems, as the bundled ones do.

use crate::bundled::component_holds;
use crate::support::{example, repository};

async fn holds(name: &'static str, systems: &'static [(&'static str, &'static str)]) {
    if let Some(component) = example(name) {
        component_holds(component, repository().join("examples").join(name), systems).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crm_in_python() {
    holds("crm-python", &[("api", "espocrm")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messaging_in_javascript() {
    holds("messaging-js", &[("mail", "mail"), ("sms", "sms")]).await;
}
