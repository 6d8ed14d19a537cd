//! The way to a simulator or a test instance of the product: the suite stands in front of it.

use std::time::Duration;

use reqwest::{Client, Url};

use super::backend::Answer;
use super::script::Asked;

/// How long a simulator may take; far more than the hub waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// Headers that belong to one connection.
const OF_CONNECTION: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];

/// A client that changes nothing on the way.
///
/// # Errors
/// It can't be made.
pub fn client() -> Result<Client, String> {
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
    // A connection that the other side has closed must not look like the product's own fault.
    client.pool_max_idle_per_host(0).build().map_err(|error| error.to_string())
}

/// Hands a request on.
///
/// # Errors
/// There is no answer.
pub async fn pass_on(
    client: &Client,
    base: &Url,
    asked: &Asked,
    headers: &[(String, String)],
) -> Result<Answer, String> {
    let mut url = base.clone();
    url.set_path(&format!("{}{}", base.path().trim_end_matches('/'), asked.path));
    if !asked.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&asked.query);
    }
    let method = reqwest::Method::from_bytes(asked.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = client.request(method, url);
    for (name, value) in headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    let failed = |error: reqwest::Error| format!("the simulator at {base} gives no answer: {error}");
    let answer = request.body(asked.body.clone()).send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    let kept = answer.headers().iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str()));
    let headers = kept.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
    let body = answer.bytes().await.map_err(failed)?.to_vec();
    Ok(Answer { status, headers, body })
}
