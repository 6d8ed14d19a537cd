//! Components from an OCI registry (OCI Distribution Specification 1.1), each kept in a folder once it has been pulled.
//!
//! An artifact that is named by its digest is pulled once. One that is named by a tag is asked for at each load; while
//! its registry can't be reached the one that is kept is loaded, so that a hub can start without the registry. An answer
//! of the registry ("no such tag", "not authorised") is never passed over.
//! Nothing is trusted for where it came from: digest, signature and contract are checked as those of a file are.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest, WASM_LAYER_MEDIA_TYPE};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde::Deserialize;
use thiserror::Error;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use super::config::Digest;
use super::egress::innermost;
use super::loading::MAX_COMPONENT_BYTES;
use super::secret::{SecretError, SecretRef};
use super::signature::{self, Signature};

/// The media type of a component (CNCF TAG Runtime, Wasm OCI Artifact layout).
const COMPONENT: &str = "application/wasm";
/// The annotation that names a layer's file (OCI Image Specification).
const TITLE: &str = "org.opencontainers.image.title";
/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long all of it may take.
const PULL_WITHIN: Duration = Duration::from_secs(60);

/// `[adapters.<name>.registry]`: how the registry of a component is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Who pulls: `env:NAME` or `file:PATH` of `user:password`. Nobody in particular where it is left out.
    #[serde(default)]
    pub basic: Option<SecretRef>,
    /// The only certificate authority that is trusted for the registry, PEM; the system's where it is left out.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

/// A component that can't be had from its registry.
#[derive(Debug, Error)]
#[error("`oci://{artifact}`: {why}")]
pub struct RegistryError {
    artifact: String,
    #[source]
    why: Trouble,
}

#[derive(Debug, Error)]
enum Trouble {
    #[error("the registry says: {0}")]
    Refused(String),
    #[error("the registry can't be reached: {0}")]
    Unreachable(String),
    #[error("it is an index of several artifacts; name one of them by its digest")]
    Index,
    #[error("one layer of the type `{COMPONENT}` was expected; it has: {0}")]
    Layers(String),
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("`registry.basic`: {0}")]
    Secret(#[from] SecretError),
    #[error("`registry.basic`: expected `user:password`")]
    NoPassword,
    #[error("`{}` can't be used: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
}

impl From<OciDistributionError> for Trouble {
    fn from(error: OciDistributionError) -> Self {
        match error {
            OciDistributionError::RequestError(error) => Self::Unreachable(innermost(&error)),
            OciDistributionError::IoError(error) => Self::Unreachable(innermost(&error)),
            OciDistributionError::ServerError { code: 500.., .. } => Self::Unreachable(error.to_string()),
            OciDistributionError::ImageIndexParsingNoPlatformResolverError => Self::Index,
            answer => Self::Refused(innermost(&answer)),
        }
    }
}

/// What an artifact holds.
struct Pulled {
    component: Vec<u8>,
    signature: Option<Vec<u8>>,
}

/// The file of this artifact's component in `folder`, with its signature beside it where the artifact has one.
///
/// # Errors
/// [`RegistryError`]
pub async fn fetch(artifact: &Reference, access: &RegistryConfig, folder: &Path) -> Result<PathBuf, RegistryError> {
    let named = Digest::of(artifact.whole().as_bytes()).to_string().replace(':', "-");
    let file = folder.join(named).with_extension("wasm");
    let kept = tokio::fs::try_exists(&file).await.unwrap_or(false);
    if kept && artifact.digest().is_some() {
        return Ok(file);
    }
    let pulled = tokio::time::timeout(PULL_WITHIN, pull(artifact, access)).await;
    let pulled = pulled.unwrap_or_else(|_| Err(Trouble::Unreachable(format!("no answer in {PULL_WITHIN:?}"))));
    let put = match pulled {
        Ok(pulled) => keep(&file, &pulled).await,
        Err(Trouble::Unreachable(why)) if kept => {
            tracing::warn!(component = %artifact, why, "the registry can't be reached; the component that was pulled before is loaded");
            Ok(())
        }
        Err(trouble) => Err(trouble),
    };
    put.map(|()| file).map_err(|why| RegistryError { artifact: artifact.to_string(), why })
}

async fn pull(artifact: &Reference, access: &RegistryConfig) -> Result<Pulled, Trouble> {
    let client = client(artifact, access).await?;
    let (manifest, _) = client.pull_image_manifest(artifact, &credential(access)?).await?;
    let component = blob(&client, artifact, component_layer(&manifest)?, MAX_COMPONENT_BYTES).await?;
    let signature = match manifest.layers.iter().find(|layer| title(layer).ends_with(".sig")) {
        Some(layer) => Some(blob(&client, artifact, layer, signature::MAX_FILE_BYTES).await?),
        None => None,
    };
    Ok(Pulled { component, signature })
}

async fn client(artifact: &Reference, access: &RegistryConfig) -> Result<Client, Trouble> {
    let registry = artifact.resolve_registry().to_owned();
    let mut config = ClientConfig {
        user_agent: concat!("clients-hub/", env!("CARGO_PKG_VERSION")),
        platform_resolver: None,
        connect_timeout: Some(CONNECT_WITHIN),
        ..ClientConfig::default()
    };
    if is_loopback(&registry) {
        config.protocol = ClientProtocol::HttpsExcept(vec![registry]);
    }
    if let Some(path) = &access.ca {
        let data = tokio::fs::read(path).await.map_err(|source| Trouble::File { path: path.clone(), source })?;
        config.tls_certs_only = vec![Certificate { encoding: CertificateEncoding::Pem, data }];
    }
    Ok(Client::try_from(config)?)
}

/// Without TLS only where nobody else can listen.
fn is_loopback(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn credential(access: &RegistryConfig) -> Result<RegistryAuth, Trouble> {
    let Some(place) = &access.basic else { return Ok(RegistryAuth::Anonymous) };
    let secret = place.resolve()?;
    let (user, password) = secret.expose().split_once(':').ok_or(Trouble::NoPassword)?;
    Ok(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
}

fn component_layer(manifest: &OciImageManifest) -> Result<&OciDescriptor, Trouble> {
    let mut fitting =
        manifest.layers.iter().filter(|layer| [COMPONENT, WASM_LAYER_MEDIA_TYPE].contains(&layer.media_type.as_str()));
    match (fitting.next(), fitting.next()) {
        (Some(layer), None) => Ok(layer),
        _ => {
            let types: Vec<&str> = manifest.layers.iter().map(|layer| layer.media_type.as_str()).take(16).collect();
            Err(Trouble::Layers(if types.is_empty() { "none".to_owned() } else { types.join(", ") }))
        }
    }
}

fn title(layer: &OciDescriptor) -> &str {
    layer.annotations.as_ref().and_then(|all| all.get(TITLE)).map_or("", String::as_str)
}

/// The bytes of a layer, which the client checks against their digest.
async fn blob(client: &Client, artifact: &Reference, layer: &OciDescriptor, most: u64) -> Result<Vec<u8>, Trouble> {
    let mut stream = client.pull_blob_stream(artifact, layer).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(OciDistributionError::IoError)?;
        if u64::try_from(bytes.len().saturating_add(chunk.len())).map_or(true, |length| length > most) {
            return Err(Trouble::TooLarge(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The component comes last: where it is, its signature is.
async fn keep(file: &Path, pulled: &Pulled) -> Result<(), Trouble> {
    let signature = Signature::beside(file);
    match &pulled.signature {
        Some(bytes) => put(&signature, bytes).await,
        None => match tokio::fs::remove_file(&signature).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
    .map_err(|source| Trouble::File { path: signature, source })?;
    put(file, &pulled.component).await.map_err(|source| Trouble::File { path: file.to_owned(), source })
}

async fn put(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = file.with_added_extension("new");
    let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).await?;
    opened.write_all(bytes).await?;
    // Without this what is written last may come after the rename, and its error to nobody.
    opened.sync_all().await?;
    tokio::fs::rename(&new, file).await
}
