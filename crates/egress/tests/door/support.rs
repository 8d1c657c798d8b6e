//! A client whose names and connections are in the hands of the test.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use egress::{
    Client, Dial, FetchError, GetRequest, Options, PostRequest, Resolve, Response, Waiting,
};
use testkit::{ManualClock, MediaHost, Reply, SeededRng, TestCa};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::secrets;

pub(crate) const PUBLIC: &str = "93.184.216.34";

/// Answers names by script; the last answer repeats.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

/// Remembers what is dialled and connects to `to` instead.
pub(crate) struct Detour {
    to: SocketAddr,
    dialled: Mutex<Vec<SocketAddr>>,
    refuse: Mutex<Vec<IpAddr>>,
}

/// A world of one https host.
pub(crate) struct World {
    pub(crate) host: MediaHost,
    pub(crate) names: Arc<Names>,
    pub(crate) detour: Arc<Detour>,
    pub(crate) client: Client,
}

impl Names {
    pub(crate) fn set(&self, name: &str, answers: &[&[&str]]) {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        let mut answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
        answers.reverse();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Waiting<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.get_mut(name) {
            Some(script) if script.len() > 1 => Ok(script.pop().unwrap()),
            Some(script) => Ok(script.last().cloned().unwrap_or_default()),
            None => Err(io::Error::other("no such name")),
        };
        Box::pin(async move { answer })
    }
}

impl Detour {
    pub(crate) fn dialled(&self) -> Vec<String> {
        self.dialled.lock().unwrap().iter().map(ToString::to_string).collect()
    }

    pub(crate) fn refuse(&self, address: &str) {
        self.refuse.lock().unwrap().push(address.parse().unwrap());
    }
}

impl Dial for Detour {
    fn dial(&self, address: SocketAddr) -> Waiting<'_, io::Result<TcpStream>> {
        self.dialled.lock().unwrap().push(address);
        if self.refuse.lock().unwrap().contains(&address.ip()) {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        Box::pin(TcpStream::connect(self.to))
    }
}

impl World {
    /// `media.test` and `other.test` are public names of one https host.
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let ca = TestCa::new();
        let host = MediaHost::https(&ca, &["media.test", "other.test", PUBLIC, "2606:4700::1"]);
        Self::around(host, Options { extra_roots: vec![ca.root()], ..options })
    }

    pub(crate) fn around(host: MediaHost, options: Options) -> Self {
        secrets::listen();
        let names = Arc::new(Names::default());
        names.set("media.test", &[&[PUBLIC]]);
        names.set("other.test", &[&["1.1.1.1"]]);
        let detour = Arc::new(Detour {
            to: host.address(),
            dialled: Mutex::default(),
            refuse: Mutex::default(),
        });
        let client = Client::with(
            Options { backoff: Duration::from_millis(1), ..options },
            Arc::new(ManualClock::default()),
            Arc::new(SeededRng::new(1)),
            names.clone(),
            detour.clone(),
        )
        .unwrap();
        Self { host, names, detour, client }
    }

    pub(crate) fn on(&self, path: &str, reply: Reply) -> &Self {
        self.host.on(path, reply);
        self
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response, FetchError> {
        self.client.get(&ask(url)).await
    }

    /// The error that a GET ends with, before or within the body.
    pub(crate) async fn fault(&self, request: &GetRequest) -> FetchError {
        match self.client.get(request).await {
            Err(fault) => fault,
            Ok(response) => read(response).await.expect_err("the fetch should have failed"),
        }
    }
}

/// A GET that has time and space.
pub(crate) fn ask(url: &str) -> GetRequest {
    GetRequest {
        url: url.to_owned(),
        range: None,
        max_bytes: 1 << 30,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

/// A POST that has time.
pub(crate) fn post(url: &str) -> PostRequest {
    PostRequest {
        url: url.to_owned(),
        headers: Vec::new(),
        body: "{}".into(),
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

/// A GET that has `millis` in all.
pub(crate) fn hurried(url: &str, millis: u64) -> GetRequest {
    GetRequest { deadline: Instant::now() + Duration::from_millis(millis), ..ask(url) }
}

pub(crate) async fn read(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut all = Vec::new();
    while let Some(bytes) = response.body.chunk().await? {
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}
