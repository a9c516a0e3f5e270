//! Lists, limits and cookies are about the client that a header names, and not about the balancer.

use super::*;
use support::program::{Served, meridian_over};

/// Access lists judge the client, and the balancer only where it speaks for itself.
#[test]
fn access_lists_see_the_client() {
    let access = "access: { drop: [203.0.113.0/24], refuse: [192.0.2.0/24] }\n";
    let (deployment, _) = deployment("", &format!("{LISTED}{access}"));
    let server = deployment.start(Engine::Fast);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    let asked = |client: &str| [&header(client)[..], &www(1)].concat();
    socket.send_to(&asked(EASTERN), address).expect("sent");
    until_so("it is dropped", || dropped(&server, Transport::Udp, Dropped::Access) == 1);
    let mut stream = begun(address, &header(EASTERN));
    assert!(is_over(&mut stream));
    assert_eq!(dropped(&server, Transport::Tcp, Dropped::Access), 1);
    for (client, status) in [("192.0.2.1:4000", "REFUSED"), ("198.51.100.1:4000", "NOERROR")] {
        assert_eq!(Reply::of(&ask_from(&socket, address, &asked(client))).status, status);
        let answer = ask(&mut begun(address, &header(client)), &www(1)).expect("an answer");
        assert_eq!(Reply::of(&answer).status, status);
    }
    // The balancer's own address is judged where a header names no client.
    deployment.edit("meridian.yaml", |text| text.replace("[203.0.113.0/24]", "[127.1.9.0/24]"));
    assert!(reload(&server).published);
    assert_eq!(address_of(&ask_from(&socket, address, &asked(EASTERN))), EAST);
    assert!(ask(&mut begun(address, &header(EASTERN)), &www(1)).is_some());
    let local = with_signature(&[0x20, 0, 0, 0]);
    assert!(is_over(&mut begun(address, &local)));
    socket.send_to(&[&local[..], &www(1)].concat(), address).expect("sent");
    until_so("it is dropped", || dropped(&server, Transport::Udp, Dropped::Access) == 2);
    server.stop();
}

/// A flood for one client leaves another alone behind the same balancer, and is shown as that of
/// the client.
#[test]
fn rate_limits_see_the_client() {
    let limits = "rate_limit: { from_qps: 0, per_second: 1, slip: 0 }\n";
    let (deployment, _) = deployment("", &format!("{LISTED}{limits}"));
    let server = deployment.start(Engine::Fast);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    let totals = || server.shared().counters.fold(Transport::Udp);
    for id in 0..200 {
        socket.send_to(&[&header(EASTERN)[..], &www(id)].concat(), address).expect("sent");
        if id % 20 == 19 {
            until_so("the server takes the queries", || totals().received > u64::from(id));
        }
    }
    until_so("all are treated", || totals().replied() + totals().dropped(Dropped::RateLimited) == 200);
    let answered = totals().replied();
    assert!((1..=20).contains(&answered), "{answered}");
    let mut answer = [0; 512];
    for _ in 0..answered {
        socket.recv(&mut answer).expect("an answer");
    }
    let other = ask_from(&socket, address, &[&header("192.0.2.1:4000")[..], &www(999)].concat());
    assert_eq!((decode(&other).0, &*address_of(&other)), (999, WEST));
    let status = deployment.page("/status").body;
    assert!(status.contains("\"prefix\":\"203.0.113.0/24\""), "{status}");
    assert!(!status.contains("127.1.9.0/24"), "{status}");
    server.stop();
}

/// Connections count for the client's prefix. Those of the balancer itself, and those whose client
/// is not yet known, have no limit but the total.
#[test]
fn limits_of_connections_see_the_client() {
    let (deployment, _) = deployment("  tcp_connections_per_prefix: 2\n", LISTED);
    let server = deployment.start(Engine::Fast);
    let address = server.dns()[0];
    let full = || dropped(&server, Transport::Tcp, Dropped::PrefixFull);
    let unnamed: Vec<TcpStream> = (0..8).map(|_| begun(address, &[])).collect();
    let opened = |octets: &[u8]| {
        let mut stream = begun(address, octets);
        assert!(ask(&mut stream, &www(1)).is_some());
        stream
    };
    let mut local: Vec<TcpStream> = (0..8).map(|_| opened(&with_signature(&[0x20, 0, 0, 0]))).collect();
    let mut clients: Vec<TcpStream> =
        (0..8).map(|n| opened(&header(&format!("192.0.{}.1:1", n / 2)))).collect();
    assert_eq!(full(), 0);
    for stream in clients.iter_mut().chain(&mut local) {
        assert!(ask(stream, &www(2)).is_some(), "no connection has given way");
    }
    let _third = opened(&header("192.0.1.200:1"));
    assert_eq!(full(), 1);
    assert!(is_over(&mut clients[2]), "the oldest of 192.0.1.0/24 gives way");
    assert!(ask(&mut clients[3], &www(3)).is_some() && ask(&mut clients[0], &www(3)).is_some());
    drop(unnamed);
    server.stop();
}

/// A server cookie is bound to the client: it is valid for that client alone, whichever way the
/// query came.
#[test]
fn cookies_are_bound_to_the_client() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    let through =
        |client: &str, asked: &[u8]| ask_from(&socket, address, &[&header(client)[..], asked].concat());
    let cookie = cookie_of(&through("127.1.2.1:4000", &with_option(www(1), 10, &[7; 8]))).expect("a cookie");
    let judged = {
        let mut asked = query(5, ".", A);
        asked.truncate(12);
        asked[5] = 0;
        with_option(asked, 10, &cookie)
    };
    let status = |answer: &[u8]| Reply::of(answer).status;
    assert_eq!(status(&through("127.1.2.1:4001", &judged)), "NOERROR");
    assert_eq!(status(&ask_from(&udp(2), address, &judged)), "NOERROR");
    assert_eq!(status(&through(EASTERN, &judged)), "BADCOOKIE");
    server.stop();
}

/// A message in quarantine has the prefix of the client.
#[cfg(debug_assertions)] // the hook that makes the program panic is not in other builds
#[test]
fn the_quarantine_names_the_client() {
    let (deployment, _) = deployment("", LISTED);
    let mut command = meridian_over(&deployment.config(), &["serve"]);
    command.env("MERIDIAN_HOOK_PANIC_ON", "boom");
    let served = Served::of(command);
    let boom = |rtype| query(1, "boom.cdn.example", rtype);
    let socket = udp(BALANCER);
    socket.send_to(&[&header(EASTERN)[..], &boom(A)].concat(), served.dns).expect("sent");
    let answer = ask_from(&socket, served.dns, &[&header(EASTERN)[..], &www(7)].concat());
    assert_eq!((decode(&answer).0, &*address_of(&answer)), (7, EAST));
    let mut stream = begun(served.dns, &header("[2001:db8:f::1]:4000"));
    stream.write_all(&framed(&boom(28))).expect("the server reads");
    assert_eq!(address_of(&ask(&mut stream, &www(8)).expect("an answer")), WEST);
    let listed = || deployment.run(&["quarantine", "list"]).1;
    until_so("both have files", || listed().matches("boom").count() == 2);
    let texts = std::fs::read_dir(deployment.path("state/quarantine")).expect("a folder");
    let texts: String =
        texts.map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a text")).collect();
    assert!(texts.contains("203.0.113.0/24") && texts.contains("2001:db8:f::/56"), "{texts}");
    assert!(!texts.contains("127.1.9"), "{texts}");
}
