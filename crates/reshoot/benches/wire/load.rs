//! Calls on kept connections, as fast as they are answered.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::served::Served;

/// One call, ready to be written.
#[derive(Clone)]
pub(crate) struct Call {
    host: SocketAddr,
    text: String,
}

impl Call {
    pub(crate) fn get(served: &Served, path: &str) -> Self {
        Self::to(served.address(), served.key(), path, None)
    }

    pub(crate) fn post(served: &Served, path: &str, body: &str) -> Self {
        Self::to(served.address(), served.key(), path, Some(body))
    }

    /// A `POST`, if there is a body.
    pub(crate) fn to(host: SocketAddr, key: &str, path: &str, body: Option<&str>) -> Self {
        let method = if body.is_some() { "POST" } else { "GET" };
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n");
        let rest = body.map_or_else(
            || "\r\n".to_owned(),
            |body| {
                let length = body.len();
                format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
            },
        );
        Self { host, text: head + &rest }
    }

    /// The same from somebody who takes compressed replies.
    pub(crate) fn packed(mut self) -> Self {
        let end = self.text.find("\r\n\r\n").unwrap();
        self.text.insert_str(end, "\r\naccept-encoding: gzip");
        self
    }
}

/// Calls a second over so many connections, each making `calls`.
pub(crate) async fn rate(call: &Call, connections: usize, calls: usize) -> f64 {
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let call = call.clone();
        clients.spawn(async move { times(&call, calls).await });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    (connections * calls) as f64 / began.elapsed().as_secs_f64()
}

/// Seconds of each of `calls` on one connection.
pub(crate) async fn times(call: &Call, calls: usize) -> Vec<f64> {
    let mut stream = TcpStream::connect(call.host).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut times = Vec::with_capacity(calls);
    let mut buffer = Vec::with_capacity(4096);
    for _ in 0..calls {
        let began = Instant::now();
        exchange(&mut stream, call, &mut buffer).await;
        times.push(began.elapsed().as_secs_f64());
    }
    times
}

/// Whether somebody listens there.
pub(crate) async fn is_up(call: &Call) -> bool {
    TcpStream::connect(call.host).await.is_ok()
}

/// One call; its JSON.
pub(crate) async fn exchange_once(call: &Call) -> Value {
    serde_json::from_str(&text_of(call).await).unwrap()
}

/// One call; the text of its reply.
pub(crate) async fn text_of(call: &Call) -> String {
    let mut stream = TcpStream::connect(call.host).await.unwrap();
    let mut reply = Vec::new();
    let head = exchange(&mut stream, call, &mut reply).await;
    String::from_utf8(reply.split_off(head)).unwrap()
}

/// The JSON of each of `calls` on one connection.
pub(crate) async fn replies(call: &Call, calls: usize) -> Vec<Value> {
    let mut stream = TcpStream::connect(call.host).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut replies, mut reply) = (Vec::with_capacity(calls), Vec::new());
    for _ in 0..calls {
        let head = exchange(&mut stream, call, &mut reply).await;
        replies.push(serde_json::from_slice(&reply[head..]).unwrap());
    }
    replies
}

/// Makes a call whose reply does not end, and reads it until it has said `word`.
pub(crate) async fn stream(call: &Call, word: &str) -> TcpStream {
    let mut stream = TcpStream::connect(call.host).await.unwrap();
    stream.write_all(call.text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    while !String::from_utf8_lossy(&reply).contains(word) {
        let read = stream.read_buf(&mut reply).await.unwrap();
        assert!(read > 0, "the server hung up: {}", String::from_utf8_lossy(&reply));
    }
    assert!(reply.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&reply));
    stream
}

/// One call on a kept connection, whose reply has a length; where the body begins.
async fn exchange(stream: &mut TcpStream, call: &Call, reply: &mut Vec<u8>) -> usize {
    stream.write_all(call.text.as_bytes()).await.unwrap();
    reply.clear();
    loop {
        let read = stream.read_buf(reply).await.unwrap();
        assert!(read > 0, "the server hung up");
        let Some(head) = reply.windows(4).position(|part| part == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&reply[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 20"), "{}", String::from_utf8_lossy(reply));
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        if reply.len() >= head + 4 + length.unwrap() {
            return head + 4;
        }
    }
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

pub(crate) fn quantile(mut values: Vec<f64>, at: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * at) as usize]
}
