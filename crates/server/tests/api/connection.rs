//! What only a real connection shows.

use std::net::SocketAddr;
use std::time::Duration;

use domain::Clock as _;
use domain::key::SecretKey;
use server::Config;
use store::Store as _;
use testkit::SeededRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Fixture, KLING, Setup, kling};

struct Listening {
    server: Fixture,
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    async fn new(config: Config) -> Self {
        let server = Fixture::with(Setup { config, ..Setup::default() }).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let task = {
            let (app, shutdown) = (server.app.clone(), shutdown.clone());
            TaskTracker::new().spawn(server::serve(listener, app, shutdown))
        };
        Self { server, address, shutdown, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn head(&self, first: &str, key: &SecretKey, more: &str) -> String {
        let (key, address) = (key.expose(), self.address);
        format!("{first} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n{more}\r\n")
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Reads until the reply's head and body (by its Content-Length) are there.
async fn reply(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "closed after: {text}");
        seen.extend_from_slice(&part[..read]);
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_before_the_body_is_asked_for() {
    let listening = Listening::new(Config::default()).await;
    let unknown = SecretKey::new(&SeededRng::new(3));
    let expecting = "Content-Length: 60000000\r\nExpect: 100-continue\r\n";
    let mut stream = listening.connect().await;
    let head = listening.head(&format!("POST {KLING}"), &unknown, expecting);
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = reply(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");

    // Without Expect: nothing of the body is sent, and the reply is there all the same.
    let mut stream = listening.connect().await;
    let head = listening.head(&format!("POST {KLING}"), &unknown, "Content-Length: 60000000\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = reply(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
    drop(stream);
    listening.stop().await;
}

#[tokio::test]
async fn a_good_key_is_asked_for_its_body() {
    let listening = Listening::new(Config::default()).await;
    let mut stream = listening.connect().await;
    let body = kling().to_string();
    let more = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    let head = listening.head(&format!("POST {KLING}"), &listening.server.key, &more);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let said = reply(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    let base = format!("\"result_url\":\"http://{}/v1/requests/req_", listening.address);
    assert!(said.contains(&base), "{said}");
    drop(stream);
    listening.stop().await;
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_on() {
    let listening = Listening::new(Config { max_body_bytes: 1000, ..Config::default() }).await;
    let mut stream = listening.connect().await;
    let more = "Content-Length: 8000000\r\n";
    let head = listening.head(&format!("POST {KLING}"), &listening.server.key, more);
    stream.write_all(head.as_bytes()).await.unwrap();
    // As simple clients do: all of the body first, then a look at the reply.
    stream.write_all(&vec![b' '; 8_000_000]).await.unwrap();
    let said = reply(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains("\"error_code\":413001"), "{said}");
    drop(stream);
    listening.stop().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let config = Config { header_timeout: Duration::from_millis(20), ..Config::default() };
    let listening = Listening::new(config).await;
    let mut stream = listening.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("200"), "{rest:?}");
    listening.stop().await;
}

#[tokio::test]
async fn a_shutdown_finishes_the_call_that_is_open_and_closes_idle_connections() {
    let listening = Listening::new(Config::default()).await;
    let mut idle = listening.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    assert!(reply(&mut idle).await.starts_with("HTTP/1.1 200 "));

    let mut open = listening.connect().await;
    let body = kling().to_string();
    let more = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    let head = listening.head(&format!("POST {KLING}"), &listening.server.key, &more);
    open.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    open.read_exact(&mut asked).await.unwrap();

    listening.shutdown.cancel();
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).await.unwrap(), 0);
    open.write_all(body.as_bytes()).await.unwrap();
    let said = reply(&mut open).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    drop((idle, open));
    let address = listening.address;
    listening.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off_when_the_time_to_drain_is_up() {
    let config = Config { drain: Duration::from_millis(20), ..Config::default() };
    let listening = Listening::new(config).await;
    let mut open = listening.connect().await;
    let more = "Content-Length: 10\r\nExpect: 100-continue\r\n";
    let head = listening.head(&format!("POST {KLING}"), &listening.server.key, more);
    open.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    open.read_exact(&mut asked).await.unwrap();
    listening.stop().await;
    assert_eq!(open.read(&mut asked).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_trusted_proxy_says_what_the_client_used() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let listening = Listening::new(Config { trusted_proxies, ..Config::default() }).await;
    let mut stream = listening.connect().await;
    let body = kling().to_string();
    let length = body.len();
    let more = format!(
        "Content-Length: {length}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: o.example\r\n"
    );
    let head = listening.head(&format!("POST {KLING}"), &listening.server.key, &more);
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let said = reply(&mut stream).await;
    assert!(said.contains("\"status_url\":\"https://o.example/v1/requests/req_"), "{said}");
    drop(stream);
    listening.stop().await;
}

#[tokio::test]
async fn a_stream_is_told_of_what_moves_before_its_request() {
    let listening = Listening::new(Config::default()).await;
    let server = &listening.server;
    let [first, own, last] = [server.submit().await, server.submit().await, server.submit().await];
    let mut stream = listening.connect().await;
    let path = format!("GET /v1/requests/{own}/events");
    stream.write_all(listening.head(&path, &server.key, "").as_bytes()).await.unwrap();
    let mut told = String::new();
    heard(&mut stream, &mut told, "{\"queue_position\":2}").await;
    for id in [&last, &first] {
        server.store.cancel(id, false, server.clock.now()).await.unwrap();
    }
    heard(&mut stream, &mut told, "{\"queue_position\":1}").await;
    server.store.cancel(&own, false, server.clock.now()).await.unwrap();
    heard(&mut stream, &mut told, "event: result").await;
    assert_eq!(told.matches("queue_position").count(), 2, "{told}");
    drop(stream);
    listening.stop().await;
}

/// Reads on until this was said.
async fn heard(stream: &mut TcpStream, told: &mut String, word: &str) {
    while !told.contains(word) {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "closed after: {told}");
        told.push_str(&String::from_utf8_lossy(&part[..read]));
    }
}

#[tokio::test]
async fn when_keys_were_used_is_written_down_before_the_server_ends() {
    let listening = Listening::new(Config::default()).await;
    let store = std::sync::Arc::clone(&listening.server.store);
    let mut stream = listening.connect().await;
    for minutes in 1..=3 {
        listening.server.clock.advance_secs(60);
        let head = listening.head("GET /v1/models", &listening.server.key, "");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(reply(&mut stream).await.starts_with("HTTP/1.1 200"), "{minutes}");
    }
    let last = listening.server.clock.now();
    listening.stop().await;
    assert_eq!(store.keys(None).await.unwrap()[0].last_used_at, Some(last));
}
