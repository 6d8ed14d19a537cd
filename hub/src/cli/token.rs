//! `hub token`: a token for trying the API, in local mode.
//!
//! What a token looks like and how it is signed is not known here: that is handed in.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::output::{Exit, Output};
use super::{ConfigArgs, JsonArgs, org, word};
use crate::config::sections::duration;

/// The longest time for which a token may be valid.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What the command takes.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The member, the token's `sub`.
    #[arg(long, value_name = "MEMBER", value_parser = word)]
    pub member: String,
    /// The member's organisation.
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub org: String,
    /// A role of the member; may be given more than once.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = word)]
    pub roles: Vec<String>,
    /// A client that is assigned to the member; may be given more than once.
    #[arg(long = "client", value_name = "REF", value_parser = word)]
    pub clients: Vec<String>,
    /// The state of the organisation's Backoffice subscription.
    #[arg(long, value_name = "STATE", default_value = "active", value_parser = word)]
    pub subscription: String,
    /// How long the token is valid, such as 15m or 1h.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = lifetime)]
    pub expires: Duration,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub json: JsonArgs,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time of at most 366 days, such as 15m, 1h or 7d".to_owned();
    duration(text).filter(|time| !time.is_zero() && *time <= LONGEST).ok_or_else(expected)
}

/// Has `sign` make the token and answers with it.
///
/// # Errors
/// It can't be signed, or not be written, as text for stderr.
pub fn run<W: Write, E: Display>(
    args: &TokenArgs,
    sign: impl FnOnce(&TokenArgs) -> Result<String, E>,
    output: &mut Output<W>,
) -> Result<Exit, String> {
    let token = sign(args).map_err(|error| error.to_string())?;
    let json = json!({"token": token, "expiresInSeconds": args.expires.as_secs()});
    output.say(&token, &json).map_err(|error| error.to_string())?;
    Ok(Exit::Done)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(line: &str) -> TokenArgs {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Token(args) => args,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn the_token_is_the_whole_answer() {
        let args = args("hub token --member m --org demo --role RP001 --role RP002 --client CL-1 --expires 15m");
        assert_eq!((args.roles.len(), args.clients.len(), args.expires.as_secs()), (2, 1, 900));
        let mut out = Vec::new();
        let sign = |args: &TokenArgs| Ok::<_, String>(format!("signed-for-{}", args.member));
        assert_eq!(run(&args, sign, &mut Output::new(&mut out, false)), Ok(Exit::Done));
        assert_eq!(out, b"signed-for-m\n");
    }

    #[test]
    fn what_the_key_says_is_passed_on() {
        let refused = run(
            &args("hub token --member m --org demo --role RP001"),
            |_| Err("auth.mode is oidc: only the issuer signs tokens"),
            &mut Output::new(Vec::new(), false),
        );
        assert_eq!(refused, Err("auth.mode is oidc: only the issuer signs tokens".to_owned()));
    }
}
