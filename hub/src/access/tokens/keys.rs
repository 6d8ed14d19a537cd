//! A signed token taken apart, and the keys that it may be signed with (RFC 7515, RFC 7517, RFC 8725).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{TokenError, strict};

/// How many keys an issuer may publish; more are not looked at.
const MAX_KEYS: usize = 128;

/// How many keys are tried for a token that names none.
const MAX_TRIED: usize = 8;

/// A token in three parts, its header understood, nothing verified.
pub(super) struct Jws<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    /// Header and payload as signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        let malformed = || TokenError::invalid("the token is not three base64url parts (RFC 7515)");
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(malformed());
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
        let header = strict::object(&header)
            .ok_or_else(|| TokenError::invalid("the header is no JSON object without duplicate names"))?;
        let (algorithm, key_id) = understood(&header)?;
        Ok(Self { algorithm, key_id, message, payload, signature })
    }
}

fn understood(header: &Map<String, Value>) -> Result<(Algorithm, Option<String>), TokenError> {
    if header.contains_key("crit") {
        return Err(TokenError::invalid("the header has crit, and no extension is understood"));
    }
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(algorithm);
    let algorithm = algorithm.ok_or_else(|| TokenError::invalid("alg has to be EdDSA, ES256, RS256 or PS256"))?;
    match header.get("typ").map(Value::as_str) {
        None => {}
        Some(Some(typ)) if is_token_type(typ) => {}
        Some(_) => return Err(TokenError::invalid("typ has to be at+jwt or JWT")),
    }
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(kid)) => Ok((algorithm, Some(kid.clone()))),
        Some(_) => Err(TokenError::invalid("kid has to be a string")),
    }
}

/// RFC 9068, section 4; `application/` may be left out (RFC 7515, section 4.1.9).
fn is_token_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt" | "jwt")
}

fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "EdDSA" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "RS256" => Some(Algorithm::RS256),
        "PS256" => Some(Algorithm::PS256),
        _ => None,
    }
}

struct Key {
    id: Option<String>,
    /// Where the issuer says so, the only algorithm that it may be used with.
    only: Option<Algorithm>,
    key: DecodingKey,
    mark: KeyMark,
}

/// Which key it is, whatever it is called: what it consists of.
pub(super) type KeyMark = Arc<str>;

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.key.family() == algorithm.family() && self.only.is_none_or(|only| only == algorithm)
    }
}

/// The keys that are trusted.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

/// A key as published (RFC 7517, section 4), as far as it matters here.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// One Ed25519 key.
    pub(super) fn ed25519(id: String, public: &[u8]) -> Self {
        let (key, mark) = (DecodingKey::from_ed_der(public), URL_SAFE_NO_PAD.encode(public).into());
        Self { keys: vec![Key { id: Some(id), only: Some(Algorithm::EdDSA), key, mark }] }
    }

    /// The usable keys of a JWK set; `None` where it is none or has none. Keys of another kind are passed over.
    pub(super) fn published(bytes: &[u8]) -> Option<Self> {
        let set = strict::object(bytes)?;
        let listed = set.get("keys")?.as_array()?;
        let keys: Vec<Key> = listed.iter().take(MAX_KEYS).filter_map(usable).collect();
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// Whether this key is one of them.
    pub(super) fn holds(&self, mark: &KeyMark) -> bool {
        self.keys.iter().any(|key| Arc::ptr_eq(&key.mark, mark) || key.mark == *mark)
    }

    /// Whether none has been fetched yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether no key could have signed it, so that another set of keys might help.
    pub(super) fn lacks(&self, jws: &Jws<'_>) -> bool {
        match &jws.key_id {
            Some(id) => !self.keys.iter().any(|key| key.id.as_ref() == Some(id)),
            None => !self.keys.iter().any(|key| key.fits(jws.algorithm)),
        }
    }

    /// The payload, where a trusted key has signed it, and which one that was.
    pub(super) fn verify(&self, jws: &Jws<'_>) -> Result<(Vec<u8>, KeyMark), TokenError> {
        if self.lacks(jws) {
            return Err(TokenError::invalid("no trusted key has the token's kid and algorithm"));
        }
        let named = |key: &&Key| jws.key_id.is_none() || key.id == jws.key_id;
        let mut candidates = self.keys.iter().filter(named).filter(|key| key.fits(jws.algorithm)).take(MAX_TRIED);
        let signed = |key: &&Key| {
            crypto::verify(jws.signature, jws.message.as_bytes(), &key.key, jws.algorithm).unwrap_or(false)
        };
        let key = candidates.find(signed).ok_or_else(|| TokenError::invalid("the signature does not hold"))?;
        let payload = URL_SAFE_NO_PAD.decode(jws.payload);
        let payload = payload.map_err(|_| TokenError::invalid("the payload is not base64url"))?;
        Ok((payload, Arc::clone(&key.mark)))
    }
}

fn usable(jwk: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    if jwk.key_ops.as_ref().is_some_and(|all| !all.iter().any(|one| one == "verify")) {
        return None;
    }
    let only = match jwk.alg.as_deref() {
        Some(name) => Some(algorithm(name)?),
        None => None,
    };
    let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => DecodingKey::from_ed_components(jwk.x.as_deref()?).ok()?,
        ("EC", Some("P-256")) => DecodingKey::from_ec_components(jwk.x.as_deref()?, jwk.y.as_deref()?).ok()?,
        ("RSA", _) => DecodingKey::from_rsa_components(jwk.n.as_deref()?, jwk.e.as_deref()?).ok()?,
        _ => return None,
    };
    let fits = only.is_none_or(|only: Algorithm| only.family() == key.family());
    let parts = [jwk.crv, jwk.x, jwk.y, jwk.n, jwk.e].map(Option::unwrap_or_default);
    let mark = format!("{}.{}", jwk.kty, parts.join(".")).into();
    (fits && key.family() != AlgorithmFamily::Hmac).then_some(Key { id: jwk.kid, only, key, mark })
}
