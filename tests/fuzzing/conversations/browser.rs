//! A client of HTTP/2, hyper's, whose octets are recorded: it asks by GET and by POST. Its tasks
//! are polled in place, since the lane that answers has the runtime.

use crate::targets::lanes;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::rt::Executor;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use meridian::testing::transport::scripted::{Entrance, Step};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks that are polled by turns.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<Task>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().expect("no panic before").push(Box::pin(task));
    }
}

/// Turns of all tasks: more than any has to do between two steps.
const TURNS: usize = 50;

/// Octets of a client that asks for this message by GET, then by POST.
pub fn recorded(message: &[u8]) -> Vec<u8> {
    let (near, mut far) = duplex(1 << 20);
    let tasks = Tasks::default();
    let done = Arc::new(Mutex::new(false));
    tasks.execute(ask(message.to_vec(), near, tasks.clone(), Arc::clone(&done)));
    let mut sent = Vec::new();
    let context = &mut Context::from_waker(Waker::noop());
    lanes::talk(Entrance::Http2, false, |octets| {
        if !octets.is_empty() {
            assert!(Pin::new(&mut far).poll_write(context, octets).is_ready(), "room for all octets");
        }
        for _ in 0..TURNS {
            let mut running = std::mem::take(&mut *tasks.0.lock().expect("no panic before"));
            running.retain_mut(|task| task.as_mut().poll(context).is_pending());
            tasks.0.lock().expect("no panic before").append(&mut running);
        }
        let step = pending(&mut far, context);
        sent.extend_from_slice(&step);
        if *done.lock().expect("no panic before") { Step::Last(step) } else { Step::Send(step) }
    });
    assert!(*done.lock().expect("no panic before"), "both answers came");
    sent
}

async fn ask(message: Vec<u8>, near: DuplexStream, tasks: Tasks, done: Arc<Mutex<bool>>) {
    let opened = http2::handshake(tasks.clone(), TokioIo::new(near)).await;
    let (mut sender, connection) = opened.expect("a connection");
    tasks.execute(async { drop(connection.await) });
    let uri =
        format!("https://dns.example/dns-query?dns={}", data_encoding::BASE64URL_NOPAD.encode(&message));
    let get = Request::get(uri).header("accept", "application/dns-message");
    let post =
        Request::post("https://dns.example/dns-query").header("content-type", "application/dns-message");
    let requests = [
        get.body(Full::new(Bytes::new())).expect("a request"),
        post.body(Full::new(Bytes::from(message))).expect("a request"),
    ];
    for request in requests {
        let response = sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.into_body().collect().await.expect("a body").to_bytes().is_empty());
    }
    *done.lock().expect("no panic before") = true;
}

/// Octets that the client has written.
fn pending(far: &mut DuplexStream, context: &mut Context<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let mut room = [0; 4_096];
        let mut room = ReadBuf::new(&mut room);
        match Pin::new(&mut *far).poll_read(context, &mut room) {
            Poll::Ready(Ok(())) if !room.filled().is_empty() => octets.extend_from_slice(room.filled()),
            _ => return octets,
        }
    }
}
