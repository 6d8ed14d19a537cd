//! An OpenID Connect issuer on loopback: keys of every accepted kind, published as a JWKS, and tokens signed with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Publishes a key set.
pub struct Issuer {
    pub url: String,
    document: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    /// One that publishes these keys.
    pub async fn start(keys: &Keys) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (document, asked) = (Arc::new(Mutex::new(keys.jwks())), Arc::new(AtomicUsize::new(0)));
        let (serves, counts) = (Arc::clone(&document), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::SeqCst);
                let body = serves.lock().clone();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                tokio::spawn(async move {
                    let _ = stream.read(&mut vec![0; 4096]).await;
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                });
            }
        });
        Self { url, document, asked }
    }

    /// Publishes others from now on.
    pub fn publish(&self, keys: &Keys) {
        *self.document.lock() = keys.jwks();
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A key of each kind.
pub struct Keys {
    name: &'static str,
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

fn encode(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

impl Keys {
    /// New ones, whose ids begin with `name`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ed: Ed25519KeyPair::generate().unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        }
    }

    fn jwks(&self) -> String {
        let (x, y) = self.ec.public_key().as_ref()[1..].split_at(32);
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public_key().into();
        let id = |kind: &str| format!("{}-{kind}", self.name);
        let keys = json!([
            {"kty": "OKP", "crv": "Ed25519", "kid": id("EdDSA"), "use": "sig", "x": encode(self.ed.public_key().as_ref())},
            {"kty": "EC", "crv": "P-256", "kid": id("ES256"), "x": encode(x), "y": encode(y)},
            {"kty": "RSA", "kid": id("RS256"), "n": encode(&rsa.n), "e": encode(&rsa.e)},
        ]);
        json!({"keys": keys}).to_string()
    }

    /// A token with these claims.
    pub fn token(&self, algorithm: &str, claims: &Value) -> String {
        let kind = if algorithm == "PS256" { "RS256" } else { algorithm };
        self.signed(&json!({"alg": algorithm, "typ": "at+jwt", "kid": format!("{}-{kind}", self.name)}), claims)
    }

    /// A token with a header of one's own; what is no known algorithm is signed as EdDSA.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &random, message.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match header["alg"].as_str().unwrap_or_default() {
            "ES256" => self.ec.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            _ => self.ed.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encode(signature))
    }
}
