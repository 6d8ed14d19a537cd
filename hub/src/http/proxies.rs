//! Who really asks, where the hub stands behind proxies: `[http] proxies`.
//!
//! `X-Forwarded-For` is a list that each proxy adds the address to that it was asked from, and that a caller may begin
//! with whatever it likes. So it is read from the right, only from a trusted peer on and only through trusted proxies:
//! the first address that is none of them is the caller. Nothing to the left of it is believed.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, de};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies between a caller and the hub.
const MOST_HOPS: usize = 32;

/// The networks whose word is taken for where a request came from. None, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Proxies(Vec<Network>);

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected a network or an address, such as 10.0.0.0/8, 192.0.2.7 or fd00::/8".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| expected()))?;
        if bits > most {
            return Err(expected());
        }
        Ok(Self { address, bits })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Proxies {
    /// Where a request came from whose connection is from `peer`.
    #[must_use]
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        if !self.trusts(caller) {
            return caller;
        }
        let lines: Vec<&HeaderValue> = headers.get_all(FORWARDED_FOR).iter().collect();
        // Bytes, not text: a caller's rubbish at the left takes nothing from what proxies wrote to the right of it.
        let hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.take(MOST_HOPS) {
            // What is no address was not written by a proxy that does its work: the last one known stands for it.
            let Some(address) = str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) else { return caller };
            caller = address;
            if !self.trusts(caller) {
                return caller;
            }
        }
        caller
    }

    /// Whether this is one of them.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }
}

/// An address as proxies write it: alone, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse::<IpAddr>().ok();
    alone.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())).map(|address| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        Proxies(networks.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn caller(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                HeaderName::from_bytes(b"X-FORWARDED-For").unwrap(),
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        proxies.caller(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_header_counts_from_trusted_peers_alone_and_from_the_right() {
        let ours = proxies(&["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
        for (peer, lines, expected) in [
            ("198.51.100.1", &["203.0.113.9"][..], "198.51.100.1"),
            ("10.1.2.3", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.1.2.3", &["203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["1.1.1.1, 203.0.113.9, 192.0.2.7"], "203.0.113.9"),
            ("10.1.2.3", &["1.1.1.1, 203.0.113.9", "192.0.2.7, 10.9.9.9"], "203.0.113.9"),
            ("10.1.2.3", &["10.7.7.7"], "10.7.7.7"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["nonsense"], "10.1.2.3"),
            ("10.1.2.3", &["ä, 203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["203.0.113.9, ä"], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9, nonsense, 10.4.4.4"], "10.4.4.4"),
            ("10.1.2.3", &["203.0.113.9,"], "10.1.2.3"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["203.0.113.9:80"], "203.0.113.9"),
            ("10.1.2.3", &["::ffff:203.0.113.9"], "203.0.113.9"),
        ] {
            assert_eq!(caller(&ours, peer, lines), expected, "{peer} {lines:?}");
        }
        assert_eq!(caller(&Proxies::default(), "10.1.2.3", &["203.0.113.9"]), "10.1.2.3");
        let endless = vec!["10.0.0.1"; 10_000].join(",");
        assert_eq!(caller(&ours, "10.1.2.3", &[&format!("1.1.1.1,{endless}")]), "10.0.0.1");
    }

    #[test]
    fn networks_are_read_strictly() {
        for good in ["0.0.0.0/0", "::/0", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "10.1.2.3/32"] {
            assert!(good.parse::<Network>().is_ok(), "{good}");
        }
        for bad in
            ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "proxy.example", "10.0.0.0/ 8"]
        {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert_eq!(caller(&proxies(&["0.0.0.0/0"]), "198.51.100.1", &["203.0.113.9"]), "203.0.113.9");
    }
}
