//! Load feeds: numbers over HTTP, from pages of metrics and from files, and servers that misbehave.

use super::secure::authority;
use super::target::{LONG, SHORT, runtime, serve};
use super::web::{flooding, request, saying};
use meridian::testing::finding::{At, FileId};
use meridian::testing::health::load::spec::{Feed, FeedUrl, LoadSpec};
use meridian::testing::limits::{FEED_PAGE_OCTETS_MAX, PROBES_AT_ONCE};
use meridian::testing::probe::Prober;
use meridian::testing::probe::load::FeedRequest;
use meridian::testing::probe::runner;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use support::ports::Port;
use tokio_util::sync::CancellationToken;

/// A response in chunks.
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A feed of the server at an address.
type Asked = fn(SocketAddr) -> Feed;

fn url(to: SocketAddr) -> FeedUrl {
    FeedUrl { address: to, host: to.to_string().into(), path: "/load?now=1".into(), tls: false }
}

fn plain(to: SocketAddr) -> Feed {
    Feed::Http { url: url(to), pointer: None }
}

fn json(to: SocketAddr) -> Feed {
    Feed::Http { url: url(to), pointer: Some("/load/0".into()) }
}

fn page(to: SocketAddr) -> Feed {
    Feed::Prometheus { url: url(to), metric: "load".into(), labels: vec![("host".into(), "a".into())] }
}

fn reading(feed: Feed, timeout_ms: u32) -> FeedRequest {
    let spec = LoadSpec::new(feed, At::whole(FileId(0)));
    FeedRequest {
        ticket: 7,
        pop: "fra".into(),
        service: Some("video".into()),
        spec: Arc::new(spec),
        timeout_ms,
    }
}

fn read_within(feed: Feed, timeout_ms: u32) -> Result<f64, String> {
    runtime().block_on(Prober::new().read(&reading(feed, timeout_ms))).map_err(|why| why.to_string())
}

fn read(feed: Feed) -> Result<f64, String> {
    read_within(feed, LONG)
}

/// The number that a feed of a server says.
pub fn number_of(to: SocketAddr) -> Result<f64, String> {
    read(plain(to))
}

/// A response of 200 that ends with the connection, or with its length.
fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn what_feeds_say() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n41\n\r\n0\r\n\r\n";
    let split = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nload{ho\r\n9\r\nst=\"a\"} \
        4\r\n2\r\n1\n\r\n0\r\n\r\n";
    let metrics = "# TYPE load gauge\nload{host=\"a\"} 40\nload{host=\"b\"} 9\nload{host=\"a\",x=\"y\"} 1\n";
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let rows: Vec<(Asked, String, Result<f64, &str>)> = vec![
        (plain, ok("41\n"), Ok(41.0)),
        (plain, ok("  41.25  "), Ok(41.25)),
        (plain, chunked.into(), Ok(41.0)),
        (plain, "HTTP/1.0 200 OK\r\n\r\n41".into(), Ok(41.0)),
        (plain, ok(""), Err("the body is empty")),
        (plain, ok("busy"), Err("the body says \"busy\", which is no number")),
        (plain, ok("\u{1b}[2J"), Err("the body says \"\\x1b[2J\", which is no number")),
        (plain, ok("nan"), Err("the body says \"nan\", which is no number")),
        (plain, ok("-3"), Err("the body is negative")),
        (plain, moved.into(), Err("status 302, expected 200")),
        (plain, "HTTP/1.1 204 No\r\n\r\n".into(), Err("status 204, expected 200")),
        (
            plain,
            "220 smtp ready\r\n".into(),
            Err("the response is no HTTP/1.1: it begins with \"220 smtp ready\\r\""),
        ),
        (json, ok("{\"load\":[41]}"), Ok(41.0)),
        (json, ok("{\"load\":[\"41\"]}"), Ok(41.0)),
        (json, ok("{\"load\":[]}"), Err("there is nothing at \"/load/0\" in the JSON")),
        (page, ok(metrics), Ok(41.0)),
        (page, split.into(), Ok(41.0)),
        (page, ok("load 5\n"), Err("none of the 1 samples of \"load\" has these labels")),
        (page, ok("load{host=\"a\"} 4"), Err("the page ends within a sample of \"load\"")),
        (page, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".into(), Err("status 503, expected 200")),
    ];
    for (feed, response, wanted) in rows {
        // Who never closes has not said everything where no length tells.
        let ends = response.starts_with("HTTP/1.0");
        let address = if ends { closing(response.clone()) } else { saying(response.clone()) };
        assert_eq!(read(feed(address)), wanted.map_err(str::to_owned), "{response:?}");
    }
}

fn closing(response: String) -> SocketAddr {
    serve(move |mut stream| {
        request(&stream);
        let _ = stream.write_all(response.as_bytes());
    })
}

#[test]
fn what_a_feed_is_asked() {
    let (tell, told) = mpsc::channel();
    let address = serve(move |mut stream| {
        let _ = tell.send(request(&stream));
        let _ = stream.write_all(ok("1").as_bytes());
        let _ = tell.send(format!("then {:?}", stream.read(&mut [0]).unwrap_or(0)));
    });
    let named = FeedUrl { host: "metrics.example:9100".into(), ..url(address) };
    assert_eq!(read(Feed::Http { url: named, pointer: None }), Ok(1.0));
    let seen = told.recv().unwrap();
    for line in ["GET /load?now=1 HTTP/1.1", "Host: metrics.example:9100", "Connection: close"] {
        assert_eq!(seen.lines().filter(|l| *l == line).count(), 1, "{line} in {seen}");
    }
    assert_eq!(told.recv().unwrap(), "then 0");
}

/// Large pages are read to their end, and cost no more than they must.
#[test]
fn large_pages() {
    let filler = "other_metric_with_a_name{with=\"labels\"} 12345\n".repeat(100_000);
    assert!(filler.len() > 4 << 20);
    assert_eq!(read(page(saying(ok(&format!("{filler}load{{host=\"a\"}} 41\n"))))), Ok(41.0));
    assert_eq!(read(page(saying(ok(&filler)))), Err("the page has no metric \"load\"".into()));
}

/// Whatever is sent without end, little of it is taken, and the line says so.
#[test]
fn floods_are_cut_off() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let rows: Vec<(Asked, &'static str, Vec<u8>, &str)> = vec![
        (plain, head, vec![b'1'; 1 << 16], "the body has more than 64 KiB"),
        (plain, head, vec![b' '; 1 << 10], "the body has more than 64 KiB"),
        (json, head, vec![b'['; 1 << 16], "the body has more than 64 KiB"),
        (page, head, b"load{host=\"b\"} 1\n".repeat(1_000), "the page has more than 8 MiB"),
        (page, head, b"load{host=\"a\"} 1\n".repeat(1_000), "a sample of \"load\" is one of more than 10000"),
        (page, head, vec![b'x'; 1 << 16], "the page has more than 8 MiB"),
        (page, "HTTP/1.1 200 OK\r\n", b"X-Flood: x\r\n".repeat(1_000), "the response header is too large"),
        (page, "", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000), "the response header is too large"),
        (plain, "", vec![0xff; 1 << 16], "the response is no HTTP/1.1"),
        (page, CHUNKED, b"1\r\nx\r\n".repeat(1_000), "the body comes in more than 65536 pieces"),
    ];
    for (feed, head, piece, wanted) in rows {
        let (address, told) = flooding(head, piece);
        let why = read(feed(address)).unwrap_err();
        assert!(why.contains(wanted), "{wanted}: {why}");
        // What lies in the kernel's buffers, and what we have read.
        assert!(told.recv().unwrap() < (FEED_PAGE_OCTETS_MAX as u64) * 4, "{wanted}");
    }
}

#[test]
fn servers_that_never_finish_or_break() {
    let silent = serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let half = saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n41");
    for (feed, doing) in [
        (plain(silent), "waiting for the response"),
        (plain(half), "reading the body"),
        (page(half), "reading the body"),
    ] {
        assert_eq!(read_within(feed, SHORT), Err(format!("no answer within 700 ms ({doing})")));
    }
    // The deadline is that of the whole reading, however often something comes.
    let dripping = serve(|mut stream| {
        request(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"1").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    for feed in [plain(dripping), json(dripping), page(dripping)] {
        assert_eq!(read_within(feed, SHORT), Err("no answer within 700 ms (reading the body)".to_owned()));
    }
    let closed = Port::any(Ipv4Addr::LOCALHOST);
    assert_eq!(read(plain(closed.address())), Err("connection refused".into()));
    // Half a number is none.
    let midway = closing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n41".into());
    assert_eq!(read(plain(midway)), Err("the server closed after 2 of 9 octets of the body".into()));
}

/// Who answers over TLS must prove it by the system's roots: no key of ours is among them.
#[test]
fn a_feed_over_tls_is_verified() {
    let (address, told) = authority("ours").server("www.example", 86_400);
    let feed =
        Feed::Http { url: FeedUrl { host: "www.example".into(), tls: true, ..url(address) }, pointer: None };
    let why = read(feed).unwrap_err();
    assert!(
        why == "certificate: its issuer \"ours\" is unknown: not among the \
                system's roots; `ca` trusts another"
            || why.starts_with("this system has no root certificates"),
        "{why}"
    );
    if why.starts_with("certificate") {
        assert_eq!(told.recv().unwrap().as_deref(), Some("www.example"));
    }
    let clear = saying(ok("41"));
    let spoken = read(Feed::Http { url: FeedUrl { tls: true, ..url(clear) }, pointer: None }).unwrap_err();
    assert!(
        spoken == "the server does not speak TLS on this port"
            || spoken.starts_with("this system has no root"),
        "{spoken}"
    );
}

#[test]
fn files_and_their_age() {
    let folder = std::env::temp_dir().join(format!("meridian-feeds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let feed = |name: &str| Feed::File { path: path(name).into() };
    std::fs::write(path("fra-video"), "417.5 requests\n").unwrap();
    std::fs::write(path("words"), "many\n").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("old"), "5\n").unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    std::fs::File::options().write(true).open(path("old")).unwrap().set_modified(hour_ago).unwrap();
    assert_eq!(read(feed("{pop}-{service}")), Ok(417.5));
    assert_eq!(read(feed("words")), Err("the file says \"many\", which is no number".into()));
    assert_eq!(read(feed("empty")), Err("the file is empty".into()));
    assert_eq!(read(feed("none")), Err(format!("no file {}", path("none"))));
    assert!(read(feed("")).unwrap_err().ends_with("is no regular file"));
    assert!(read(feed("old")).unwrap_err().starts_with("the file was written 36"));
    assert_eq!(read(Feed::Push), Err("a pushed number is waited for, not read".into()));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Each number goes back with its ticket; hanging feeds delay no other, and a stop ends them.
#[test]
fn readings_come_back_with_their_tickets() {
    let silent = serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let good = saying(ok("41"));
    let (tell, told) = mpsc::channel();
    runtime().block_on(async {
        let (sender, work) = tokio::sync::mpsc::channel(PROBES_AT_ONCE);
        let stop = CancellationToken::new();
        let done = move |ticket, read: Result<f64, Arc<str>>| {
            let _ = tell.send((ticket, read));
        };
        let running = tokio::spawn(runner::read(Arc::new(Prober::new()), work, done, stop.clone()));
        for ticket in 0..20 {
            let feed = if ticket % 2 == 0 { plain(silent) } else { plain(good) };
            sender.send(FeedRequest { ticket, ..reading(feed, 600_000) }).await.unwrap();
        }
        let mut tickets = Vec::new();
        while tickets.len() < 10 {
            match told.try_recv() {
                Ok((ticket, read)) => {
                    assert_eq!(read, Ok(41.0));
                    tickets.push(ticket);
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
        tickets.sort_unstable();
        assert_eq!(tickets, (0..20).filter(|ticket| ticket % 2 == 1).collect::<Vec<u64>>());
        stop.cancel();
        running.await.unwrap();
    });
    assert!(told.try_recv().is_err(), "what was cut off has no number");
}

/// Processor time of this thread, in milliseconds.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).expect("a number") / 1e6
}

/// What the worst pages cost that a feed can send. Times differ from machine to machine, so this
/// only prints them: `cargo test --test program -- --ignored --nocapture hostile`.
#[test]
#[ignore = "a measurement"]
fn what_hostile_feeds_cost() {
    let page_of = |line: &str| line.repeat((FEED_PAGE_OCTETS_MAX - 1) / line.len());
    let labels: String = (0..1_500).map(|label| format!("l{label}=\"\",")).collect();
    let short: String = "a=\"\",".repeat(3_200);
    let rows: Vec<(&str, Asked, String)> = vec![
        ("long lines of labels", page, ok(&page_of(&format!("load{{{labels}}} 1\n")))),
        ("long lines of the shortest labels", page, ok(&page_of(&format!("load{{{short}}} 1\n")))),
        ("samples with other labels", page, ok(&page_of("load{a=\"\"} 1\n"))),
        ("samples without labels", page, ok(&page_of("load 1\n"))),
        ("numbers halfway between two", page, {
            let numbers = "load{host=\"a\"} 9007199254740993.00000000000000000000000001e-290\n".repeat(9_999);
            let filler = "load 1\n".repeat((FEED_PAGE_OCTETS_MAX - 1 - numbers.len()) / 7);
            ok(&format!("{numbers}{filler}"))
        }),
        ("empty lines", page, ok(&page_of("\n"))),
        ("chunks of one octet", page, format!("{CHUNKED}{}", "1\r\nx\r\n".repeat(2 << 20))),
        ("deep JSON", json, ok(&"[".repeat(65_000))),
        ("JSON of many keys", json, ok(&format!("{{{}\"load\":[1]}}", "\"a\":1,".repeat(9_000)))),
    ];
    for (what, feed, response) in rows {
        let address = saying(response);
        let before = cpu_ms();
        let said = read(feed(address));
        println!("{:6.1} ms  {what}: {said:?}", cpu_ms() - before);
    }
}
