//! Calls over the simulated network, each on a connection of its own.
//!
//! A call whose answer does not come tells its caller nothing: it may have been lost on the way
//! there, on the way back, or in between. No caller may take the one for the other.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::JoinSet;
use tokio::time::timeout;
use turmoil::net::{TcpListener, TcpStream};

use crate::calls::{Answer, Call};
use crate::luck::Luck;
use crate::world::World;

/// The port on which every host listens that listens.
const PORT: u16 = 80;
/// How long a caller waits for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer of one of the servers, if it came.
pub async fn call(world: &World, from: &str, luck: &Luck, call: &Call) -> Option<Answer> {
    let server = luck.pick(&world.plan.server_names())?.clone();
    ask(world, from, &server, call).await
}

/// The answer of `to` to `question`, if it came.
pub async fn ask<Q: Serialize, A: DeserializeOwned>(
    world: &World,
    from: &str,
    to: &str,
    question: &Q,
) -> Option<A> {
    world.thawed(from).await;
    let answer = timeout(PATIENCE, exchange(to, question)).await;
    world.thawed(from).await;
    answer.ok().flatten()
}

async fn exchange<Q: Serialize, A: DeserializeOwned>(to: &str, question: &Q) -> Option<A> {
    let mut stream = TcpStream::connect((to, PORT)).await.ok()?;
    write_line(&mut stream, question).await?;
    read_line(&mut stream).await
}

/// Answers questions for ever; one that `answer` has nothing to say to is hung up on.
pub async fn serve<Q, A, F>(world: Rc<World>, host: &str, answer: F) -> turmoil::Result
where
    Q: DeserializeOwned + 'static,
    A: Serialize + 'static,
    F: AsyncFn(Q) -> Option<A> + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let answer = Rc::new(answer);
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => {
                let (mut stream, _) = accepted?;
                let answer = Rc::clone(&answer);
                calls.spawn_local(async move {
                    let question = timeout(PATIENCE, read_line(&mut stream)).await.ok()??;
                    let answer = answer(question).await?;
                    write_line(&mut stream, &answer).await
                });
            }
            Some(end) = calls.join_next(), if !calls.is_empty() => world.reap(host, end),
        }
    }
}

async fn write_line(stream: &mut TcpStream, what: &impl Serialize) -> Option<()> {
    let mut line = serde_json::to_vec(what).ok()?;
    line.push(b'\n');
    stream.write_all(&line).await.ok()
}

async fn read_line<T: DeserializeOwned>(stream: &mut TcpStream) -> Option<T> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}
