//! The credential of an endpoint: read when the adapter loads, added to each request on its way out.
//!
//! No adapter sees it. A token of the client credentials grant is fetched with the endpoint's own client, so that the
//! same address rules and certificates hold for it, kept until shortly before it expires, and fetched by one request
//! at a time however many wait for it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Mutex;

use super::super::config_endpoint::{AuthConfig, OAuth2Config};
use super::super::secret::{Secret, SecretError, SecretRef};
use super::failure::innermost;
use super::scrub::{MIN_SECRET_BYTES, Scrubber};

/// A password is looked for by itself only from this length on; a common word would be found everywhere.
const MIN_PASSWORD_BYTES: usize = 8;
/// A token is not used in its last seconds, so that it does not expire on the way.
const EXPIRY_MARGIN: Duration = Duration::from_secs(30);
/// How long a token is kept whose answer does not say (RFC 6749 recommends that it does).
const DEFAULT_LIFETIME_S: u64 = 300;
/// How long a token is kept at most, whatever its answer says: a day.
const LONGEST_LIFETIME_S: u64 = 86_400;
/// The largest answer of a token endpoint, in bytes.
const MAX_TOKEN_ANSWER_BYTES: usize = 64 * 1024;

/// A credential that can't be used.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// Its place is empty or unreadable.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Too short to be taken out of answers.
    #[error("the secret at `{0}` is shorter than {MIN_SECRET_BYTES} bytes")]
    TooShort(SecretRef),
    /// It has characters that no header may have.
    #[error("the secret at `{0}` has characters that a header can't carry")]
    NotAHeader(SecretRef),
    /// The configured header has no valid name.
    #[error("`{0}` is not the name of a header")]
    HeaderName(String),
    /// Basic credentials without a colon (RFC 7617).
    #[error("the secret at `{0}` is not of the form `user:password`")]
    NotAPair(SecretRef),
}

/// What an endpoint adds to a request.
pub enum Credential {
    /// Nothing.
    None,
    /// Always the same header.
    Fixed(HeaderName, HeaderValue),
    /// A token that is fetched and kept.
    OAuth2(Box<TokenSource>),
}

impl Credential {
    /// Reads the secret and tells the scrubber about every form in which it travels.
    pub fn new(auth: Option<&AuthConfig>, scrubber: &mut Scrubber) -> Result<Self, CredentialError> {
        match auth {
            None => Ok(Self::None),
            Some(AuthConfig::Header { name, value }) => {
                let header =
                    HeaderName::try_from(name.as_str()).map_err(|_| CredentialError::HeaderName(name.clone()))?;
                let secret = read(value, scrubber)?;
                Ok(Self::Fixed(header, sensitive(secret.expose(), value)?))
            }
            Some(AuthConfig::Bearer(place)) => {
                let token = read(place, scrubber)?;
                let value = sensitive(&format!("Bearer {}", token.expose()), place)?;
                Ok(Self::Fixed(AUTHORIZATION, value))
            }
            Some(AuthConfig::Basic(place)) => basic(place, scrubber),
            Some(AuthConfig::OAuth2(grant)) => {
                let secret = read(&grant.client_secret, scrubber)?;
                Ok(Self::OAuth2(Box::new(TokenSource::new(grant, secret))))
            }
        }
    }

    /// The header that it uses, which an adapter may not set.
    pub fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::None => None,
            Self::Fixed(name, _) => Some(name),
            Self::OAuth2(_) => Some(&AUTHORIZATION),
        }
    }

    /// Where the secret is kept and how it travels, for the record; never the secret. A file goes without its folder.
    pub fn name(auth: Option<&AuthConfig>) -> Option<String> {
        let (how, place) = match auth? {
            AuthConfig::Header { value, .. } => ("header", value),
            AuthConfig::Bearer(place) => ("bearer", place),
            AuthConfig::Basic(place) => ("basic", place),
            AuthConfig::OAuth2(config) => ("oauth2", &config.client_secret),
        };
        let place = match place {
            SecretRef::Env(name) => format!("env:{name}"),
            SecretRef::File(path) => format!("file:{}", path.file_name().unwrap_or_default().display()),
        };
        Some(format!("{how} {place}"))
    }

    /// The address that the token endpoint's URL names outright, which no look-up will check.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self {
            Self::OAuth2(source) => super::literal_address(&source.url),
            _ => None,
        }
    }

    /// The header's value for one request, and the token that the answer must be searched for.
    pub async fn value(&self, client: &Client) -> Result<(Option<HeaderValue>, Option<Secret>), TokenError> {
        match self {
            Self::None => Ok((None, None)),
            Self::Fixed(_, value) => Ok((Some(value.clone()), None)),
            Self::OAuth2(source) => {
                let token = source.token(client).await?;
                Ok((Some(token.header), Some(token.secret)))
            }
        }
    }

    /// The endpoint answered 401: the next request asks for a new token.
    pub async fn forget(&self) {
        if let Self::OAuth2(source) = self {
            *source.kept.lock().await = None;
        }
    }
}

fn read(place: &SecretRef, scrubber: &mut Scrubber) -> Result<Secret, CredentialError> {
    let secret = place.resolve()?;
    if secret.expose().len() < MIN_SECRET_BYTES {
        return Err(CredentialError::TooShort(place.clone()));
    }
    scrubber.add(secret.expose());
    Ok(secret)
}

fn basic(place: &SecretRef, scrubber: &mut Scrubber) -> Result<Credential, CredentialError> {
    let pair = read(place, scrubber)?;
    let Some((_, password)) = pair.expose().split_once(':') else {
        return Err(CredentialError::NotAPair(place.clone()));
    };
    if password.len() >= MIN_PASSWORD_BYTES {
        scrubber.add(password);
    }
    let encoded = BASE64_STANDARD.encode(pair.expose());
    scrubber.add(&encoded);
    let value = sensitive(&format!("Basic {encoded}"), place)?;
    Ok(Credential::Fixed(AUTHORIZATION, value))
}

fn sensitive(text: &str, place: &SecretRef) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialError::NotAHeader(place.clone()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there is no token. Nothing was sent to the endpoint itself.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The token endpoint refused the hub.
    #[error("the token endpoint answered {0}")]
    Refused(reqwest::StatusCode),
    /// It can't be reached or is down.
    #[error("the token endpoint can't be used: {0}")]
    Unavailable(String),
    /// Its answer has no usable token.
    #[error("the token endpoint's answer has no bearer token")]
    Malformed,
}

/// Fetches and keeps a token of the client credentials grant (RFC 6749, section 4.4).
pub struct TokenSource {
    url: Url,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    kept: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    secret: Secret,
    good_until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl TokenSource {
    fn new(grant: &OAuth2Config, client_secret: Secret) -> Self {
        Self {
            url: grant.token_url.as_url().clone(),
            client_id: grant.client_id.clone(),
            client_secret,
            scope: grant.scope.clone(),
            kept: Mutex::new(None),
        }
    }

    async fn token(&self, client: &Client) -> Result<Token, TokenError> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.good_until) {
            return Ok(token.clone());
        }
        let token = self.fetch(client).await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    async fn fetch(&self, client: &Client) -> Result<Token, TokenError> {
        let mut form = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        let answer = client
            .post(self.url.clone())
            .basic_auth(form_encoded(&self.client_id), Some(form_encoded(self.client_secret.expose())))
            .form(&form)
            .send()
            .await
            .map_err(|error| TokenError::Unavailable(innermost(&error)))?;
        let status = answer.status();
        if status.is_client_error() {
            return Err(TokenError::Refused(status));
        }
        if !status.is_success() {
            return Err(TokenError::Unavailable(format!("it answered {status}")));
        }
        let body = super::body::read(answer, MAX_TOKEN_ANSWER_BYTES).await;
        body.ok().and_then(|body| parse(&body)).ok_or(TokenError::Malformed)
    }
}

/// RFC 6749, section 2.3.1: id and secret are form-encoded before they become Basic credentials.
fn form_encoded(text: &str) -> String {
    const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, FORM).to_string()
}

fn parse(body: &[u8]) -> Option<Token> {
    let answer: TokenAnswer = serde_json::from_slice(body).ok()?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") || answer.access_token.is_empty() {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {}", answer.access_token)).ok()?;
    header.set_sensitive(true);
    let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFETIME_S).min(LONGEST_LIFETIME_S));
    Some(Token {
        header,
        secret: Secret::from(answer.access_token),
        good_until: Instant::now() + lifetime.saturating_sub(EXPIRY_MARGIN),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kept(folder: &tempfile::TempDir, text: &str) -> SecretRef {
        let path = folder.path().join(format!("{}", text.len()));
        std::fs::write(&path, text).unwrap();
        SecretRef::File(path)
    }

    #[test]
    fn each_shape_becomes_its_header_and_is_scrubbed() {
        let folder = tempfile::tempdir().unwrap();
        let shapes = [
            (AuthConfig::Bearer(kept(&folder, "tok-1234")), "authorization", "Bearer tok-1234"),
            (AuthConfig::Basic(kept(&folder, "hub:passw0rd!")), "authorization", "Basic aHViOnBhc3N3MHJkIQ=="),
            (
                AuthConfig::Header { name: "X-Api-Key".to_owned(), value: kept(&folder, "key-12") },
                "x-api-key",
                "key-12",
            ),
        ];
        for (auth, name, value) in shapes {
            let mut scrubber = Scrubber::default();
            let Credential::Fixed(header, sent) = Credential::new(Some(&auth), &mut scrubber).unwrap() else {
                panic!("not fixed");
            };
            assert_eq!((header.as_str(), sent.to_str().unwrap()), (name, value));
            assert!(sent.is_sensitive());
            let clean = scrubber.text(format!("echo: {value} passw0rd!"));
            for part in ["tok-", "aHVi", "key-1"] {
                assert!(!clean.contains(part), "{clean}");
            }
        }
    }

    #[test]
    fn secrets_that_cannot_be_used_are_named_by_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |auth: AuthConfig| match Credential::new(Some(&auth), &mut Scrubber::default()) {
            Err(error) => error,
            Ok(_) => panic!("accepted"),
        };
        assert!(matches!(refused(AuthConfig::Bearer(kept(&folder, "abc"))), CredentialError::TooShort(_)));
        assert!(matches!(refused(AuthConfig::Bearer(kept(&folder, "line\nbreak"))), CredentialError::NotAHeader(_)));
        assert!(matches!(refused(AuthConfig::Basic(kept(&folder, "nopair"))), CredentialError::NotAPair(_)));
    }

    #[test]
    fn only_bearer_tokens_are_taken() {
        assert!(parse(br#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#).is_some());
        assert!(parse(br#"{"access_token":"t","token_type":"mac"}"#).is_none());
        assert!(parse(b"<html>").is_none());
    }
}
