//! Which addresses an endpoint may be reached at, and the name look-up that holds to it.
//!
//! The check sits between the look-up and the connection: the addresses that pass are the ones that are connected to,
//! so that a name can't answer one thing to the check and another to the connection (DNS rebinding). An address
//! written into a URL never sees a look-up and is checked when the endpoint is made.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;
/// The most look-ups of one endpoint at the same time. The operating system can't be told to end one that nobody waits
/// for any more, and each holds one of the threads that the whole hub shares.
const MAX_LOOK_UPS: usize = 4;

/// How far an endpoint's connection may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses alone.
    Public,
    /// Loopback and private ranges too: `private = true`.
    Private,
}

/// An address that an endpoint may not be reached at.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Link-local, metadata, multicast or not an address of a host at all.
    #[error("its address is link-local, a metadata service's or no host's, and is never allowed")]
    Never,
    /// Loopback or private.
    #[error("its address is loopback or private; allow it with `private = true` at the endpoint")]
    Private,
}

/// Whether an address may be connected to.
///
/// # Errors
/// [`Refused`] says whether the configuration could allow it.
pub fn check(address: IpAddr, reach: Reach) -> Result<(), Refused> {
    let (never, private) = match canonical(address) {
        IpAddr::V4(v4) => (never_v4(v4), private_v4(v4)),
        IpAddr::V6(v6) => (never_v6(v6), private_v6(v6)),
    };
    match (never, private, reach) {
        (true, _, _) => Err(Refused::Never),
        (false, true, Reach::Public) => Err(Refused::Private),
        _ => Ok(()),
    }
}

/// The IPv4 address inside an IPv6 one, where it has one: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

fn never_v4(address: Ipv4Addr) -> bool {
    // Metadata services outside the link-local range: Azure, Alibaba Cloud, Oracle Cloud.
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    let [first, ..] = address.octets();
    first == 0
        || first >= 224 // multicast, reserved, broadcast
        || address.is_link_local()
        || METADATA.contains(&address)
}

fn private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || (first == 100 && (64..128).contains(&second)) // RFC 6598
        || (first == 192 && second == 0 && third == 0) // RFC 6890
        || (first == 198 && (18..20).contains(&second)) // RFC 2544
}

fn never_v6(address: Ipv6Addr) -> bool {
    // Metadata services of AWS and Google Cloud in the unique local range.
    const METADATA: [Ipv6Addr; 2] =
        [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];
    address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local() || METADATA.contains(&address)
}

fn private_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    address.is_loopback()
        || address.is_unique_local()
        || first & 0xffc0 == 0xfec0 // site-local, RFC 3879
        || (first == 0x64 && second == 0xff9b) // local NAT64, RFC 8215
        || (first == 0x2001 && second == 0) // Teredo
}

/// The hub's own name look-up: the operating system's, with every address checked.
#[derive(Clone, Debug)]
pub struct CheckedResolver {
    /// How far its addresses may reach.
    reach: Reach,
    /// A place is held until the operating system has answered, not only for as long as somebody waits.
    places: Arc<Semaphore>,
}

impl CheckedResolver {
    /// The look-up of one endpoint.
    pub fn new(reach: Reach) -> Self {
        Self { reach, places: Arc::new(Semaphore::new(MAX_LOOK_UPS)) }
    }
}

/// A name none of whose addresses may be connected to.
#[derive(Debug)]
struct NoAddress(Option<Refused>);

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(refused) => fmt::Display::fmt(refused, f),
            None => f.write_str("its name has no address"),
        }
    }
}

impl std::error::Error for NoAddress {}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, places) = (self.reach, Arc::clone(&self.places));
        Box::pin(async move {
            let place = places.acquire_owned().await?;
            let look_up = move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(place);
                found
            };
            let (allowed, refused) = sort(tokio::task::spawn_blocking(look_up).await??, reach);
            if allowed.is_empty() {
                return Err(NoAddress(refused).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn sort(found: impl Iterator<Item = SocketAddr>, reach: Reach) -> (Vec<SocketAddr>, Option<Refused>) {
    let mut allowed = Vec::new();
    let mut refused = None;
    for address in found.take(MAX_ADDRESSES) {
        match check(address.ip(), reach) {
            Ok(()) => allowed.push(address),
            Err(why) => refused = Some(why),
        }
    }
    (allowed, refused)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn ip(text: &str) -> IpAddr {
        IpAddr::from_str(text).unwrap()
    }

    #[test]
    fn metadata_and_link_local_are_never_reached() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "168.63.129.16",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
            "::",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
        ] {
            assert_eq!(check(ip(text), Reach::Private), Err(Refused::Never), "{text}");
        }
    }

    #[test]
    fn private_ranges_need_the_word_of_the_operator() {
        for text in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "::1",
            "fd12::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert_eq!(check(ip(text), Reach::Public), Err(Refused::Private), "{text}");
            assert_eq!(check(ip(text), Reach::Private), Ok(()), "{text}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for text in ["93.184.216.34", "172.32.0.1", "2606:2800:220:1::1", "::ffff:8.8.8.8"] {
            assert_eq!(check(ip(text), Reach::Public), Ok(()), "{text}");
        }
    }

    #[test]
    fn of_a_name_with_several_addresses_only_those_that_may_be_reached_are_left() {
        let found = ["93.184.216.34:0", "127.0.0.1:0", "169.254.169.254:0", "[::1]:0"];
        let found = || found.iter().map(|text| text.parse().unwrap());
        let left = |reach| sort(found(), reach).0.iter().map(|one| one.ip().to_string()).collect::<Vec<_>>();
        assert_eq!(left(Reach::Public), ["93.184.216.34"]);
        assert_eq!(left(Reach::Private), ["93.184.216.34", "127.0.0.1", "::1"]);
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_refused_unless_private() {
        let look_up = |reach| CheckedResolver::new(reach).resolve(Name::from_str("localhost").unwrap());
        let refused = look_up(Reach::Public).await.map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("private = true"), "{refused}");
        assert!(look_up(Reach::Private).await.unwrap().count() > 0);
    }
}
