//! Rate limits over real sockets: a flood of equal queries from one prefix gets few answers, a
//! client with a valid cookie gets all, and fewer octets go out than came in.

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use support::deployment::*;
use support::program::{until, until_so};
use support::reply::Reply;

const A: u16 = 1;
/// Queries of a flood.
const FLOOD: u64 = 1000;

fn limited(keys: &str) -> Deployment {
    Deployment::new(&["127.0.0.1:0"], &format!("rate_limit: {{ from_qps: 0, {keys} }}\n"))
}

/// [`flood_of`] equal queries.
fn flood(server: &Server, asked: &[u8]) -> (Vec<Vec<u8>>, u64) {
    flood_of(server, |_| asked.to_vec())
}

/// Replies to [`FLOOD`] queries, sent as fast as they are received, and the number of clock seconds
/// that began meanwhile, the first included.
fn flood_of(server: &Server, asked: impl Fn(u64) -> Vec<u8>) -> (Vec<Vec<u8>>, u64) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(server.dns()[0]).expect("connected");
    socket.set_nonblocking(true).expect("an option");
    let counters = || server.shared().counters.fold(Transport::Udp).received;
    let (before, begin) = (counters(), Instant::now());
    let of = |reason| server.shared().counters.fold(Transport::Udp).dropped(reason);
    let dropped = of(Dropped::RateLimited);
    let (mut replies, mut buffer) = (Vec::new(), [0; 2048]);
    let mut take = |replies: &mut Vec<Vec<u8>>| {
        while let Ok(length) = socket.recv(&mut buffer) {
            replies.push(buffer[..length].to_vec());
        }
    };
    for sent in 1..=FLOOD {
        socket.send(&asked(sent)).expect("sent");
        // No more wait in the server than its receive buffer holds.
        if sent % 50 == 0 {
            until_so("the server takes the queries", || counters() == before + sent);
            take(&mut replies);
        }
    }
    let seconds = begin.elapsed().as_secs() + 2;
    until("every query is answered or counted", Duration::from_secs(20), || {
        take(&mut replies);
        (replies.len() as u64 + of(Dropped::RateLimited) - dropped == FLOOD).then_some(())
    });
    (replies, seconds)
}

fn octets(replies: &[Vec<u8>]) -> usize {
    replies.iter().map(Vec::len).sum()
}

#[test]
fn a_flood_gets_few_answers() {
    let deployment = limited("per_second: 20");
    let server = deployment.start(Engine::Fast);
    let asked = query(1, "www.cdn.example", A);
    let (replies, seconds) = flood(&server, &asked);
    let (full, short): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| !Reply::of(reply).is_truncated());
    assert!((20..=20 * seconds).contains(&(full.len() as u64)), "{} in {seconds} s", full.len());
    for reply in &short {
        let of = Reply::of(reply);
        assert!(of.sections.iter().all(Vec::is_empty) && reply.len() <= asked.len(), "{of:?}");
    }
    assert!((300..700).contains(&short.len()), "every second one: {}", short.len());
    let (code, shown, _) = deployment.run(&["limits"]);
    assert!(code == 0 && shown.contains("udp        rate_limited  "), "{shown}");
    assert!(shown.contains("PREFIX        ANSWERS PAST A RATE LIMIT\n127.0.0.0/24  "), "{shown}");
    let status = deployment.page("/status").body;
    assert!(status.contains("\"prefix\":\"127.0.0.0/24\""), "{status}");
    let metrics = deployment.page("/metrics").body;
    let of = |treatment: &str| {
        let series = format!(
            "meridian_rate_limited_total{{limit=\"answers\",transport=\"udp\",treatment=\"{treatment}\"}} "
        );
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
        line.unwrap_or_else(|| panic!("{series} in {metrics}")).parse::<u64>().unwrap()
    };
    assert_eq!(of("slipped"), short.len() as u64);
    assert_eq!(of("slipped") + of("dropped") + full.len() as u64, FLOOD);
}

#[test]
fn cookies_prove_the_address() {
    let deployment = limited("per_second: 20");
    let server = deployment.start(Engine::Fast);
    let client = with_option(query(1, "www.cdn.example", A), 10, &[7; 8]);
    let (replies, seconds) = flood(&server, &client);
    let is_full = |reply: &&Vec<u8>| Reply::of(reply).status == "NOERROR";
    let full = replies.iter().filter(is_full).count() as u64;
    assert!(full <= 20 * seconds, "{full} in {seconds} s");
    let refused = replies.iter().find(|reply| !is_full(reply)).expect("BADCOOKIE comes");
    assert_eq!(Reply::of(refused).status, "BADCOOKIE");
    assert!(octets(&replies) < FLOOD as usize * client.len() + 20 * seconds as usize * 200);
    // The cookie that came with it opens the door.
    let cookie = cookie_of(refused).expect("a cookie");
    let proven = with_option(query(2, "www.cdn.example", A), 10, &cookie);
    let (replies, _) = flood(&server, &proven);
    assert_eq!(replies.iter().filter(is_full).count() as u64, FLOOD);
}

/// A forger invents client subnets at a steered name, labels below a wildcard, and types at a
/// CNAME: the answers of one owner name have a limit all the same.
#[test]
fn invented_questions_get_few_answers() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let keys = "rate_limit: { from_qps: 0, answers_per_name: 40, slip: 0 }\n";
    deployment.edit("meridian.yaml", |text| text + keys);
    let server = deployment.start(Engine::Fast);
    let subnet = |n: u64| {
        let network = [10 + (n % 90) as u8, (n / 90) as u8 * 16, 0];
        with_subnet(query(1, "global.edge.cdn.example", A), network)
    };
    let label = |n: u64| query(1, &format!("n{n}.edge.cdn.example"), A);
    let rtype = |n: u64| query(1, "x.cdn.example", 1000 + n as u16);
    let forged: [&dyn Fn(u64) -> Vec<u8>; 3] = [&subnet, &label, &rtype];
    for (number, asked) in forged.into_iter().enumerate() {
        let (replies, seconds) = flood_of(&server, asked);
        // Within the second of the flood before, the account of a new name begins at half of
        // `answers`.
        assert!((30..=40 * seconds).contains(&(replies.len() as u64)), "{number}: {}", replies.len());
    }
}

/// A message that asks for a cookie alone counts as an error, and a slipped one gets its cookie.
#[test]
fn cookies_alone_are_limited_and_slipped() {
    let deployment = limited("errors: 5");
    let server = deployment.start(Engine::Fast);
    let asked = with_option(vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 10, &[7; 8]);
    let (replies, _) = flood(&server, &asked);
    assert!((300..700).contains(&replies.len()), "{}", replies.len());
    assert!(replies.iter().all(|reply| cookie_of(reply).is_some_and(|cookie| cookie.len() == 24)));
    let metrics = deployment.page("/metrics").body;
    let series = "meridian_rate_limited_total{limit=\"errors\",transport=\"udp\",treatment=\"slipped\"}";
    assert!(metrics.contains(series), "{metrics}");
}

/// `log_only` counts and sends; a reload puts other limits in force; TCP is never limited.
#[test]
fn log_only_and_reloads() {
    let deployment = limited("mode: log_only");
    let server = deployment.start(Engine::Fast);
    let asked = query(1, "www.cdn.example", A);
    assert_eq!(flood(&server, &asked).0.len() as u64, FLOOD);
    deployment.edit("meridian.yaml", |text| text.replace("mode: log_only", "slip: 0, per_second: 1"));
    reload(&server);
    let (replies, seconds) = flood(&server, &asked);
    assert!(replies.len() as u64 <= seconds, "{} in {seconds} s", replies.len());
    for id in 0..30 {
        assert_eq!(Reply::of(&ask_tcp(server.dns()[0], &query(id, "www.cdn.example", A))).status, "NOERROR");
    }
}
