//! Which addresses may be connected to: those of the public internet, and those that the owner allows. It looks at the
//! address of the connection itself, so that neither a name nor a redirect leads past it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::names::Names;
use crate::model::Network;

/// Why no connection is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum GuardError {
    /// The address is none of the public internet.
    #[error("{host} is at {address}, which is no public address; `poll.allow_addresses` can name it")]
    Refused {
        /// As asked for.
        host: String,
        /// As resolved.
        address: IpAddr,
    },
    /// The name is none of the public internet.
    #[error("{host} is no public name, and a proxy would resolve it; ask this source without one")]
    PrivateName {
        /// As asked for.
        host: String,
    },
    /// No address is known for the name.
    #[error("no address is known for {host}: {reason}")]
    Unknown {
        /// As asked for.
        host: String,
        /// What the resolver says.
        reason: String,
    },
}

/// The addresses that may be connected to.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    allowed: Arc<[Network]>,
    names: Names,
}

/// Names that lead into a network of one's own, whoever resolves them (RFC 6761, RFC 6762, RFC 8375, RFC 9476).
const PRIVATE_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

impl Guard {
    pub(super) fn new(allowed: &[Network]) -> Self {
        Self { allowed: allowed.into(), names: Names::default() }
    }

    /// Checks a URL that names an address itself, which no resolver ever sees.
    pub(super) fn check(&self, url: &Url) -> Result<(), GuardError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ => return Ok(()),
        };
        if self.allows(address) { Ok(()) } else { Err(GuardError::Refused { host: address.to_string(), address }) }
    }

    /// Checks the name that a URL asks for, where a proxy resolves it: that one's addresses are never seen here.
    pub(super) fn check_name(&self, url: &Url) -> Result<(), GuardError> {
        self.check(url)?;
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        let name = name.trim_end_matches('.');
        let is_below = |top: &str| name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let is_private = !name.contains('.') || PRIVATE_NAMES.iter().any(|top| is_below(top));
        if is_private { Err(GuardError::PrivateName { host: name.to_owned() }) } else { Ok(()) }
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }

    fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, GuardError> {
        let unknown = |reason: String| GuardError::Unknown { host: host.to_owned(), reason };
        let all = match self.names.addresses(host, Instant::now()) {
            Some(known) => known,
            None => {
                let found: Vec<_> = (host, 0).to_socket_addrs().map_err(|error| unknown(error.to_string()))?.collect();
                self.names.keep(host, &found, Instant::now());
                found
            }
        };
        let allowed: Vec<_> = all.iter().copied().filter(|address| self.allows(address.ip())).collect();
        match (allowed.is_empty(), all.first()) {
            (false, _) => Ok(allowed),
            (true, Some(first)) => Err(GuardError::Refused { host: host.to_owned(), address: first.ip() }),
            (true, None) => Err(unknown("the name has no address".to_owned())),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || guard.addresses(name.as_str())).await?;
            Ok(Box::new(found?.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet (IANA's special-purpose registries); an IPv6 address that carries an
/// IPv4 one is not, whatever it carries, but for a mapped one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => matches!((b, c), (0, 0 | 2) | (31, 196) | (52, 193) | (88, 99) | (168, _) | (175, 48)),
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !special
}

/// Only `2000::/3` is given to anyone; in it Teredo, ORCHID, 6to4 and the ranges of documentation are not. NAT64 and all
/// other special ranges lie outside.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [.., a, b, c, d] = address.octets();
    // ISATAP (RFC 5214) may stand below any prefix, and leads to the IPv4 address at its end.
    let leads_astray = matches!(segments[4..6], [0 | 0x0200, 0x5efe]) && !is_public_v4(Ipv4Addr::new(a, b, c, d));
    let special = match (segments[0], segments[1]) {
        (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff) => true,
        (first, _) => first & 0xe000 != 0x2000,
    };
    !special && !leads_astray
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<Network> = allowed.iter().map(|network| Network::parse(network).unwrap()).collect();
        Guard::new(&allowed).check(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn every_form_of_a_private_address_is_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.5",
            "192.88.99.1",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[100::1]",
            "[3fff::1]",
            "[5f00::1]",
            "[2001:20::1]",
            "[2606:2800:220:1:0:5efe:127.0.0.1]",
            "[2606:2800:220:1:200:5efe:10.0.0.1]",
        ] {
            assert!(refused(&format!("http://{host}/feed"), &[]), "{host}");
        }
    }

    #[test]
    fn public_addresses_and_named_networks_are_allowed() {
        for host in [
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:2800:220:1::1]",
            "[2a00:1450::1]",
            "[::ffff:93.184.216.34]",
            "example.org",
        ] {
            assert!(!refused(&format!("http://{host}/feed"), &[]), "{host}");
        }
        assert!(!refused("http://10.1.2.3/", &["10.0.0.0/8"]));
        assert!(refused("http://11.0.0.1.nip.example/", &[]) == refused("http://example.org/", &[]));
        assert!(refused("http://127.0.0.2/", &["127.0.0.1"]));
        assert!(!refused("http://[fd00::5]/", &["fd00::/16", "0.0.0.0/0"]));
        assert!(Network::parse("10.0.0.0/33").is_none() && Network::parse("x").is_none());
    }

    #[test]
    fn a_name_that_leads_to_a_private_address_is_refused_each_time() {
        let guard = Guard::new(&[]);
        for _ in 0..2 {
            let error = guard.addresses("localhost").unwrap_err();
            assert!(matches!(error, GuardError::Refused { .. }), "{error}");
        }
    }

    #[test]
    fn through_a_proxy_the_name_itself_is_checked() {
        let allowed = |host: &str| Guard::new(&[]).check_name(&Url::parse(&format!("http://{host}/")).unwrap()).is_ok();
        for host in ["localhost", "x.localhost.", "printer", "nas.local", "db.internal", "router.home.arpa", "127.0.0.1", "[::1]"] {
            assert!(!allowed(host), "{host}");
        }
        for host in ["example.org", "notlocal.example", "mylocal.org", "93.184.216.34", "abcdef.onion"] {
            assert!(allowed(host), "{host}");
        }
    }
}
