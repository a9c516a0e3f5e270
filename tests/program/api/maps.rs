//! Maps for readers that may be anyone: one client in a loop does not keep others from theirs.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use support::deployment::{Deployment, PATIENCE, connect, connect_from};
use support::pages::{self, Page};

const REQUEST: &str = "GET /v1/map?policy=web&down=fra HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn ask(mut stream: TcpStream) -> Page {
    stream.write_all(REQUEST.as_bytes()).expect("the server reads");
    pages::read(stream).expect("an answer")
}

/// True if the map was made; else the refusal has its code, and says when to try again.
fn is_made(page: &Page) -> bool {
    if page.status == 200 {
        return true;
    }
    assert_eq!((page.status, &page.json()["code"]), (503, &"busy".into()), "{}", page.body);
    assert!(page.head.to_ascii_lowercase().contains("retry-after: 1"), "{}", page.head);
    false
}

/// A client with many requests at once has few of them waiting, and the others are refused.
#[test]
fn a_client_has_one_map_at_a_time() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let mut streams: Vec<TcpStream> = (0..14).map(|_| connect_from(1, served.admin())).collect();
    for stream in &mut streams {
        stream.write_all(REQUEST.as_bytes()).expect("the server reads");
    }
    let pages = streams.into_iter().map(|stream| pages::read(stream).expect("an answer"));
    let (made, refused): (Vec<Page>, Vec<Page>) = pages.partition(is_made);
    assert!(!made.is_empty() && !refused.is_empty(), "{} {}", made.len(), refused.len());
    for page in refused {
        let message = page.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.starts_with("other requests of this client"), "{message}");
    }
    // A user of the control socket needs no turn.
    let page = pages::control(&deployment.path("state/control.sock"), "/v1/map?policy=web");
    assert_eq!(page.status, 200, "{}", page.body);
}

/// While one client asks in many loops, most requests of another are answered.
#[test]
fn one_client_in_a_loop_leaves_places() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let (admin, is_over) = (served.admin(), AtomicBool::new(false));
    let made = std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    is_made(&ask(connect_from(1, admin)));
                }
            });
        }
        let (mut made, mut asked, began) = (0, 0, Instant::now());
        while asked < 20 && began.elapsed() < PATIENCE {
            made += u32::from(is_made(&ask(connect(admin))));
            asked += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        made
    });
    assert!(made >= 10, "{made} of 20 maps were made");
}
