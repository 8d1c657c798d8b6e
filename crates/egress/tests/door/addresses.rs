//! Names that lead where nobody may go.

use egress::{FetchError, Options};
use testkit::{MediaHost, Reply};

use crate::support::{PUBLIC, World, read};

#[tokio::test]
async fn a_public_name_is_fetched_from_the_address_that_was_checked() {
    let world = World::new();
    world.on("/a.mp4", Reply::ok("film"));
    let body = read(world.get("https://media.test/a.mp4").await.unwrap()).await.unwrap();
    assert_eq!(body, b"film");
    assert_eq!(world.detour.dialled(), [format!("{PUBLIC}:443")]);
    assert_eq!(world.names.asked(), ["media.test"]);
}

/// Every class of address that a name may resolve to: none is ever dialled.
#[tokio::test]
async fn names_of_special_addresses_are_refused_before_a_connection() {
    let world = World::new();
    for address in [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        world.names.set("evil.test", &[&[address]]);
        match world.get("https://evil.test/a").await {
            Err(FetchError::NotPublic { host, .. }) => assert_eq!(host, "evil.test"),
            other => panic!("{address}: {:?}", other.err()),
        }
    }
    assert_eq!(world.detour.dialled(), Vec::<String>::new());
}

#[tokio::test]
async fn literal_addresses_are_refused_in_every_spelling_without_asking_dns() {
    let world = World::new();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "127.0.0.1.", "[::1]", "[fd00::1]"]
    {
        let fault = world.get(&format!("https://{host}/a")).await.err();
        assert!(matches!(fault, Some(FetchError::NotPublic { .. })), "{host}: {fault:?}");
    }
    assert!(world.names.asked().is_empty() && world.detour.dialled().is_empty());
}

#[tokio::test]
async fn public_literal_addresses_are_fetched() {
    let world = World::new();
    world.on("/a", Reply::ok("x"));
    for host in [PUBLIC, "[2606:4700::1]"] {
        let body = read(world.get(&format!("https://{host}/a")).await.unwrap()).await;
        assert_eq!(body.unwrap(), b"x");
    }
    let hosts: Vec<_> =
        world.host.requests().iter().map(|r| r.header("host").unwrap().to_owned()).collect();
    assert_eq!(hosts, [PUBLIC, "[2606:4700::1]"]);
}

#[tokio::test]
async fn a_name_with_public_and_private_answers_is_refused() {
    let world = World::new();
    for answer in [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]] {
        world.names.set("mixed.test", &[&answer]);
        let fault = world.get("https://mixed.test/a").await.err().unwrap();
        assert!(matches!(fault, FetchError::NotPublic { .. }), "{fault}");
    }
    assert!(world.detour.dialled().is_empty());
}

/// DNS rebinding: had the name been resolved again for the connection, it would be 127.0.0.1.
#[tokio::test]
async fn a_name_that_changes_its_answer_is_connected_where_it_was_checked() {
    let world = World::new();
    world.names.set("media.test", &[&[PUBLIC], &["127.0.0.1"]]);
    world.on("/a", Reply::ok("x"));
    read(world.get("https://media.test/a").await.unwrap()).await.unwrap();
    assert_eq!(world.detour.dialled(), [format!("{PUBLIC}:443")]);
}

#[tokio::test]
async fn a_name_that_rebinds_between_redirects_is_refused() {
    let world = World::new();
    world.names.set("media.test", &[&[PUBLIC], &["127.0.0.1"]]);
    world.on("/a", Reply::redirect(302, "/b")).on("/b", Reply::ok("secret"));
    let fault = world.get("https://media.test/a").await.err().unwrap();
    assert!(matches!(fault, FetchError::Redirect { .. }), "{fault}");
    assert_eq!(world.detour.dialled(), [format!("{PUBLIC}:443")]);
}

#[tokio::test]
async fn a_name_that_rebinds_between_tries_is_refused() {
    let world = World::new();
    world.names.set("media.test", &[&[PUBLIC], &["169.254.169.254"]]);
    world.on("/a", Reply::status(503));
    let fault = world.get("https://media.test/a").await.err().unwrap();
    assert!(matches!(fault, FetchError::NotPublic { .. }), "{fault}");
    assert_eq!(world.detour.dialled(), [format!("{PUBLIC}:443")]);
}

#[tokio::test]
async fn the_next_address_is_dialled_where_one_refuses() {
    let world = World::new();
    world.names.set("media.test", &[&["2606:4700::1", "::ffff:1.0.0.1", PUBLIC]]);
    world.detour.refuse("2606:4700::1");
    world.detour.refuse("1.0.0.1");
    world.on("/a", Reply::ok("x"));
    read(world.get("https://media.test/a").await.unwrap()).await.unwrap();
    let expected = ["[2606:4700::1]:443", "1.0.0.1:443", "93.184.216.34:443"];
    assert_eq!(world.detour.dialled(), expected);
}

#[tokio::test]
async fn names_without_an_address_are_named() {
    let world = World::new();
    world.names.set("empty.test", &[&[]]);
    for name in ["empty.test", "unknown.test"] {
        let fault = world.get(&format!("https://{name}/a")).await.err().unwrap();
        assert_eq!(fault, FetchError::Unresolved { host: name.to_owned() });
    }
}

#[tokio::test]
async fn an_exempt_host_may_be_private_and_speak_http() {
    let host = MediaHost::http();
    let exempt = vec![format!("127.0.0.1:{}", host.port()).parse().unwrap()];
    let world = World::around(host, Options { exempt, ..Options::default() });
    world.on("/a", Reply::ok("x"));
    let url = world.host.url("/a");
    assert_eq!(read(world.get(&url).await.unwrap()).await.unwrap(), b"x");
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    assert!(matches!(world.get(&elsewhere).await.err(), Some(FetchError::Scheme(_))));
}

#[tokio::test]
async fn an_exempt_name_may_resolve_to_a_private_address() {
    let world = World::with(Options {
        exempt: vec!["media.test:443".parse().unwrap()],
        ..Options::default()
    });
    world.names.set("media.test", &[&["10.1.2.3"]]);
    world.on("/a", Reply::ok("x"));
    read(world.get("https://media.test/a").await.unwrap()).await.unwrap();
    assert_eq!(world.detour.dialled(), ["10.1.2.3:443"]);
}
