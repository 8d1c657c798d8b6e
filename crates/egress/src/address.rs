//! Which IP addresses are public.
//!
//! The tables are the IANA special-purpose address registries
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>) with multicast and what was
//! deprecated. Blocks that are reachable but serve no media (AS112, AMT, relay anycast) are
//! refused too. Of IPv6, only 2000::/3 is handed out as global unicast (RFC 4291, section 2.4);
//! all else is refused whether it is listed or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses that no input may be fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What it is for, with its source: `private network (RFC 1918)`.
    pub purpose: &'static str,
}

struct V4 {
    network: Ipv4Addr,
    bits: u32,
    purpose: &'static str,
}

struct V6 {
    network: Ipv6Addr,
    bits: u32,
    purpose: &'static str,
}

const fn v4(octets: [u8; 4], bits: u32, purpose: &'static str) -> V4 {
    V4 { network: Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), bits, purpose }
}

const fn v6(head: [u16; 4], bits: u32, purpose: &'static str) -> V6 {
    let network = Ipv6Addr::new(head[0], head[1], head[2], head[3], 0, 0, 0, 0);
    V6 { network, bits, purpose }
}

/// More specific blocks come first: the first match names the purpose.
const SPECIAL_V4: &[V4] = &[
    v4([0, 0, 0, 0], 8, "this network (RFC 791)"),
    v4([10, 0, 0, 0], 8, "private network (RFC 1918)"),
    v4([100, 64, 0, 0], 10, "carrier-grade NAT (RFC 6598)"),
    v4([127, 0, 0, 0], 8, "loopback (RFC 1122)"),
    v4([168, 63, 129, 16], 32, "a cloud's host agent (Azure WireServer)"),
    v4([169, 254, 0, 0], 16, "link-local and cloud metadata (RFC 3927)"),
    v4([172, 16, 0, 0], 12, "private network (RFC 1918)"),
    v4([192, 0, 0, 0], 24, "protocol assignments (RFC 6890)"),
    v4([192, 0, 2, 0], 24, "documentation (RFC 5737)"),
    v4([192, 31, 196, 0], 24, "AS112 (RFC 7535)"),
    v4([192, 52, 193, 0], 24, "AMT (RFC 7450)"),
    v4([192, 88, 99, 0], 24, "6to4 relay anycast (RFC 7526)"),
    v4([192, 168, 0, 0], 16, "private network (RFC 1918)"),
    v4([192, 175, 48, 0], 24, "AS112 (RFC 7534)"),
    v4([198, 18, 0, 0], 15, "benchmarks (RFC 2544)"),
    v4([198, 51, 100, 0], 24, "documentation (RFC 5737)"),
    v4([203, 0, 113, 0], 24, "documentation (RFC 5737)"),
    v4([224, 0, 0, 0], 4, "multicast (RFC 5771)"),
    v4([255, 255, 255, 255], 32, "broadcast (RFC 919)"),
    v4([240, 0, 0, 0], 4, "reserved (RFC 1112)"),
];

const SPECIAL_V6: &[V6] = &[
    v6([0x64, 0xff9b, 1, 0], 48, "local NAT64 (RFC 8215)"),
    v6([0x100, 0, 0, 0], 64, "discard-only (RFC 6666)"),
    v6([0x100, 0, 0, 1], 64, "dummy prefix (RFC 9780)"),
    v6([0x2001, 0, 0, 0], 32, "Teredo (RFC 4380)"),
    v6([0x2001, 2, 0, 0], 48, "benchmarks (RFC 5180)"),
    v6([0x2001, 0x10, 0, 0], 28, "ORCHID (RFC 4843)"),
    v6([0x2001, 0x20, 0, 0], 28, "ORCHIDv2 (RFC 7343)"),
    v6([0x2001, 0x30, 0, 0], 28, "drone remote id (RFC 9374)"),
    v6([0x2001, 0, 0, 0], 23, "protocol assignments (RFC 2928)"),
    v6([0x2001, 0xdb8, 0, 0], 32, "documentation (RFC 3849)"),
    v6([0x2002, 0, 0, 0], 16, "6to4 (RFC 3056)"),
    v6([0x2620, 0x4f, 0x8000, 0], 48, "AS112 (RFC 7534)"),
    v6([0x3ffe, 0, 0, 0], 16, "6bone (RFC 3701)"),
    v6([0x3fff, 0, 0, 0], 20, "documentation (RFC 9637)"),
    v6([0x5f00, 0, 0, 0], 16, "segment routing (RFC 9602)"),
    v6([0xfc00, 0, 0, 0], 7, "unique local (RFC 4193)"),
    v6([0xfe80, 0, 0, 0], 10, "link-local (RFC 4291)"),
    v6([0xfec0, 0, 0, 0], 10, "site-local (RFC 3879)"),
    v6([0xff00, 0, 0, 0], 8, "multicast (RFC 4291)"),
];

const GLOBAL_UNICAST: V6 = v6([0x2000, 0, 0, 0], 3, "");

/// The well-known NAT64 prefix, 64:ff9b::/96 (RFC 6052). On an IPv6-only network, DNS64 answers
/// with it for every IPv4 host, so it is judged by the IPv4 address within.
const NAT64: u128 = 0x0064_ff9b << 96;

/// Nothing, where `address` is public; else the block that it lies in.
///
/// An IPv4-mapped address and a NAT64 one are judged by the IPv4 address within; the other forms
/// that embed one (IPv4-compatible, IPv4-translated, 6to4, Teredo) are refused altogether.
pub fn check(address: IpAddr) -> Result<(), Block> {
    match address {
        IpAddr::V4(address) => check_v4(address),
        IpAddr::V6(address) => check_v6(address),
    }
}

/// `::ffff:1.2.3.4` as `1.2.3.4`, which is what the kernel connects to.
pub const fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn check_v4(address: Ipv4Addr) -> Result<(), Block> {
    let number = u32::from(address);
    let hit = SPECIAL_V4.iter().find(|block| {
        let shift = 32 - block.bits;
        number.checked_shr(shift) == u32::from(block.network).checked_shr(shift)
    });
    hit.map_or(Ok(()), |block| Err(Block { purpose: block.purpose }))
}

fn check_v6(address: Ipv6Addr) -> Result<(), Block> {
    let number = u128::from(address);
    if let Some(mapped) = address.to_ipv4_mapped() {
        return check_v4(mapped);
    }
    if number >> 32 == NAT64 >> 32 {
        return check_v4(Ipv4Addr::from(number as u32));
    }
    let purpose = if number == 0 {
        "unspecified (RFC 4291)"
    } else if number == 1 {
        "loopback (RFC 4291)"
    } else if number >> 32 == 0 {
        "IPv4-compatible (RFC 4291)"
    } else if number >> 32 == 0xffff_0000 {
        "IPv4-translated (RFC 2765)"
    } else if let Some(block) = SPECIAL_V6.iter().find(|block| block.holds(number)) {
        block.purpose
    } else if GLOBAL_UNICAST.holds(number) {
        return Ok(());
    } else {
        "not global unicast (RFC 4291)"
    };
    Err(Block { purpose })
}

impl V6 {
    fn holds(&self, number: u128) -> bool {
        let shift = 128 - self.bits;
        number >> shift == u128::from(self.network) >> shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(text: &str) -> Option<&'static str> {
        check(text.parse().unwrap()).err().map(|block| block.purpose)
    }

    #[test]
    fn lets_public_addresses_through() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.101.0",
            "203.0.114.0",
            "223.255.255.255",
            "2600::1",
            "2606:4700:4700::1111",
            "2001:200::1",
            "2003::1",
            "2001:4860:4860::8888",
            "3fff:1000::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(purpose(text), None, "{text}");
        }
    }

    /// Both ends of every block, by its purpose.
    #[test]
    fn refuses_every_special_block_to_both_its_ends() {
        for block in SPECIAL_V4 {
            let first = u32::from(block.network);
            let last = first | u32::MAX.checked_shr(block.bits).unwrap_or(0);
            for number in [first, last] {
                let address = Ipv4Addr::from(number);
                assert!(check(address.into()).is_err(), "{address}");
            }
        }
        for block in SPECIAL_V6 {
            let first = u128::from(block.network);
            for number in [first, first | (u128::MAX >> block.bits)] {
                let address = Ipv6Addr::from(number);
                assert!(check(address.into()).is_err(), "{address}");
            }
        }
    }

    macro_rules! refused {
        ($($name:ident: $purpose:literal, $($text:literal),+;)+) => {$(
            #[test]
            fn $name() {
                for text in [$($text),+] {
                    assert_eq!(purpose(text), Some($purpose), "{text}");
                }
            }
        )+};
    }

    refused! {
        refuses_loopback: "loopback (RFC 1122)", "127.0.0.1", "127.255.255.254";
        refuses_loopback_v6: "loopback (RFC 4291)", "::1";
        refuses_unspecified: "this network (RFC 791)", "0.0.0.0", "0.1.2.3";
        refuses_unspecified_v6: "unspecified (RFC 4291)", "::";
        refuses_private: "private network (RFC 1918)", "10.0.0.1", "172.31.255.255", "192.168.1.1";
        refuses_metadata: "link-local and cloud metadata (RFC 3927)", "169.254.169.254";
        refuses_host_agents: "a cloud's host agent (Azure WireServer)", "168.63.129.16";
        refuses_cgnat: "carrier-grade NAT (RFC 6598)", "100.64.0.1", "100.100.100.200";
        refuses_protocol_assignments: "protocol assignments (RFC 6890)", "192.0.0.192";
        refuses_documentation: "documentation (RFC 5737)",
            "192.0.2.1", "198.51.100.1", "203.0.113.1";
        refuses_documentation_v6: "documentation (RFC 3849)", "2001:db8::1";
        refuses_new_documentation_v6: "documentation (RFC 9637)", "3fff::1", "3fff:fff::1";
        refuses_benchmarks: "benchmarks (RFC 2544)", "198.18.0.1", "198.19.255.255";
        refuses_benchmarks_v6: "benchmarks (RFC 5180)", "2001:2::1";
        refuses_multicast: "multicast (RFC 5771)", "224.0.0.1", "239.255.255.255";
        refuses_multicast_v6: "multicast (RFC 4291)", "ff02::1", "ff0e::1";
        refuses_reserved: "reserved (RFC 1112)", "240.0.0.1", "255.255.255.254";
        refuses_broadcast: "broadcast (RFC 919)", "255.255.255.255";
        refuses_relay_anycast: "6to4 relay anycast (RFC 7526)", "192.88.99.1";
        refuses_unique_local: "unique local (RFC 4193)", "fc00::1", "fd00:ec2::254";
        refuses_link_local_v6: "link-local (RFC 4291)", "fe80::1", "febf::1";
        refuses_site_local: "site-local (RFC 3879)", "fec0::1", "feff::1";
        refuses_discard_only: "discard-only (RFC 6666)", "100::1";
        refuses_teredo: "Teredo (RFC 4380)", "2001::1", "2001:0:808:808::1";
        refuses_6to4: "6to4 (RFC 3056)", "2002:7f00:1::1", "2002:808:808::1";
        refuses_orchid: "ORCHIDv2 (RFC 7343)", "2001:20::1";
        refuses_segment_routing: "segment routing (RFC 9602)", "5f00::1";
        refuses_v4_compatible: "IPv4-compatible (RFC 4291)", "::127.0.0.1", "::8.8.8.8";
        refuses_v4_translated: "IPv4-translated (RFC 2765)", "::ffff:0:127.0.0.1";
        refuses_local_nat64: "local NAT64 (RFC 8215)", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808";
        refuses_mapped_loopback: "loopback (RFC 1122)", "::ffff:127.0.0.1", "::ffff:7f00:1";
        refuses_mapped_metadata: "link-local and cloud metadata (RFC 3927)",
            "::ffff:169.254.169.254";
        refuses_nat64_of_private: "private network (RFC 1918)", "64:ff9b::10.0.0.1",
            "64:ff9b::c0a8:101";
        refuses_unallocated: "not global unicast (RFC 4291)", "4000::1", "1::1", "fe00::1";
    }
}
