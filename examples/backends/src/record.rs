//! What was asked of the systems and may have changed them, on disk: how they keep their state over a restart.
//!
//! Each such request is written down, and made durable, before it is carried out; a new process carries all of them out
//! again. That works because nothing here decides by chance or by the order of anything else: requests are carried out in
//! the order of the file, one at a time. What a system makes of the present moment (a date, `lastModified`) is made anew;
//! the effects keep their times.
//!
//! Faults are not kept: they belong to the test, not to the systems. A line without its end was never carried out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use crate::call::Call;

/// One request.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: DateTime<Utc>,
    to: String,
    method: String,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
}

/// A request as it was asked before.
pub(crate) struct Asked {
    /// When.
    pub at: DateTime<Utc>,
    /// Of whom: a system's name, or `control`.
    pub to: String,
    /// What.
    pub call: Call,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Record {
    file: Mutex<File>,
}

/// While it is held, nothing else is carried out.
pub(crate) struct Turn<'a>(#[allow(dead_code, reason = "held, never looked at")] MutexGuard<'a, File>);

impl Record {
    /// Opens the record in `folder`, and gives all that it holds. The seed decides what is made up, so it must be the same.
    ///
    /// # Errors
    /// The folder can't be used, or its record was made by something else or with another seed.
    pub fn open(folder: &Path, seed: u64) -> io::Result<(Self, Vec<Asked>)> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("requests-{seed}.jsonl"));
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let (asked, whole) = read(&mut file)?;
        file.set_len(whole)?;
        Ok((Self { file: Mutex::new(file) }, asked))
    }

    /// Writes a request down; it may be carried out as long as the turn is held.
    ///
    /// # Errors
    /// The disk did not take it: nothing may be carried out.
    pub fn write(&self, to: &str, at: DateTime<Utc>, call: &Call) -> io::Result<Turn<'_>> {
        let headers = call.headers.iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let line = Line {
            at,
            to: to.to_owned(),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: headers.collect(),
            body: hex::encode(&call.body),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let mut file = self.file.lock();
        file.write_all(&text)?;
        file.sync_data()?;
        Ok(Turn(file))
    }
}

/// The whole lines, and where they end.
fn read(file: &mut File) -> io::Result<(Vec<Asked>, u64)> {
    let (mut reader, mut asked, mut whole) = (BufReader::new(file), Vec::new(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok((asked, whole));
        }
        asked.push(parsed(&line).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("byte {whole}: not a request; another file?"))
        })?);
        whole += length as u64;
    }
}

fn parsed(line: &[u8]) -> Option<Asked> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in &line.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
    }
    let method = Method::from_bytes(line.method.as_bytes()).ok()?;
    let body = hex::decode(&line.body).ok()?.into();
    let call = Call { method, path: line.path, query: line.query, headers, body };
    Some(Asked { at: line.at, to: line.to, call })
}
