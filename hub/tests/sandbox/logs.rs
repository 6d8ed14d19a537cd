//! What an adapter writes to the log: as many lines as it may, each of them one line, and no secret.

use std::io;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use crate::backend::Backend;
use crate::support::Crm;

/// All that is logged in this process.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log(Arc::default());
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    log
});

/// The lines with this word.
fn lines(word: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(&LOG.0.lock()).into_owned();
    text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_flood_is_cut_off_after_a_hundred_lines() {
    LazyLock::force(&LOG);
    let crm = Crm::behaving("log-flooder", "settings.text = 'flood-4711'\nsettings.count = '20000'").await;
    crm.upsert().await.unwrap();
    assert_eq!(lines("flood-4711").len(), 100);
}

#[tokio::test]
async fn no_line_pretends_to_be_two_or_another() {
    LazyLock::force(&LOG);
    let text = "settings.text = \"line-4712\\n2026-01-01 ERROR forged-4712 \\u001b[2J\\u202e\\u2028\"";
    Crm::behaving("log-injector", text).await.upsert().await.unwrap();
    let written = lines("line-4712");
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(written[0].contains("forged-4712") && !written[0].contains(['\u{1b}', '\u{202e}', '\u{2028}']));
    let long = format!("settings.text = 'long-4713{}'", "x".repeat(10_000));
    Crm::behaving("log-injector", &long).await.upsert().await.unwrap();
    assert!(lines("long-4713")[0].len() < 2_500);
}

#[tokio::test]
async fn a_secret_is_taken_out() {
    LazyLock::force(&LOG);
    let backend = Backend::start().await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("secret");
    std::fs::write(&place, "secret-4714-abcdef").unwrap();
    let auth = format!("auth = {{ bearer = 'file:{}' }}", place.display());
    let more = "settings.text = 'word-4714 secret-4714-abcdef'";
    Crm::calling("log-injector", &backend.url, &auth, more).await.upsert().await.unwrap();
    let written = lines("word-4714");
    assert!(written[0].contains("***") && !written[0].contains("abcdef"), "{written:?}");
}
