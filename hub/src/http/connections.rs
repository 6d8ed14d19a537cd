//! How many connections there may be: in all, and from one address, so that nobody takes all of them.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::host;
use super::proxies::Proxies;
use super::shares::{Share, Shares};

/// `limits.connections`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionLimits {
    /// In all; further ones wait in the kernel's queue.
    pub total: NonZeroU32,
    /// From one address; further ones are closed. Trusted proxies stand for many callers and have no such limit.
    pub address: NonZeroU32,
}

/// The connections that there are.
pub struct Connections {
    places: Arc<Semaphore>,
    limits: ConnectionLimits,
    shares: Shares<IpAddr>,
}

/// A place for a connection, which nobody has yet.
pub struct Place {
    place: Option<OwnedSemaphorePermit>,
    most: u32,
    shares: Shares<IpAddr>,
}

/// A place that is taken until this is dropped.
pub struct Taken {
    _place: Option<OwnedSemaphorePermit>,
    _share: Option<Share<IpAddr>>,
}

impl Connections {
    /// None yet.
    pub fn new(limits: ConnectionLimits) -> Self {
        let total = usize::try_from(limits.total.get()).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(total)), limits, shares: Shares::default() }
    }

    /// Waits for a place.
    pub async fn place(&self) -> Place {
        // Nobody closes it.
        let place = self.places.clone().acquire_owned().await.ok();
        Place { place, most: self.limits.address.get(), shares: self.shares.clone() }
    }
}

impl Place {
    /// Gives it to a connection from `peer`; `None` where that address has its share.
    pub fn taken_by(self, proxies: &Proxies, peer: IpAddr) -> Option<Taken> {
        if proxies.trusts(peer.to_canonical()) {
            return Some(Taken { _place: self.place, _share: None });
        }
        let share = self.shares.take(host(peer), self.most)?;
        Some(Taken { _place: self.place, _share: Some(share) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_its_share_and_a_proxy_none() {
        let limits = |total, address| ConnectionLimits {
            total: NonZeroU32::new(total).unwrap(),
            address: NonZeroU32::new(address).unwrap(),
        };
        let connections = Connections::new(limits(5, 2));
        let proxies: Proxies = serde_json::from_value(serde_json::json!(["10.0.0.0/8"])).unwrap();
        let take = async |peer: &str| connections.place().await.taken_by(&proxies, peer.parse().unwrap());
        let (first, second) = (take("2001:db8::1").await.unwrap(), take("2001:db8::2").await.unwrap());
        assert!(take("2001:db8::3").await.is_none(), "one host of IPv6 has a whole /64");
        drop(first);
        let third = take("2001:db8::3").await.unwrap();
        let proxied =
            [take("10.0.0.1").await.unwrap(), take("10.0.0.1").await.unwrap(), take("10.0.0.1").await.unwrap()];
        assert_eq!(connections.places.available_permits(), 0);
        drop((second, third, proxied));
        assert_eq!(connections.places.available_permits(), 5);
    }
}
