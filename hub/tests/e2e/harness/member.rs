//! Somebody with a token who asks the hub things.

use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use super::{PATIENCE, PAUSE, Reply, World, encoded, until};

/// A member of an organisation, who is what the token says.
#[derive(Clone)]
pub struct Member<'a> {
    pub world: &'a World,
    pub token: String,
}

impl Member<'_> {
    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.world.http.request(method, format!("{}{path}", self.world.url())).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::read(self.request(Method::POST, path).json(body).send().await.unwrap()).await
    }

    /// With an idempotency key.
    pub async fn post_once(&self, key: &str, path: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(body);
        Reply::read(request.send().await.unwrap()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        Reply::read(self.request(Method::PUT, path).json(body).send().await.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::read(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Sends a request that was made by hand.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        Reply::read(request.send().await.unwrap()).await
    }

    /// A page of clients that a filter finds.
    pub async fn search(&self, filter: &str) -> Reply {
        self.get(&format!("/clients/profile?filter={}", encoded(filter))).await
    }

    /// A client that was accepted.
    pub async fn create(&self, body: &Value) -> Value {
        self.post("/clients/profile", body).await.ok(201)
    }

    /// The client as it is now.
    pub async fn client(&self, reference: &str) -> Value {
        self.get(&format!("/clients/profile/{reference}")).await.ok(200)
    }

    /// The client once it is so.
    pub async fn client_when(&self, reference: &str, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let client = self.client(reference).await;
            if so(&client) {
                return client;
            }
            assert!(started.elapsed() < PATIENCE, "not {what} in {PATIENCE:?}: {client}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The client once it is active and nothing is owed for it.
    pub async fn settled(&self, reference: &str) -> Value {
        self.client_when(reference, "active and settled", |client| client["status"] == "active" && in_step(client))
            .await
    }

    /// A client that was accepted, screened and sent everywhere.
    pub async fn onboard(&self, body: &Value) -> String {
        let reference = self.create(body).await["reference"].as_str().unwrap().to_owned();
        self.settled(&reference).await;
        reference
    }

    /// The client's devices, once the hub knows all that the identity system has.
    pub async fn devices(&self, reference: &str) -> Vec<Value> {
        let path = format!("/clients/device/{reference}");
        until(&format!("the devices of {reference} are known"), || async {
            let outside = self.world.outside.state("scim", reference).await;
            let there = outside["devices"].as_array().unwrap().len();
            let list = self.get(&path).await.ok(200);
            list["items"].as_array().filter(|items| there > 0 && items.len() == there).cloned()
        })
        .await
    }
}

/// Whether every link is synced.
pub fn in_step(client: &Value) -> bool {
    client["sync"].as_object().is_some_and(|links| links.values().all(|link| link["state"] == "synced"))
}
