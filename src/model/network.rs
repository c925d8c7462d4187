//! Networks of IP addresses.

use std::net::IpAddr;

/// An IP network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or an address alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).ok()?;
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => same_start(network.to_bits().into(), address.to_bits().into(), 32 - self.prefix),
            (IpAddr::V6(network), IpAddr::V6(address)) => same_start(network.to_bits(), address.to_bits(), 128 - self.prefix),
            _ => false,
        }
    }
}

/// Whether two numbers agree but for their last bits.
fn same_start(one: u128, other: u128, last_bits: u8) -> bool {
    (one ^ other).checked_shr(u32::from(last_bits)).unwrap_or(0) == 0
}
