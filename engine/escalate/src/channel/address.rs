//! Which network addresses a webhook may reach. Refuses everything that is not a public unicast address, in whatever
//! form it is written, unless an operator has listed it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

/// Why an address is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the target is {0}, which is not allowed unless listed in allow_private_targets")]
pub struct Forbidden(pub &'static str);

/// One entry of `allow_private_targets`: a host name, an address, or an address with prefix length.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Allowed {
    /// This host, whatever it resolves to.
    Host(String),
    /// Addresses sharing the first `prefix` bits.
    Net {
        /// First address.
        base: IpAddr,
        /// Bits.
        prefix: u8,
    },
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text.as_str(), None),
        };
        match (base.parse::<IpAddr>(), prefix) {
            (Ok(base), prefix) => {
                let bits = if base.is_ipv4() { 32 } else { 128 };
                let prefix = match prefix {
                    None => bits,
                    Some(p) => p
                        .parse()
                        .ok()
                        .filter(|p| *p <= bits)
                        .ok_or_else(|| format!("{text}: prefix must be 0 to {bits}"))?,
                };
                Ok(Self::Net { base, prefix })
            }
            (Err(_), None) if !text.is_empty() => Ok(Self::Host(text.to_ascii_lowercase())),
            _ => Err(format!("{text}: neither a host name nor an address/prefix")),
        }
    }
}

impl Allowed {
    /// Whether this entry lets `host` at `ip` pass.
    pub fn covers(&self, host: &str, ip: Option<IpAddr>) -> bool {
        match (self, ip) {
            (Self::Host(allowed), _) => allowed.eq_ignore_ascii_case(host),
            (Self::Net { base: IpAddr::V4(base), prefix }, Some(IpAddr::V4(ip))) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
                u32::from(*base) & mask == u32::from(ip) & mask
            }
            (Self::Net { base: IpAddr::V6(base), prefix }, Some(IpAddr::V6(ip))) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(*prefix)).unwrap_or(0);
                u128::from(*base) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

/// Passes `ip` when it is public, or when `allowed` covers it.
///
/// # Errors
/// The class of address it belongs to.
pub fn vet(host: &str, ip: IpAddr, allowed: &[Allowed]) -> Result<(), Forbidden> {
    match class(ip) {
        Some(class) if !allowed.iter().any(|a| a.covers(host, Some(ip))) => Err(Forbidden(class)),
        _ => Ok(()),
    }
}

/// Resolves `host` once and passes on only if **every** address does: a name that also points inside is no mistake.
///
/// # Errors
/// Resolution failed, or an address is forbidden.
pub async fn resolve(
    host: &str,
    port: u16,
    allowed: &[Allowed],
) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    for address in &addresses {
        vet(host, address.ip(), allowed)?;
    }
    Ok(addresses)
}

/// The class that keeps an address out; none for public unicast.
fn class(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => class_v4(ip),
        IpAddr::V6(ip) => class_v6(ip),
    }
}

fn class_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    Some(match (a, b, c) {
        (0, ..) => "an unspecified address",
        (127, ..) => "a loopback address",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "a carrier-grade NAT address",
        (169, 254, _) => "a link-local address",
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (198, 18..=19, _) | (192, 88, 99) => {
            "a reserved address"
        }
        (224..=239, ..) => "a multicast address",
        (240..=255, ..) => "a reserved address",
        _ => return None,
    })
}

fn class_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        class_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        [0, 0, 0, 0, 0, 0xffff, high, low] => embedded(high, low),
        [0, 0, 0, 0, 0, 0, ..] => Some("an IPv4-compatible address"),
        [0, 0, 0, 0, 0xffff, 0, ..] => Some("an IPv4-translated address"),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        [0x64, 0xff9b, ..] => Some("a local NAT64 address"),
        [0x2001, 0, ..] => Some("a Teredo address"),
        [0x2001, 0xdb8, ..] | [0x100, 0, 0, 0, ..] => Some("a reserved address"),
        [0xfc00..=0xfdff, ..] => Some("a unique local address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_unicast_passes() {
        let table = [
            ("8.8.8.8", true),
            ("100.63.255.255", true),
            ("172.32.0.1", true),
            ("2606:4700::1111", true),
            ("64:ff9b::808:808", true),
            ("2002:808:808::1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("169.254.169.254", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("198.18.0.1", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b:1::1", false),
            ("2002:7f00:1::", false),
            ("2001::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ];
        for (text, public) in table {
            assert_eq!(vet("h", text.parse().unwrap(), &[]).is_ok(), public, "{text}");
        }
    }

    #[test]
    fn lists_open_exactly_what_they_name() {
        let allowed: Vec<Allowed> = ["10.1.0.0/16", "hooks.internal", "::1", "0.0.0.0/0"]
            .map(|t| Allowed::try_from(t.to_owned()).unwrap())
            .to_vec();
        assert!(vet("x", "10.1.9.9".parse().unwrap(), &allowed[..1]).is_ok());
        assert!(vet("x", "10.2.0.1".parse().unwrap(), &allowed[..1]).is_err());
        assert!(vet("HOOKS.internal", "192.168.0.1".parse().unwrap(), &allowed[1..2]).is_ok());
        assert!(vet("hooks.internal.evil", "192.168.0.1".parse().unwrap(), &allowed[1..2]).is_err());
        assert!(vet("x", "::1".parse().unwrap(), &allowed[2..3]).is_ok());
        assert!(vet("x", "127.0.0.1".parse().unwrap(), &allowed[3..]).is_ok());
        for bad in ["", "10.0.0.0/33", "nope/8"] {
            assert!(Allowed::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
