//! `hub token`: a token for trying the API, signed with the hub's own key, in local mode.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;

use super::output::Exit;
use super::session::{Session, answers, told};
use super::{ConfigArgs, JsonArgs, org, word};
use crate::access::{AuthMode, Grant, LocalKey};
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

/// Signs a token and answers with it.
///
/// # Errors
/// The hub's key can't be had, or its own key signs nothing: as text for stderr.
pub fn run(session: &Session, args: &TokenArgs) -> Result<Exit, String> {
    let config = session.config(&args.config)?;
    if config.auth.mode == AuthMode::Oidc {
        return Err("auth.mode is oidc: only the issuer signs tokens that this hub takes".to_owned());
    }
    let key = LocalKey::open(&config.key_file()).map_err(|error| error.to_string())?;
    let token = key.sign(&grant(args, Utc::now()));
    let json = json!({"token": token, "expiresInSeconds": args.expires.as_secs()});
    told(answers(args.json).say(&token, &json).map(|()| Exit::Done))
}

fn grant(args: &TokenArgs, now: DateTime<Utc>) -> Grant {
    Grant {
        member: args.member.clone(),
        org: args.org.clone(),
        roles: args.roles.clone(),
        clients: args.clients.clone(),
        subscription: Some(args.subscription.clone()),
        from: now,
        lifetime: args.expires,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn all_that_is_asked_for_is_granted() {
        let line = "hub token --member m --org demo --role RP001 --role RP002 --client CL-1 --expires 15m";
        let Command::Token(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else { unreachable!() };
        let granted = grant(&args, DateTime::UNIX_EPOCH);
        let expected = Grant {
            member: "m".into(),
            org: "demo".into(),
            roles: vec!["RP001".into(), "RP002".into()],
            clients: vec!["CL-1".into()],
            subscription: Some("active".into()),
            from: DateTime::UNIX_EPOCH,
            lifetime: Duration::from_secs(900),
        };
        assert_eq!(granted, expected);
    }
}
