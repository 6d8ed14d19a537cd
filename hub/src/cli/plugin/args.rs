//! `hub plugin`: what its commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::adapters::AdapterName;
use crate::cli::JsonArgs;

/// `hub plugin …`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Make a project for an adapter, which builds at once and has a test.
    #[command(after_help = "Example:\n  hub plugin new --world crm-adapter --language rust acme-crm\n  \
                            hub plugin new --world messaging-adapter --language js acme-mail --into work")]
    New(NewArgs),
    /// Build a project into a component.
    ///
    /// Rust with cargo, Python with componentize-py, JavaScript with ComponentizeJS; what is missing is named.
    #[command(after_help = "Example:\n  hub plugin build acme-crm\n  hub plugin build acme-crm --out dist --json")]
    Build(BuildArgs),
    /// Show what a component is, what it asks for, and who vouches for it.
    #[command(after_help = "Example:\n  hub plugin inspect plugins/dist/crm.wasm\n  \
                            hub plugin inspect plugins/dist/crm.wasm --json")]
    Inspect(InspectArgs),
    /// Hold a component against the contract.
    ///
    /// The hub plays its outside system on loopback, by the rules in conformance.toml or in front of a simulator, and
    /// disturbs every request in every way. It fails where a case does, and says what to look at.
    #[command(after_help = "Example:\n  hub plugin check dist/acme-crm.wasm --script conformance.toml\n  \
                            hub plugin check dist/acme-crm.wasm --upstream api=http://127.0.0.1:4000 --json report.json")]
    Check(CheckArgs),
    /// Sign a component, or make a key pair to sign with.
    ///
    /// The signature is Ed25519 over the text of the component's digest, and lies beside it as FILE.sig.
    #[command(after_help = "Example:\n  hub plugin sign --new-key acme.pem\n  \
                            hub plugin sign plugins/dist/crm.wasm --key acme.pem")]
    Sign(SignArgs),
    /// Check the signature that lies beside a component.
    #[command(after_help = "Example:\n  hub plugin verify plugins/dist/crm.wasm --key acme.pem.pub")]
    Verify(VerifyArgs),
}

/// The world of an adapter, by its name in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldName(pub AdapterName);

fn world(text: &str) -> Result<WorldName, String> {
    let known = || {
        let all: Vec<String> = AdapterName::ALL.iter().map(|adapter| format!("{adapter}-adapter")).collect();
        format!("there is no such world; accepted: {}", all.join(", "))
    };
    let name = text.strip_suffix("-adapter").and_then(AdapterName::parse);
    name.map(WorldName).ok_or_else(known)
}

/// A language that projects are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// With wit-bindgen.
    Rust,
    /// With componentize-py.
    Python,
    /// With ComponentizeJS.
    Js,
}

impl Language {
    /// Every language.
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Js];
}

/// A name that cargo, pip and npm take.
fn project(text: &str) -> Result<String, String> {
    let right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = (2..=64).contains(&text.len())
        && text.bytes().all(right)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-');
    valid.then(|| text.to_owned()).ok_or_else(|| "expected 2 to 64 of a-z, 0-9 and -, such as acme-crm".to_owned())
}

/// `hub plugin new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The project's name, and its folder's.
    #[arg(value_name = "NAME", value_parser = project)]
    pub name: String,
    /// The world that it implements, such as crm-adapter.
    #[arg(long, value_name = "WORLD", value_parser = world)]
    pub world: WorldName,
    /// What it is written in.
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Language,
    /// Where its folder is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub plugin build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The project's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where the component goes.
    #[arg(long, value_name = "DIR", default_value = "plugins/dist")]
    pub out: PathBuf,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub plugin inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The component.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// A name and its value.
fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// `hub plugin check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The component.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How the outside system answers; left out it is conformance.toml beside the component, where there is one.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// A setting of the component; may be given more than once.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = pair)]
    pub settings: Vec<(String, String)>,
    /// A simulator or test instance that answers for an endpoint; may be given more than once.
    #[arg(long, value_name = "ENDPOINT=URL", value_parser = pair)]
    pub upstream: Vec<(String, String)>,
    /// The world that it has to implement; left out it is the one that it does.
    #[arg(long, value_name = "WORLD", value_parser = world)]
    pub world: Option<WorldName>,
    /// Write the report as JSON to this file, or without a file to stdout.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub json: Option<PathBuf>,
}

/// `hub plugin sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The component.
    #[arg(value_name = "FILE", required_unless_present = "new_key", requires = "key")]
    pub file: Option<PathBuf>,
    /// The private key, Ed25519 in PEM (PKCS#8).
    #[arg(long, value_name = "FILE", requires = "file")]
    pub key: Option<PathBuf>,
    /// Make a key pair: the private key here, readable by its owner alone, and the public key beside it as FILE.pub.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub new_key: Option<PathBuf>,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

/// `hub plugin verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The component.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A public key that is trusted, in PEM; may be given more than once.
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub keys: Vec<PathBuf>,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}
