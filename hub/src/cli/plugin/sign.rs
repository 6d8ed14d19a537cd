//! `hub plugin sign` and `verify`: who vouches for a component.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::{SignArgs, VerifyArgs};
use crate::access::LocalKey;
use crate::adapters::{Examined, PublicKey, Signature};
use crate::cli::output::Exit;
use crate::cli::session::{answers, told};

/// Signs a component, or makes a key pair.
///
/// # Errors
/// A file can't be read or written, or is not what it should be.
pub fn sign(args: &SignArgs) -> Result<Exit, String> {
    match (&args.new_key, &args.file, &args.key) {
        (Some(path), ..) => new_key(path, args),
        (None, Some(file), Some(key)) => sign_file(file, key, args),
        _ => Err("expected FILE with --key, or --new-key".to_owned()),
    }
}

fn new_key(path: &Path, args: &SignArgs) -> Result<Exit, String> {
    let public = public_file(path);
    for file in [path, &public] {
        if file.exists() {
            return Err(format!("{} is there already; a key is never overwritten", file.display()));
        }
    }
    let key = PublicKey::new(LocalKey::open(path).map_err(|error| error.to_string())?.public_key());
    write_new(&public, key.to_pem().as_bytes())?;
    let text = format!(
        "the key {}: keep {} to yourself, and give {} to whoever is to trust it",
        key.id(),
        path.display(),
        public.display()
    );
    let value = json!({"key": key.id(), "private": path, "public": public});
    told(answers(args.json).say(&text, &value).map(|()| Exit::Done))
}

fn sign_file(file: &Path, key: &Path, args: &SignArgs) -> Result<Exit, String> {
    let digest = Examined::of(file).map_err(|error| format!("{}: {error}", file.display()))?.digest;
    if !key.is_file() {
        return Err(format!("{} is not there; make one with `hub plugin sign --new-key`", key.display()));
    }
    let pair = LocalKey::open(key).map_err(|error| error.to_string())?;
    let public = PublicKey::new(pair.public_key());
    let signature = Signature::new(digest, &public, &pair.signature(&Signature::message(digest)));
    let beside = Signature::beside(file);
    let text = serde_json::to_string_pretty(&signature).map_err(|error| error.to_string())?;
    fs::write(&beside, text + "\n").map_err(|error| format!("{}: {error}", beside.display()))?;
    let text = format!("{digest} is signed with the key {}: {}", public.id(), beside.display());
    let value = json!({"digest": digest, "key": public.id(), "signature": beside});
    told(answers(args.json).say(&text, &value).map(|()| Exit::Done))
}

/// Checks the signature beside a component.
///
/// # Errors
/// The component or a key can't be read.
pub fn verify(args: &VerifyArgs) -> Result<Exit, String> {
    let digest = Examined::of(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?.digest;
    let keys = args.keys.iter().map(|path| PublicKey::read(path)).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|error| error.to_string())?;
    let found = Signature::find(&args.file).map_err(|error| error.to_string())?;
    let verdict = match found {
        Some(signature) => signature.verify(digest, &keys).map_err(|error| error.to_string()),
        None => Err(format!("it is not signed: there is no {}", Signature::beside(&args.file).display())),
    };
    let (text, value, exit) = match verdict {
        Ok(key) => (
            format!("{digest} was signed with the key {key}"),
            json!({"digest": digest, "trusted": true, "key": key}),
            Exit::Done,
        ),
        Err(why) => (why.clone(), json!({"digest": digest, "trusted": false, "why": why}), Exit::Failed),
    };
    told(answers(args.json).say(&text, &value).map(|()| exit))
}

fn public_file(private: &Path) -> PathBuf {
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let made = fs::OpenOptions::new().write(true).create_new(true).open(path);
    made.and_then(|mut file| file.write_all(bytes)).map_err(|error| format!("{}: {error}", path.display()))
}
