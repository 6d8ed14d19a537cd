//! The simulated outside systems, spoken to over their own control routes.

use std::sync::Arc;

use backends::Backends;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// All five systems on one port.
pub struct Outside {
    /// `http://…`
    pub url: String,
    http: reqwest::Client,
    stop: CancellationToken,
}

impl Outside {
    /// Starts them.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(backends::serve(listener, Arc::new(Backends::new(7)), stop.clone().cancelled_owned()));
        Self { url, http: reqwest::Client::new(), stop }
    }

    /// Those that listen there already, in a process of their own.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: reqwest::Client::new(), stop: CancellationToken::new() }
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        assert!(response.status().is_success(), "{path} {body}: {}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// What one system holds of a client.
    pub async fn state(&self, system: &str, reference: &str) -> Value {
        let reference = encoded(reference);
        self.get(&format!("/control/state?system={system}&reference={reference}")).await["systems"][system].clone()
    }

    /// What was done under a reference (a client's, an address, a number), in order.
    pub async fn effects(&self, system: &str, reference: &str) -> Vec<Value> {
        let reference = encoded(reference);
        let found = self.get(&format!("/control/effects?system={system}&reference={reference}")).await;
        found["effects"].as_array().unwrap().clone()
    }

    /// The kinds of what was done and changed something.
    pub async fn kinds(&self, system: &str, reference: &str) -> Vec<String> {
        let effects = self.effects(system, reference).await;
        let changed = effects.into_iter().filter(|effect| effect["changed"] == true);
        changed.map(|effect| effect["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// Switches a disturbance on.
    pub async fn fault(&self, system: &str, fault: Value) {
        self.post("/control", &json!({"system": system, "fault": fault})).await;
    }

    /// All that the systems hold and have done.
    #[allow(dead_code, reason = "for the torture's checker, which shares this harness")]
    pub async fn everything(&self) -> Value {
        self.get("/control/state").await
    }

    /// Switches a system's disturbances off.
    pub async fn heal(&self, system: &str) {
        self.post("/control", &json!({"system": system, "fault": null})).await;
    }

    /// Something happens to a device at the identity system by itself.
    pub async fn device(&self, body: Value) -> Value {
        self.post("/control/devices", &body).await
    }

    /// Sets the balance of all accounts of a customer.
    pub async fn balance(&self, reference: &str, balance: &str) {
        self.post("/control/accounts", &json!({"externalId": reference, "balance": balance})).await;
    }
}

/// As it stands in a query.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
