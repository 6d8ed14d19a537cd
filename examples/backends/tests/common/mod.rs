//! A server on a free port, and requests to it with what each system demands of its clients.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use backends::Backends;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running server; it ends with the test.
pub struct Server {
    pub base: String,
    pub client: Client,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    pub async fn start(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let backends = Arc::new(Backends::new(seed));
        let serving = tokio::spawn(backends::serve(listener, backends, std::future::pending()));
        // No pool: a reset connection must not be the cause of a later request's failure.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Server { base, client, serving }
    }

    /// A request with the credential and headers that the path's system demands.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match path.split('/').nth(1).unwrap() {
            "fineract" => request.basic_auth("mifos", Some("password")).header("Fineract-Platform-TenantId", "default"),
            "espocrm" => request.header("X-Api-Key", "key"),
            "sms" => request.basic_auth("AC1", Some("token")),
            "scim" | "mail" => request.bearer_auth("token"),
            _ => request,
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Response {
        self.request(method, path).json(&body).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answered(self.send(Method::POST, path, body).await).await
    }

    pub async fn fault(&self, system: &str, fault: Value) {
        let (status, body) = self.post("/control", json!({"system": system, "fault": fault})).await;
        assert_eq!(status, 201, "{body}");
    }

    /// The kinds of effects of one reference, in order.
    pub async fn effects(&self, reference: &str) -> Vec<String> {
        let answer = self.get(&format!("/control/effects?reference={reference}")).await;
        let effects = answer["effects"].as_array().unwrap().iter();
        effects.map(|effect| effect["kind"].as_str().unwrap().to_owned()).collect()
    }
}

/// Status and JSON body; `null` for an empty one.
pub async fn answered(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    if body.is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}")))
}
