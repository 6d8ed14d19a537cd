//! Rate limits: by client address before anything is known of the caller, by member once the token was read.
//!
//! One address is one IPv4 address or one IPv6 /64, since that is what one host gets. Memory is bounded by `buckets`.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use http::HeaderName;
use serde::Deserialize;

use super::buckets::Buckets;
use super::problem::{Code, Problem, ceiling};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// A limit in `[limits]`: a steady rate, and how far it may be exceeded for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

/// Both limits.
pub struct Limits {
    addresses: Buckets<IpAddr>,
    members: Buckets<String>,
    address: Rate,
    member: Rate,
}

impl Limits {
    /// Limits with nobody counted yet.
    #[must_use]
    pub fn new(address: Rate, member: Rate) -> Self {
        Self { addresses: Buckets::new(quota(address)), members: Buckets::new(quota(member)), address, member }
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    /// Too many: 429.
    pub fn address(&self, address: IpAddr) -> Result<(), Problem> {
        self.addresses.take(host(address)).map_err(|wait| limited("address", self.address, wait))
    }

    /// Counts a request of a member.
    ///
    /// # Errors
    /// Too many: 429.
    pub fn member(&self, org: &str, member: &str) -> Result<(), Problem> {
        // Organisation ids have no slash, so the two can't run together.
        self.members.take(format!("{org}/{member}")).map_err(|wait| limited("member", self.member, wait))
    }

    /// Forgets everybody whose bucket is full again.
    pub fn sweep(&self) {
        self.addresses.sweep();
        self.members.sweep();
    }
}

fn quota(rate: Rate) -> Quota {
    Quota::per_second(rate.per_second).allow_burst(rate.burst)
}

/// What counts as one address.
pub(super) fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The answer, with the fields of draft-ietf-httpapi-ratelimit-headers: quota and window, what is left and for how long.
fn limited(name: &str, rate: Rate, wait: Duration) -> Problem {
    let (burst, window) = (rate.burst, rate.burst.get().div_ceil(rate.per_second.get()));
    let seconds = ceiling(wait);
    Problem::new(
        Code::RateLimited,
        format!("{} requests a second for each {name}; come again in {seconds} s", rate.per_second),
    )
    .retry_after(wait)
    .header(POLICY, &format!("\"{name}\";q={burst};w={window}"))
    .header(LIMIT, &format!("\"{name}\";r=0;t={seconds}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    fn limits() -> Limits {
        Limits::new(rate(1, 3), rate(1, 2))
    }

    #[test]
    fn a_burst_passes_and_the_next_is_refused() {
        let limits = limits();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert!((0..3).all(|_| limits.address(address).is_ok()));
        let problem = limits.address(address).unwrap_err();
        assert_eq!(problem.code(), Code::RateLimited);
        let reply = problem.reply("r");
        assert_eq!(reply.headers().get("ratelimit-policy").unwrap(), "\"address\";q=3;w=3");
        assert_eq!(reply.headers().get("ratelimit").unwrap(), "\"address\";r=0;t=1");
        assert_eq!(reply.headers().get("retry-after").unwrap(), "1");
        assert!(limits.address("192.0.2.2".parse().unwrap()).is_ok());
    }

    #[test]
    fn a_host_is_one_ipv4_address_or_one_ipv6_prefix() {
        let host = |text: &str| host(text.parse().unwrap());
        assert_eq!(host("2001:db8::1"), host("2001:db8::ffff:2"));
        assert_ne!(host("2001:db8::1"), host("2001:db8:0:1::1"));
        assert_eq!(host("::ffff:192.0.2.1"), host("192.0.2.1"));
        assert_ne!(host("192.0.2.1"), host("192.0.2.2"));
    }

    #[test]
    fn members_of_different_organisations_are_different() {
        let limits = limits();
        assert!((0..2).all(|_| limits.member("a", "m").is_ok()));
        assert!(limits.member("a", "m").is_err());
        assert!(limits.member("b", "m").is_ok());
    }

    #[test]
    fn who_has_paused_is_forgotten() {
        let limits = Limits::new(rate(1, 1), rate(1_000_000, 1));
        limits.member("a", "m").unwrap();
        while limits.members.len() > 0 {
            limits.sweep();
        }
    }
}
