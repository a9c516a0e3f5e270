//! DNS cookies over real sockets: what one node gave another knows, secrets are changed without a
//! client noticing, and `dig` calls our cookies good.

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use std::process::Command;
use support::deployment::*;
use support::program;
use support::reply::Reply;

const A: u16 = 1;
const NOTIFY: u8 = 4;
const FIRST: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const SECOND: &str = "445536bcd2513298075a5d379663c962";

/// A deployment whose secrets stand in a file.
fn fleet_node(secrets: &[&str]) -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0", "[::1]:0"], "cookies: { secrets: cookies.secrets }\n");
    deployment.write("cookies.secrets", &secrets.join("\n"));
    deployment
}

/// What a node thinks of a cookie: the response code of a message with nothing else (RFC 7873
/// section 5.4).
fn judged(server: &Server, cookie: &[u8]) -> String {
    let mut asked = query(5, ".", A);
    asked.truncate(12);
    asked[5] = 0;
    let reply = ask_udp(server.dns()[0], &with_option(asked, 10, cookie));
    let reply = Reply::of(&reply);
    assert!(reply.opt.is_some(), "{reply:?}");
    reply.status
}

fn given(server: &Server, client: [u8; 8]) -> Vec<u8> {
    cookie_of(&ask_udp(server.dns()[0], &with_option(query(1, "www.cdn.example", A), 10, &client)))
        .expect("a cookie")
}

/// RFC 9018 section 5: a new secret is first known, then used, then alone; at no step is a cookie
/// of the step before refused, and the digest, which is of answers, stays.
#[test]
fn secrets_roll_over() {
    let (one, other) = (fleet_node(&[FIRST]), fleet_node(&[FIRST]));
    let (server, peer) = (one.start(Engine::Fast), other.start(Engine::Fast));
    let digest = server.shared().published.snapshot().digest();
    let mut last = given(&server, [1; 8]);
    assert_eq!(judged(&peer, &last), "NOERROR", "nodes with equal secrets know each other's cookies");
    for (client, secrets) in [(2, vec![FIRST, SECOND]), (3, vec![SECOND, FIRST]), (4, vec![SECOND])] {
        one.write("cookies.secrets", &secrets.join("\n"));
        reload(&server);
        assert_eq!(server.shared().published.snapshot().digest(), digest);
        assert_eq!(judged(&server, &last), "NOERROR", "{secrets:?}");
        last = given(&server, [client; 8]);
        if client == 2 {
            assert_eq!(
                judged(&peer, &last),
                "NOERROR",
                "what the slowest node does not know is not used yet"
            );
        }
    }
    assert_eq!(judged(&server, &given(&peer, [5; 8])), "BADCOOKIE", "the first secret is gone");
    // A file that cannot be used changes nothing.
    one.write("cookies.secrets", "secret\n");
    reload(&server);
    assert_eq!(judged(&server, &last), "NOERROR");
    server.stop();
    peer.stop();
}

/// A node that was given no secret has its own, which a reload does not change and no other node
/// knows.
#[test]
fn a_node_alone() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let server = deployment.start(Engine::Fast);
    let cookie = given(&server, [1; 8]);
    deployment.set_address("198.51.100.20");
    reload(&server);
    assert_eq!(judged(&server, &cookie), "NOERROR");
    let stranger = fleet_node(&[FIRST]);
    let other = stranger.start(Engine::Fast);
    assert_eq!(judged(&other, &cookie), "BADCOOKIE");
    server.stop();
    other.stop();
}

/// Both engines, both families, both transports and the refusal of a NOTIFY answer a cookie; each
/// query is counted by what its cookie said.
#[test]
fn cookies_everywhere() {
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = fleet_node(&[FIRST]);
        let server = deployment.start(engine);
        for address in server.dns() {
            let asked = with_option(query(1, "www.cdn.example", A), 10, &[9; 8]);
            let cookie = cookie_of(&ask_udp(*address, &asked)).expect("a cookie");
            assert_eq!((cookie.len(), &cookie[..12]), (24, &[9, 9, 9, 9, 9, 9, 9, 9, 1, 0, 0, 0][..]));
            assert_eq!(
                cookie_of(&ask_tcp(*address, &with_option(query(2, "cdn.example", A), 10, &cookie))),
                Some(cookie.clone())
            );
            assert_eq!(
                cookie_of(&ask_udp(*address, &with_option(query(3, "other.test", A), 10, &cookie))),
                Some(cookie.clone())
            );
            let notify = with_option(message(4, NOTIFY, "cdn.example", 6), 10, &cookie);
            assert_eq!(cookie_of(&ask_udp(*address, &notify)), Some(cookie.clone()), "{engine:?}");
            let mut forged = cookie;
            forged[23] ^= 1;
            assert_ne!(
                cookie_of(&ask_udp(*address, &with_option(query(5, "cdn.example", A), 10, &forged))),
                Some(forged)
            );
            assert_eq!(cookie_of(&ask_udp(*address, &query(6, "cdn.example", A))), None);
        }
        let counted = |transport| server.shared().counters.fold(transport).cookies().collect::<Vec<_>>();
        assert_eq!(
            counted(Transport::Udp),
            [("none", 2), ("client", 2), ("valid", 4), ("invalid", 2)],
            "{engine:?}"
        );
        assert_eq!(
            counted(Transport::Tcp),
            [("none", 0), ("client", 0), ("valid", 2), ("invalid", 0)],
            "{engine:?}"
        );
        assert_eq!(judged(&server, &[1; 8]), "NOERROR", "{engine:?}");
        server.stop();
    }
}

/// No secret is shown by what is made of the files, nor by findings about their file.
#[test]
fn secrets_are_never_shown() {
    let deployment = fleet_node(&[FIRST, SECOND]);
    let shown = |octets: &[u8]| {
        let text = String::from_utf8_lossy(octets).to_lowercase();
        let numbers: Vec<String> =
            [FIRST, SECOND].iter().map(|s| u128::from_str_radix(s, 16).unwrap().to_string()).collect();
        [FIRST, SECOND, "e5e973e5", "0xe5", "229, 233, 115", "68, 85, 54"].iter().any(|s| text.contains(s))
            || numbers.iter().any(|n| text.contains(n))
    };
    let (read, findings, files) =
        meridian::testing::reload::prepare::read(&deployment.path("meridian.yaml"), false);
    let read = read.expect("a sound deployment");
    assert!(!shown(format!("{read:?} {findings:?} {files:?}").as_bytes()));
    let server = deployment.start(Engine::Fast);
    assert!(!shown(format!("{:?}", server.shared().published.snapshot()).as_bytes()));
    server.stop();
    deployment.write("cookies.secrets", &format!("{FIRST}\n{FIRST}\n{SECOND}x\n"));
    let (status, stdout, stderr) = deployment.run(&["check"]);
    assert_eq!(status, 1);
    let said = stdout + &stderr;
    assert!(said.contains("MRD0111") && !shown(said.as_bytes()), "{said}");
    // A file that is not there refuses both a server and a check.
    let config = deployment.path("meridian.yaml");
    std::fs::remove_file(deployment.path("cookies.secrets")).expect("ours");
    assert!(
        meridian::testing::reload::prepare::read(&config, true).0.is_none()
            && meridian::testing::reload::prepare::read(&config, false).0.is_none()
    );
    let text = std::fs::read_to_string(&config).expect("ours");
    deployment.write("meridian.yaml", &text.replace("cookies.secrets }", &format!("{FIRST} }}")));
    let (_, findings, files) = meridian::testing::reload::prepare::read(&config, false);
    let told = meridian::testing::finding::render::text(&findings, &files, false);
    assert!(told.contains("MRD0111") && !shown(told.as_bytes()), "{told}");
}

/// A file of secrets that everybody on the machine may read is told, by `check` and at the start.
#[test]
fn secrets_that_others_may_read_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let deployment = fleet_node(&[FIRST]);
    for (mode, is_told) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
        let file = deployment.path("cookies.secrets");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("ours");
        for is_for_check in [true, false] {
            let (read, findings, files) =
                meridian::testing::reload::prepare::read(&deployment.path("meridian.yaml"), is_for_check);
            let told = meridian::testing::finding::render::text(&findings, &files, false);
            assert!(read.is_some(), "{told}");
            assert_eq!(
                told.contains("warning[MRD0111]: every user of this machine may read"),
                is_told,
                "{told}"
            );
        }
    }
}

/// `dig` sends a client cookie by itself, learns ours, and says whether it is good.
#[test]
fn dig_learns_a_cookie() {
    if !program::has("dig", "-v") {
        println!("skipped: dig is not installed");
        return;
    }
    let deployment = fleet_node(&[FIRST]);
    let server = deployment.start(Engine::Fast);
    let port = server.dns()[0].port().to_string();
    let dig = |cookie: &str| {
        let mut dig = Command::new("dig");
        dig.args(["@127.0.0.1", "-p", &port, "+tries=1", "+time=10", "www.cdn.example", "A", cookie]);
        program::run(dig).1
    };
    let first = dig("+cookie=0102030405060708");
    let line =
        first.lines().find_map(|line| line.strip_prefix("; COOKIE: ")).unwrap_or_else(|| panic!("{first}"));
    let (cookie, verdict) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
    assert_eq!((cookie.len(), &cookie[..16], verdict), (48, "0102030405060708", "(good)"));
    assert!(
        dig(&format!("+cookie={cookie}")).contains(&format!("; COOKIE: {cookie} (good)")),
        "a good cookie comes back as it is"
    );
    server.stop();
}
