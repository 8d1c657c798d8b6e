//! Where a URL leads, and whether it may be followed there.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use crate::error::FetchError;

/// A host that the operator exempts from the rules about https and public addresses, written
/// `HOST` or `HOST:PORT`; IPv6 addresses in brackets.
///
/// It counts for URLs that name the host in just this form: exempting a name does not exempt its
/// address, nor the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    host: Host<String>,
    port: Option<u16>,
}

/// A text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST or HOST:PORT, such as `media.example.com` or `127.0.0.1:9000`")]
pub struct BadExempt(String);

/// A URL that passed all rules that can be checked without DNS.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) exempt: bool,
}

// === impl Exempt ===

impl Exempt {
    /// Whether the exemption is for `host`, as a URL has it, at `port`.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        let url = Url::parse(&format!("https://{host}/")).ok();
        url.and_then(|url| Some(tidy(&url.host()?))).is_some_and(|host| self.covers(&host, port))
    }

    fn covers(&self, host: &Host<String>, port: u16) -> bool {
        self.host == *host && self.port.is_none_or(|exact| exact == port)
    }
}

impl FromStr for Exempt {
    type Err = BadExempt;

    fn from_str(text: &str) -> Result<Self, BadExempt> {
        let bad = || BadExempt(text.chars().take(100).collect());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| bad())?))
            }
            _ => (text, None),
        };
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| bad())?;
        let plain = url.path() == "/" && url.username().is_empty() && url.port().is_none();
        match url.host() {
            Some(found) if plain && url.query().is_none() && url.fragment().is_none() => {
                Ok(Self { host: tidy(&found), port })
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Exempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

// === impl Target ===

impl Target {
    /// Checks scheme, credentials and host. The `url` crate has by then turned decimal, octal,
    /// hexadecimal and shortened IPv4 hosts into addresses, lower-cased names and refused zone
    /// ids.
    pub(crate) fn admit(url: Url, exempt: &[Exempt]) -> Result<Self, FetchError> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(FetchError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Credentials);
        }
        let missing = || FetchError::BadUrl("it names no host".to_owned());
        let host = tidy(&url.host().ok_or_else(missing)?);
        let port = url.port_or_known_default().ok_or_else(missing)?;
        let exempt = exempt.iter().any(|entry| entry.covers(&host, port));
        if !tls && !exempt {
            return Err(FetchError::Scheme("http".to_owned()));
        }
        let target = Self { url, host, port, tls, exempt };
        match target.address() {
            Some(address) => target.check(address).map(|()| target),
            None => Ok(target),
        }
    }

    /// Whether `address` may be connected for this target.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), FetchError> {
        match crate::address::check(address) {
            Err(block) if !self.exempt => {
                Err(FetchError::NotPublic { host: self.host.to_string(), purpose: block.purpose })
            }
            _ => Ok(()),
        }
    }

    /// The address, where the URL names one instead of a name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// The host as it may be shown.
    pub(crate) fn name(&self) -> String {
        self.host.to_string()
    }
}

/// A host without the dot that ends a fully qualified name.
fn tidy(host: &Host<&str>) -> Host<String> {
    match *host {
        Host::Domain(name) => {
            Host::Domain(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
        }
        Host::Ipv4(address) => Host::Ipv4(address),
        Host::Ipv6(address) => Host::Ipv6(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(text: &str, exempt: &[&str]) -> Result<Target, FetchError> {
        let exempt: Vec<Exempt> = exempt.iter().map(|text| text.parse().unwrap()).collect();
        Target::admit(Url::parse(text).unwrap(), &exempt)
    }

    #[test]
    fn only_https_is_fetched() {
        assert!(admit("https://cdn.example.com/a", &[]).is_ok());
        for scheme in ["http", "ftp", "file", "gopher", "data", "ws"] {
            let refused = admit(&format!("{scheme}://cdn.example.com/a"), &[]);
            assert_eq!(refused.unwrap_err(), FetchError::Scheme(scheme.to_owned()));
        }
    }

    #[test]
    fn credentials_are_refused_even_for_exempt_hosts() {
        for url in ["https://u@h.example/", "https://u:p@h.example/", "https://:p@h.example/"] {
            assert_eq!(admit(url, &["h.example"]).unwrap_err(), FetchError::Credentials, "{url}");
        }
    }

    #[test]
    fn odd_forms_of_an_address_are_that_address() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "0",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
        ] {
            let refused = admit(&format!("https://{host}/x"), &[]).unwrap_err();
            assert!(matches!(refused, FetchError::NotPublic { .. }), "{host}: {refused}");
        }
    }

    #[test]
    fn hosts_that_are_no_hosts_do_not_parse() {
        for text in [
            "https://[fe80::1%25eth0]/",
            "https://[::1/",
            "https:///",
            "https://256.1.1.1/",
            "https://1.2.3.4.5/",
            "https://a b/",
            "https://0x100000000/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_exemption_is_for_its_host_and_port_alone() {
        let exempt = ["127.0.0.1:9000", "media.internal", "[::1]:80"];
        for url in [
            "http://127.0.0.1:9000/a",
            "https://media.internal/a",
            "http://media.internal:8080/",
            "http://MEDIA.internal./",
            "http://[::1]/",
            "http://2130706433:9000/",
        ] {
            assert!(admit(url, &exempt).unwrap().exempt, "{url}");
        }
        for url in [
            "http://127.0.0.1:9001/a",
            "https://127.0.0.1/a",
            "http://127.0.0.2:9000/a",
            "http://x.media.internal/a",
            "http://media.internal.evil.example/",
            "https://[::1]/",
        ] {
            assert!(admit(url, &exempt).is_err(), "{url}");
        }
    }

    #[test]
    fn exemptions_that_are_no_hosts_are_refused() {
        for text in ["", "a:b", "a/b", "http://a", "u@a", "a:70000", "a?b", "a:"] {
            assert!(text.parse::<Exempt>().is_err(), "{text}");
        }
        assert_eq!(
            "Media.Internal:9000".parse::<Exempt>().unwrap().to_string(),
            "media.internal:9000"
        );
    }
}
