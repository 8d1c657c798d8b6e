//! Redirects: each hop is checked like the first.

use egress::{FetchError, Options};
use testkit::{MediaHost, Reply};

use crate::support::{World, read};

const START: &str = "https://media.test/start?sig=topsecret";

/// What a redirect to `location` comes to.
async fn led_to(world: &World, location: &str) -> FetchError {
    world.on("/start", Reply::redirect(302, location));
    world.get(START).await.err().unwrap_or_else(|| panic!("{location} was followed"))
}

#[tokio::test]
async fn three_hops_are_followed_and_a_fourth_is_not() {
    let world = World::new();
    world.on("/3", Reply::redirect(301, "/2")).on("/2", Reply::redirect(307, "/1"));
    world.on("/1", Reply::redirect(308, "https://other.test/0")).on("/0", Reply::ok("end"));
    let body = read(world.get("https://media.test/3").await.unwrap()).await.unwrap();
    assert_eq!(body, b"end");
    world.on("/4", Reply::redirect(303, "/3"));
    let fault = world.get("https://media.test/4").await.err();
    assert_eq!(fault, Some(FetchError::TooManyRedirects));
}

#[tokio::test]
async fn a_loop_ends() {
    let world = World::new();
    world.on("/a", Reply::redirect(302, "/a"));
    let fault = world.get("https://media.test/a").await.err();
    assert_eq!(fault, Some(FetchError::TooManyRedirects));
    assert_eq!(world.host.requests().len(), 4);
}

#[tokio::test]
async fn redirects_to_special_addresses_are_refused_unconnected() {
    let world = World::new();
    world.names.set("inside.test", &[&["10.0.0.7"]]);
    for location in [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://inside.test/",
        "//10.0.0.1/",
        "//inside.test:8443/",
    ] {
        match led_to(&world, location).await {
            FetchError::Redirect { from, cause } => {
                assert_eq!(from, "media.test");
                assert!(matches!(*cause, FetchError::NotPublic { .. }), "{location}: {cause}");
            }
            other => panic!("{location}: {other}"),
        }
    }
    assert!(world.detour.dialled().iter().all(|address| address == "93.184.216.34:443"));
}

#[tokio::test]
async fn a_redirect_down_to_http_is_refused() {
    let world = World::new();
    let fault = led_to(&world, "http://media.test/a").await;
    let cause = Box::new(FetchError::Scheme("http".to_owned()));
    assert_eq!(fault, FetchError::Redirect { from: "media.test".to_owned(), cause });
}

#[tokio::test]
async fn redirects_to_other_schemes_are_refused() {
    let world = World::new();
    for location in ["file:///etc/passwd", "ftp://media.test/a", "data:text/plain,x", "gopher://x/"]
    {
        let fault = led_to(&world, location).await;
        assert!(matches!(fault, FetchError::Redirect { .. }), "{location}: {fault}");
    }
}

#[tokio::test]
async fn a_redirect_with_credentials_is_refused() {
    let world = World::new();
    let fault = led_to(&world, "https://user:pw@other.test/a").await;
    assert!(
        matches!(&fault, FetchError::Redirect { cause, .. } if **cause == FetchError::Credentials)
    );
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_named() {
    let world = World::new();
    assert!(matches!(led_to(&world, "https://[zzz]/").await, FetchError::Redirect { .. }));
    world.on("/start", Reply::status(302));
    let fault = world.get(START).await.err().unwrap();
    assert_eq!(fault.status(), Some(302));
}

#[tokio::test]
async fn the_query_of_one_host_is_not_sent_to_the_next() {
    let world = World::new();
    world.on("/start", Reply::redirect(302, "https://other.test/b")).on("/b", Reply::ok("x"));
    read(world.get(START).await.unwrap()).await.unwrap();
    let last = world.host.requests_of("/b").remove(0);
    assert_eq!((last.query.as_deref(), last.header("host")), (None, Some("other.test")));
    assert!(!last.headers.iter().any(|(_, value)| value.contains("topsecret")));
}

#[tokio::test]
async fn an_exemption_does_not_pass_on_to_where_its_host_redirects() {
    let host = MediaHost::http();
    let exempt = vec![format!("127.0.0.1:{}", host.port()).parse().unwrap()];
    let world = World::around(host, Options { exempt, ..Options::default() });
    for location in ["http://127.0.0.1:1/", "https://10.0.0.1/", "http://media.test/"] {
        world.on("/a", Reply::redirect(302, location));
        let fault = world.get(&world.host.url("/a")).await.err().unwrap();
        assert!(matches!(fault, FetchError::Redirect { .. }), "{location}: {fault}");
    }
    world.on("/a", Reply::redirect(302, "/b")).on("/b", Reply::ok("x"));
    read(world.get(&world.host.url("/a")).await.unwrap()).await.unwrap();
}
