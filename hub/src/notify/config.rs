//! The `[nats]` section. Leaving it out means that notifications wait in the journal until there is one.

use std::fmt;

use serde::Deserialize;

/// Longest prefix of subjects; NATS itself allows far more.
const SUBJECT_MAX: usize = 128;
/// Longest name of a stream, as JetStream has it.
const STREAM_MAX: usize = 255;

/// `[nats]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsConfig {
    /// The server; it names the others of its cluster by itself.
    pub url: NatsUrl,
    /// What subjects begin with.
    #[serde(default)]
    pub subject: SubjectPrefix,
    /// The JetStream stream, made where JetStream is there and the stream is not.
    #[serde(default)]
    pub stream: StreamName,
    /// The user, together with `password`.
    #[serde(default)]
    pub user: Option<String>,
    /// Where the password is kept.
    #[serde(default)]
    pub password: Option<SecretPlace>,
    /// Where a token is kept, in place of user and password.
    #[serde(default)]
    pub token: Option<SecretPlace>,
}

/// What the hub shows to the server, with the secrets read from where they are kept.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A name and a password.
    User {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::User { .. } => "User(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// A value of this section that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatsConfigError {
    /// Not a server's address.
    #[error("expected an address like `nats://127.0.0.1:4222` (or `tls://…`), without user and password")]
    Url,
    /// Not a prefix of subjects.
    #[error(
        "expected names of letters, digits, `_` and `-`, joined by dots, 128 characters at most, like `backoffice.clients`"
    )]
    Subject,
    /// Not a stream's name.
    #[error("expected letters, digits, `_` and `-`, 255 characters at most, like `BACKOFFICE_EVENTS`")]
    Stream,
    /// A secret written down.
    #[error("expected `env:NAME` or `file:PATH`; a secret is never written into the configuration")]
    Secret,
    /// Half a credential, or two of them.
    #[error("expected `user` with `password`, or `token` alone, or none of them")]
    Credentials,
}

impl NatsConfig {
    /// Checks what no single key can tell: credentials are whole. `read` gives the secret that is kept at a place.
    ///
    /// # Errors
    /// [`NatsConfigError::Credentials`], or what `read` fails with.
    pub fn credentials<E: From<NatsConfigError>>(
        &self,
        read: impl Fn(&SecretPlace) -> Result<String, E>,
    ) -> Result<Credentials, E> {
        match (&self.user, &self.password, &self.token) {
            (None, None, None) => Ok(Credentials::None),
            (Some(user), Some(password), None) => {
                Ok(Credentials::User { user: user.clone(), password: read(password)? })
            }
            (None, None, Some(token)) => Ok(Credentials::Token(read(token)?)),
            _ => Err(NatsConfigError::Credentials.into()),
        }
    }
}

/// A text of the configuration that was checked when it was read.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident, $error:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NatsConfigError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(NatsConfigError::$error) }
            }
        }
    };
}

checked!(
    /// The address of a server.
    NatsUrl, Url, |text| {
        // A user in the address would put the password into the configuration.
        (text.starts_with("nats://") || text.starts_with("tls://")) && !text.contains('@') && text.parse::<async_nats::ServerAddr>().is_ok()
    }
);
checked!(
    /// What subjects begin with.
    SubjectPrefix, Subject, |text| text.len() <= SUBJECT_MAX && text.split('.').all(is_name)
);
checked!(
    /// The name of a JetStream stream.
    StreamName, Stream, |text| text.len() <= STREAM_MAX && is_name(text)
);
checked!(
    /// Where a secret is kept: `env:NAME` or `file:PATH`.
    SecretPlace, Secret, |text| {
        [text.strip_prefix("env:"), text.strip_prefix("file:")].into_iter().flatten().any(|place| !place.is_empty())
    }
);

impl Default for SubjectPrefix {
    fn default() -> Self {
        Self("backoffice.clients".to_owned())
    }
}

impl Default for StreamName {
    fn default() -> Self {
        Self("BACKOFFICE_EVENTS".to_owned())
    }
}

/// One token of a subject that holds nothing with a meaning to NATS.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NatsConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_enough() {
        let config = read("url = 'nats://127.0.0.1:4222'").unwrap();
        assert_eq!((config.subject.as_str(), config.stream.as_str()), ("backoffice.clients", "BACKOFFICE_EVENTS"));
    }

    #[test]
    fn every_mistake_says_what_was_expected() {
        let address = "url = 'nats://127.0.0.1:4222'\n";
        for (text, expected) in [
            ("url = 'http://127.0.0.1'".to_owned(), "expected an address"),
            ("url = 'nats://u:p@127.0.0.1:4222'".to_owned(), "without user and password"),
            (format!("{address}subject = 'a.>'"), "joined by dots"),
            (format!("{address}subject = 'a..b'"), "joined by dots"),
            (format!("{address}stream = 'a.b'"), "like `BACKOFFICE_EVENTS`"),
            (format!("{address}token = 'secret'"), "env:NAME"),
            (format!("{address}subjects = 'a'"), "unknown field `subjects`"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn credentials_are_whole_and_never_shown() {
        let take = |text: &str| {
            read(&format!("url = 'nats://h:1'\n{text}"))
                .unwrap()
                .credentials(|place| Ok::<_, NatsConfigError>(place.as_str().to_owned()))
        };
        let user = take("user = 'u'\npassword = 'env:P'").unwrap();
        assert!(matches!(&user, Credentials::User { user, password } if user == "u" && password == "env:P"));
        assert_eq!(format!("{user:?}"), "User(…)");
        assert_eq!(take("user = 'u'").unwrap_err(), NatsConfigError::Credentials);
        assert_eq!(take("user = 'u'\npassword = 'env:P'\ntoken = 'env:T'").unwrap_err(), NatsConfigError::Credentials);
    }
}
