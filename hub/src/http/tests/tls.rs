//! TLS over real sockets: both protocols, and certificates that are replaced while the hub runs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::support::House;
use crate::http::{Tls, TlsConfig, serve};

/// Takes whatever it is shown: the tests look at it themselves.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(fixture(name)).unwrap()
}

async fn connect(address: SocketAddr, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// Puts a file in the place of another, as a certificate's renewal does.
fn put(folder: &Path, name: &str, from: &Path) {
    fs::copy(from, folder.join("new")).unwrap();
    fs::rename(folder.join("new"), folder.join(name)).unwrap();
}

#[tokio::test]
async fn certificates_are_replaced_while_connections_go_on() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "hub.pem", &fixture("one.pem"));
    put(folder.path(), "hub.key", &fixture("one.key"));
    let tls =
        Tls::open(&TlsConfig { cert: folder.path().join("hub.pem"), key: folder.path().join("hub.key") }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let house = House::open().await;
    let running = tokio::spawn(serve(listener, Some(tls), house.hub.clone(), std::future::pending()));

    let both: &[&[u8]] = &[b"h2", b"http/1.1"];
    let stream = connect(address, both).await;
    assert_eq!(shown(&stream), certificate("one.pem"));
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut old, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let ask = || http::Request::get("https://localhost/health/live").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(old.send_request(ask()).await.unwrap().status(), 200);
    let stream = connect(address, &[b"http/1.1"]).await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let reply = sender
        .send_request(http::Request::get("/health/live").header("host", "h").body(Empty::<Bytes>::new()).unwrap());
    assert_eq!(reply.await.unwrap().into_body().collect().await.unwrap().to_bytes(), r#"{"status":"ok"}"#);

    // The certificate comes before its key: what does not go together is not used.
    put(folder.path(), "hub.pem", &fixture("two.pem"));
    assert_eq!(shown(&connect(address, both).await), certificate("one.pem"));
    put(folder.path(), "hub.key", &fixture("two.key"));
    let began = Instant::now();
    while shown(&connect(address, both).await) != certificate("two.pem") {
        assert!(began.elapsed() < Duration::from_secs(20), "the new certificate is not used");
        tokio::task::yield_now().await;
    }
    assert_eq!(old.send_request(ask()).await.unwrap().status(), 200, "a connection from before goes on");
    fs::write(folder.path().join("hub.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(shown(&connect(address, both).await), certificate("two.pem"));
    running.abort();
}

#[test]
fn what_is_no_pair_is_refused_by_name() {
    let refused = |cert: &str, key: &str| match Tls::open(&TlsConfig { cert: fixture(cert), key: fixture(key) }) {
        Ok(_) => panic!("{cert} and {key} were taken"),
        Err(error) => error.to_string(),
    };
    assert!(refused("one.pem", "two.key").contains("can't be used together"));
    assert!(refused("nowhere.pem", "one.key").contains("nowhere.pem"));
    assert!(refused("README.md", "one.key").contains("a certificate in PEM"));
    assert!(refused("one.pem", "two.pem").contains("a private key in PEM"));
}
