//! What absolute URLs begin with.
//!
//! Clients follow the URLs of a reply verbatim, with their key: the host has to be the one that
//! they used. A configured public URL wins. Else it is the Host of the request, or what a trusted
//! proxy says the Host was; nobody else's `Forwarded` counts.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, request};
use url::Url;
use wire::ErrorCode;

use crate::app::App;
use crate::refusal::Refusal;

/// The two ends of a connection; an extension of each request that came over one.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The client, or the last proxy.
    pub remote: SocketAddr,
    /// This server.
    pub local: SocketAddr,
}

/// What absolute URLs of this reply begin with; no slash at its end.
#[derive(Debug, Clone)]
pub(crate) struct Base(pub(crate) String);

/// A DNS name has at most 253 characters; then a colon and a port.
const MAX_HOST_CHARS: usize = 260;

/// The Host header cannot be made part of a URL.
#[derive(Debug, thiserror::Error)]
#[error("the `Host` header is not one host name")]
pub(crate) struct BadHost;

// === impl Base ===

impl Base {
    /// `path` begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        [&self.0, path].concat()
    }
}

impl FromRequestParts<App> for Base {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(url) = &app.config().public_url {
            return Ok(Self(url.as_str().to_owned()));
        }
        let peer = parts.extensions.get::<Peer>().copied();
        let trusted = peer.is_some_and(|peer| {
            app.config().trusted_proxies.iter().any(|network| network.contains(peer.remote.ip()))
        });
        Ok(of_request(parts, peer, trusted)?)
    }
}

fn of_request(parts: &request::Parts, peer: Option<Peer>, trusted: bool) -> Result<Base, BadHost> {
    let (proto, forwarded) = if trusted { forwarded(&parts.headers) } else { (None, None) };
    let scheme =
        if proto.is_some_and(|p| p.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    if let Some(host) = forwarded.filter(|host| is_host(host)) {
        return Ok(Base(format!("{scheme}://{host}")));
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        // Two of them are two readings of the same request (RFC 9112, section 3.2).
        return Err(BadHost);
    }
    let host = match (host, parts.uri.authority(), peer) {
        // The target's own authority wins over Host (RFC 9112, section 3.2.2).
        (_, Some(authority), _) => authority.to_string(),
        (Some(host), None, _) => host.to_str().map_err(|_| BadHost)?.trim().to_owned(),
        (None, None, Some(peer)) => peer.local.to_string(),
        (None, None, None) => return Err(BadHost),
    };
    if is_host(&host) { Ok(Base(format!("{scheme}://{host}"))) } else { Err(BadHost) }
}

/// Proto and host as the nearest proxy, whose entry is the last, saw them.
fn forwarded(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let last = |name: &str| {
        let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        value.rsplit(',').next().map(str::trim).filter(|text| !text.is_empty())
    };
    let (mut proto, mut host) = (last("x-forwarded-proto"), last("x-forwarded-host"));
    for pair in last(FORWARDED.as_str()).into_iter().flat_map(|entry| entry.split(';')) {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "proto" => proto = Some(value),
            "host" => host = Some(value),
            _ => {}
        }
    }
    (proto, host)
}

/// A name or address, with a port or without, which stays what it is when a path is appended.
fn is_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    (1..=MAX_HOST_CHARS).contains(&text.len())
        && (is_plain_host(text)
            || text.bytes().all(plain) && Url::parse(&format!("http://{text}/")).is_ok())
}

/// The hosts that nearly all calls name, told without a parser of URLs: an IPv4 address, or a
/// name whose last label begins with a letter and that has no label in punycode.
fn is_plain_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "80"));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_name = || {
        name.split('.').all(is_label)
            && name
                .rsplit('.')
                .next()
                .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok()
        && (name.parse::<Ipv4Addr>().is_ok() || is_name())
}

impl From<BadHost> for Refusal {
    fn from(error: BadHost) -> Self {
        Self::new(ErrorCode::Malformed, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(headers: &[(&str, &str)], trusted: bool) -> Option<String> {
        let mut request = http::Request::builder().uri("/v1/models");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let peer = "127.0.0.1:9".parse().unwrap();
        let peer = Peer { remote: peer, local: "127.0.0.1:8080".parse().unwrap() };
        of_request(&parts, Some(peer), trusted).ok().map(|base| base.0)
    }

    #[test]
    fn is_the_host_that_the_client_used() {
        assert_eq!(base(&[("host", "h:81")], false).as_deref(), Some("http://h:81"));
        assert_eq!(base(&[("host", "[::1]:81")], false).as_deref(), Some("http://[::1]:81"));
        assert_eq!(base(&[], false).as_deref(), Some("http://127.0.0.1:8080"));
    }

    #[test]
    fn a_plain_host_is_one_that_the_parser_takes_too() {
        let parses = |text: &str| Url::parse(&format!("http://{text}/")).is_ok();
        for host in ["h", "h:81", "127.0.0.1:8080", "a-b.c1.example", "localhost:65535"] {
            assert!(is_plain_host(host) && parses(host), "{host}");
        }
        for host in [
            "1.2.3", "a.1", "h:", "h:65536", "h:+1", "a..b", ".", "xn--a", "[::1]", "H", "01.2.3.4",
        ] {
            assert!(!is_plain_host(host), "{host}");
        }
    }

    #[test]
    fn refuses_a_host_that_would_change_the_url() {
        for host in ["h/evil", "user@h", "h?x", "", "h h", "a:b:c", "h\\x"] {
            assert_eq!(base(&[("host", host)], false), None, "{host:?}");
        }
    }

    #[test]
    fn refuses_two_hosts() {
        assert_eq!(base(&[("host", "h"), ("host", "h")], false), None);
    }

    #[test]
    fn only_a_trusted_proxy_may_say_what_the_host_was() {
        let said =
            [("host", "inner"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "o.example")];
        assert_eq!(base(&said, false).as_deref(), Some("http://inner"));
        assert_eq!(base(&said, true).as_deref(), Some("https://o.example"));
        let standard = [
            ("host", "inner"),
            (
                "forwarded",
                "for=1.2.3.4;proto=http;host=spoofed, for=10.0.0.1;Proto=https;host=\"o.example:444\"",
            ),
        ];
        assert_eq!(base(&standard, true).as_deref(), Some("https://o.example:444"));
        let wrong =
            [("host", "inner"), ("x-forwarded-host", "a/b"), ("x-forwarded-proto", "https")];
        assert_eq!(base(&wrong, true).as_deref(), Some("https://inner"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_taken_for_a_host_stays_the_host_of_the_url(text in ".{0,20}|[a-z0-9.:\\[\\]@/?#_-]{0,20}") {
            if is_host(&text) {
                let url = Url::parse(&format!("http://{text}/files/t/n"));
                proptest::prop_assert!(url.is_ok_and(|url| url.path() == "/files/t/n"
                    && url.username().is_empty() && url.query().is_none()));
            }
        }
    }
}
