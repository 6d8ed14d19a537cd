//! The headers that an adapter may send, and those that it gets back.
//!
//! Refused are those that say where a message ends or whom it is for (request smuggling, a second `Host`), those of
//! the connection (RFC 9110, section 7.6.1), those that proxies and frameworks read as another host, path or method
//! than the message's own, a part of an answer (a secret cut in two is not found), and the one that carries the
//! endpoint's credential. Names are compared as some servers read them, with `_` as `-`.

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};

/// The most headers in one request.
const MAX_HEADERS: usize = 64;
/// The longest headers of one request together, in bytes.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// The most characters of an answer's content coding that are repeated.
const MAX_CODING_CHARS: usize = 40;
/// The longest headers of one answer together, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

const REFUSED: [&str; 29] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "via",
    "forwarded",
    "http2-settings",
    "x-host",
    "x-http-host-override",
    "x-original-host",
    "x-original-url",
    "x-ms-original-url",
    "x-envoy-original-path",
    "x-waws-unencoded-url",
    "x-override-url",
    "x-http-path-override",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "range",
    "if-range",
];
/// The beginning of those that say whom a proxy has spoken to.
const REFUSED_PREFIX: &str = "x-forwarded-";

/// The headers of a request, checked.
///
/// `credential` is the header that the hub adds itself. Answers are asked for without a content coding, so that what
/// comes back can be searched for the secret.
///
/// # Errors
/// Which header is refused, and why.
pub fn request(pairs: &[(&str, &str)], credential: Option<&HeaderName>) -> Result<HeaderMap, String> {
    if pairs.len() > MAX_HEADERS {
        return Err(format!("headers: more than {MAX_HEADERS}"));
    }
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_REQUEST_BYTES {
        return Err(format!("headers: longer than {MAX_REQUEST_BYTES} bytes"));
    }
    let mut headers = HeaderMap::with_capacity(pairs.len() + 3);
    for (name, value) in pairs {
        let (name, value) = check(name, value, credential)?;
        headers.append(name, value);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}

fn check(name: &str, value: &str, credential: Option<&HeaderName>) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::try_from(name)
        .map_err(|_| "headers: a name is empty or has a character that is refused".to_owned())?;
    let read = name.as_str().replace('_', "-");
    if REFUSED.contains(&read.as_str()) || read.starts_with(REFUSED_PREFIX) {
        return Err(format!("headers: `{name}` is the hub's own and is refused"));
    }
    if credential.is_some_and(|credential| credential.as_str().replace('_', "-") == read) {
        return Err(format!("headers: `{name}` carries the endpoint's credential and is added by the hub"));
    }
    // Narrower than the library, which lets any byte above ASCII pass.
    let plain = value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    match HeaderValue::from_str(value) {
        Ok(value) if plain => Ok((name, value)),
        _ => Err(format!("headers: the value of `{name}` is not visible ASCII")),
    }
}

/// The content coding of an answer, which none was asked for: what is inside of it can't be searched for the secret.
pub fn coding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_ENCODING)?;
    let plain = value.as_bytes().is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity");
    (!plain).then(|| value.to_str().unwrap_or("unreadable").chars().take(MAX_CODING_CHARS).collect())
}

/// The headers of an answer as pairs, names in lower case; nothing where they are too long together.
pub fn answer(headers: &HeaderMap) -> Option<Vec<(String, Vec<u8>)>> {
    let mut bytes = 0usize;
    let mut pairs = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        bytes += name.as_str().len() + value.len();
        if bytes > MAX_ANSWER_BYTES {
            return None;
        }
        pairs.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
    }
    Some(pairs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_headers_pass_and_codings_are_switched_off() {
        let headers = request(&[("X-Thing", "1"), ("accept-encoding", "gzip")], None).unwrap();
        assert_eq!(headers["x-thing"], "1");
        assert_eq!(headers.get_all(ACCEPT_ENCODING).iter().count(), 1);
        assert_eq!(headers[ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn what_steers_the_message_is_refused_in_any_case() {
        for name in [
            "Host",
            "HOST",
            "content-length",
            "Content_Length",
            "Transfer-Encoding",
            "connection",
            "Upgrade",
            "X-Forwarded-Host",
            "X_Forwarded_For",
            "X-Original-URL",
            "X-HTTP-Method-Override",
            "Range",
        ] {
            assert!(request(&[(name, "x")], None).is_err(), "{name} passed");
        }
        let key = HeaderName::from_static("x-api-key");
        for name in ["X-API-Key", "X_API_Key"] {
            let refused = request(&[(name, "mine")], Some(&key)).unwrap_err();
            assert!(refused.contains("credential") && !refused.contains("mine"), "{refused}");
        }
    }

    #[test]
    fn broken_names_and_values_are_refused() {
        for (name, value) in
            [("", "x"), ("a b", "x"), (":path", "x"), ("a\r\nb", "x"), ("a", "x\r\nHost: y"), ("a", "ü")]
        {
            assert!(request(&[(name, value)], None).is_err(), "{name:?}: {value:?} passed");
        }
        assert!(request(&vec![("a", "b"); MAX_HEADERS + 1], None).is_err());
        assert!(request(&[("a", &"b".repeat(MAX_REQUEST_BYTES))], None).is_err());
    }

    #[test]
    fn an_answer_with_endless_headers_is_too_large() {
        let mut headers = HeaderMap::new();
        let long = "x".repeat(MAX_ANSWER_BYTES / 2);
        headers.append("a", HeaderValue::from_str(&long).unwrap());
        assert_eq!(answer(&headers).unwrap().len(), 1);
        headers.append("b", HeaderValue::from_str(&long).unwrap());
        assert!(answer(&headers).is_none());
    }
}
