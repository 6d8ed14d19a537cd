//! Components from an OCI registry on loopback, which asks for a token as public ones do.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bytes::Bytes;
use http_body_util::Full;
use hub::adapters::{AdapterConfig, AdapterName, AdapterState, Adapters, Digest, PublicKey, Signature};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{component, profile};

const TOKEN: &str = "Bearer pull-token";

/// What the registry holds, by path, and how often it was asked for something.
#[derive(Default)]
struct Shelf {
    held: Mutex<BTreeMap<String, (&'static str, Vec<u8>)>>,
    asked: AtomicUsize,
}

struct Registry {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    task: tokio::task::JoinHandle<()>,
}

impl Registry {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shelf = Arc::new(Shelf::default());
        let kept = Arc::clone(&shelf);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| {
                    let answer = answer(&kept, address, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, shelf, task }
    }

    /// Puts an artifact of these layers (type, file name, bytes) under a tag, and answers with its digest.
    fn push(&self, tag: &str, layers: &[(&'static str, &str, &[u8])]) -> Digest {
        let mut held = self.shelf.held.lock();
        let mut blob = |bytes: &[u8]| {
            let digest = Digest::of(bytes).to_string();
            held.insert(format!("/v2/acme/crm/blobs/{digest}"), ("application/octet-stream", bytes.to_vec()));
            digest
        };
        let layers: Vec<_> = layers
            .iter()
            .map(|(media, title, bytes)| {
                json!({ "mediaType": media, "digest": blob(bytes), "size": bytes.len(),
                        "annotations": { "org.opencontainers.image.title": title } })
            })
            .collect();
        let config = json!({ "mediaType": "application/vnd.wasm.config.v0+json", "digest": blob(b"{}"), "size": 2 });
        let media = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": media, "config": config, "layers": layers });
        let bytes = serde_json::to_vec(&manifest).unwrap();
        let digest = Digest::of(&bytes);
        for name in [tag.to_owned(), digest.to_string()] {
            held.insert(format!("/v2/acme/crm/manifests/{name}"), (media, bytes.clone()));
        }
        digest
    }

    fn asked(&self) -> usize {
        self.shelf.asked.load(Ordering::SeqCst)
    }

    /// Lets nobody in any more.
    async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn answer(shelf: &Shelf, address: SocketAddr, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    shelf.asked.fetch_add(1, Ordering::SeqCst);
    let (path, who) = (request.uri().path(), request.headers().get("authorization").map(|who| who.to_str().unwrap()));
    let say = |status, kind: &str, body: Vec<u8>| {
        Response::builder().status(status).header("content-type", kind).body(Full::from(body)).unwrap()
    };
    if path == "/token" {
        // `bank:s3cret`, or nobody.
        return match who {
            Some("Basic YmFuazpzM2NyZXQ=") => {
                say(StatusCode::OK, "application/json", br#"{"token":"pull-token"}"#.to_vec())
            }
            _ => say(StatusCode::UNAUTHORIZED, "application/json", b"{}".to_vec()),
        };
    }
    if who != Some(TOKEN) {
        let challenge = format!("Bearer realm=\"http://{address}/token\",service=\"registry\"");
        let mut refused = say(StatusCode::UNAUTHORIZED, "application/json", b"{\"errors\":[]}".to_vec());
        refused.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
        return refused;
    }
    match shelf.held.lock().get(path) {
        Some((kind, bytes)) => say(StatusCode::OK, kind, bytes.clone()),
        None if path == "/v2/" => say(StatusCode::OK, "application/json", b"{}".to_vec()),
        None => {
            let unknown = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such thing"}]}"#;
            say(StatusCode::NOT_FOUND, "application/json", unknown.to_vec())
        }
    }
}

/// A hub's adapters with the component of this artifact, more than once with one cache.
struct Bank {
    cache: TempDir,
    registry: SocketAddr,
    more: String,
}

impl Bank {
    fn of(registry: &Registry) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let secret = cache.path().join("secret");
        std::fs::write(&secret, "bank:s3cret").unwrap();
        let more = format!("registry.basic = 'file:{}'\nsettings.behave = 'echo'\n", secret.display());
        Self { cache, registry: registry.address, more }
    }

    async fn load(&self, artifact: &str) -> Adapters {
        let text = format!("component = 'oci://{}/acme/crm{artifact}'\n{}", self.registry, self.more);
        let config: AdapterConfig = toml::from_str(&text).unwrap();
        let configs = BTreeMap::from([(AdapterName::Crm, config)]);
        Adapters::load(&configs, self.cache.path(), None).await.unwrap()
    }

    async fn down(&self, artifact: &str) -> String {
        match self.load(artifact).await.report().remove(0).state {
            AdapterState::Down { reason } => reason,
            other => panic!("{artifact}: {other:?}"),
        }
    }
}

async fn works(adapters: &Adapters) {
    adapters.upsert_contact(profile("Ada"), "key-1").await.unwrap();
}

fn fixture() -> Vec<u8> {
    std::fs::read(component("fixtures/behaviour.wasm")).unwrap()
}

const WASM: &str = "application/wasm";

#[tokio::test]
async fn a_component_is_pulled_by_tag_and_by_digest_and_serves_while_its_registry_is_away() {
    let (registry, bytes) = (Registry::start().await, fixture());
    let digest = registry.push("1.4", &[(WASM, "crm.wasm", &bytes)]);
    let bank = Bank::of(&registry);
    let adapters = bank.load(":1.4").await;
    works(&adapters).await;
    let report = serde_json::to_value(adapters.report().remove(0)).unwrap();
    assert_eq!(report["loaded"]["digest"], Digest::of(&bytes).to_string());
    assert_eq!(report["component"], format!("oci://{}/acme/crm:1.4", registry.address));

    let pinned = format!("@{digest}");
    works(&bank.load(&pinned).await).await;
    let asked = registry.asked();
    works(&bank.load(&pinned).await).await;
    assert_eq!(registry.asked(), asked, "what can't change was asked for again");

    registry.stop().await;
    works(&bank.load(":1.4").await).await;
    works(&bank.load(&pinned).await).await;
    assert!(bank.down(":1.5").await.contains("can't be reached"));
}

#[tokio::test]
async fn a_tag_that_moves_is_followed_by_a_reload() {
    let (registry, bytes) = (Registry::start().await, fixture());
    registry.push("stable", &[(WASM, "crm.wasm", &bytes)]);
    let bank = Bank::of(&registry);
    let adapters = bank.load(":stable").await;
    // The same component with a custom section more is another file.
    let newer = [bytes.as_slice(), &[0, 2, 1, b'x']].concat();
    registry.push("stable", &[(WASM, "crm.wasm", &newer)]);
    let candidate = adapters.prepare(AdapterName::Crm).await.unwrap();
    adapters.take_over(candidate);
    let report = serde_json::to_value(adapters.report().remove(0)).unwrap();
    assert_eq!(report["loaded"]["digest"], Digest::of(&newer).to_string());
    works(&adapters).await;
}

#[tokio::test]
async fn a_signature_is_found_in_the_artifact() {
    let (registry, bytes) = (Registry::start().await, fixture());
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = PublicKey::new(pair.public_key().as_ref());
    let digest = Digest::of(&bytes);
    let signature = Signature::new(digest, &key, pair.sign(&Signature::message(digest)).as_ref());
    let signature = serde_json::to_vec(&signature).unwrap();
    registry.push("signed", &[(WASM, "crm.wasm", &bytes), ("application/json", "crm.wasm.sig", &signature)]);
    registry.push("bare", &[(WASM, "crm.wasm", &bytes)]);
    let mut bank = Bank::of(&registry);
    let file = bank.cache.path().join("acme.pem.pub");
    std::fs::write(&file, key.to_pem()).unwrap();
    bank.more += &format!("trusted_keys = ['{}']", file.display());

    works(&bank.load(":signed").await).await;
    assert!(bank.down(":bare").await.contains("it is not signed"));
}

#[tokio::test]
async fn what_a_registry_should_not_say_is_refused_by_name() {
    let (registry, bytes) = (Registry::start().await, fixture());
    registry.push("none", &[("text/plain", "readme", b"hello")]);
    registry.push("two", &[(WASM, "a.wasm", &bytes), (WASM, "b.wasm", &bytes)]);
    registry.push("false", &[(WASM, "crm.wasm", &bytes)]);
    let another = registry.push("other", &[(WASM, "crm.wasm", b"another")]);
    {
        let mut held = registry.shelf.held.lock();
        let blob = held.get_mut(&format!("/v2/acme/crm/blobs/{}", Digest::of(&bytes))).unwrap();
        blob.1.push(0);
        let index =
            json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [] });
        let index = ("application/vnd.oci.image.index.v1+json", serde_json::to_vec(&index).unwrap());
        held.insert("/v2/acme/crm/manifests/index".to_owned(), index);
        let pinned = format!("/v2/acme/crm/manifests/{another}");
        held.get_mut(&pinned).unwrap().1.push(b' ');
    }
    let bank = Bank::of(&registry);
    for (artifact, expected) in [
        (":none".to_owned(), "one layer of the type `application/wasm` was expected; it has: text/plain"),
        (":two".to_owned(), "it has: application/wasm, application/wasm"),
        (":false".to_owned(), "digest"),
        (":index".to_owned(), "name one of them by its digest"),
        (":missing".to_owned(), "the registry says"),
        (format!("@{another}"), "igest"),
    ] {
        let reason = bank.down(&artifact).await;
        assert!(reason.contains(expected) && reason.contains("acme/crm"), "{artifact}: {reason}");
    }
    let nobody = Bank { more: String::new(), ..bank };
    let reason = nobody.down(":none").await;
    assert!(reason.contains("Not authorized"), "{reason}");
    let file = format!("component = '{}'\nregistry = {{}}", component("fixtures/behaviour.wasm").display());
    let crm = crate::support::Crm::configured(&file, "").await;
    assert!(matches!(crm.report().state, AdapterState::Down { reason } if reason.contains("is a file")));
}
