//! Tests of `peer`.

use super::*;

/// Names of users, the login user behind another user, and a claimed author.
#[test]
fn authors() {
    let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/srv/ann:/bin/sh\nbroken\n";
    assert_eq!(name_of(0, users), "root");
    assert_eq!(name_of(1000, users), "ann");
    assert_eq!(name_of(7, users), "uid 7");
    let plain = Peer { user: "ann".into(), login: None };
    let sudo = Peer { user: "root".into(), login: Some("ann".into()) };
    for (peer, claimed, author) in [
        (Some(&plain), None, "ann"),
        (Some(&plain), Some(" "), "ann"),
        (Some(&sudo), None, "root (login ann)"),
        (Some(&sudo), Some("bob"), "root (login ann), claims to be bob"),
        (Some(&sudo), Some("ann"), "root (login ann)"),
        (None, Some("bob"), "a user that the system does not name, claims to be bob"),
    ] {
        assert_eq!(Peer::author(peer, claimed), author);
    }
}

/// The peer of a connection from this process is the user of this process.
#[test]
fn the_peer_is_who_the_system_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let peer = runtime.block_on(async {
        let (one, _other) = UnixStream::pair().expect("a pair");
        Peer::of(&one).expect("credentials")
    });
    let status = fs::read_to_string("/proc/self/status").expect("proc(5)");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("a line");
    let uid: u32 = uid.split_whitespace().next().expect("a number").parse().expect("a number");
    assert_eq!(peer.user, name_of(uid, &fs::read_to_string("/etc/passwd").unwrap_or_default()));
}
