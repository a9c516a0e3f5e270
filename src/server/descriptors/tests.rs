//! Tests of the shares by limit, and of the watch.

use super::*;
use crate::config::{Cpus, StreamLimits};
use crate::finding::{At, FileId, Severity};
use crate::limits::BATCH_DEFAULT;

const TCP: Use = Use::Stream(Transport::Tcp);
const DOT: Use = Use::Stream(Transport::Dot);

fn listen(connections: u32, connections_at: Option<At>, admin: bool) -> Listen {
    Listen {
        dns: vec![([127, 0, 0, 1], 53).into()],
        control: "control.sock".into(),
        admin: admin.then(|| ([127, 0, 0, 1], 8053).into()),
        admin_hosts: Vec::new(),
        threads: None,
        cpus: Cpus::Off,
        socket_affinity: false,
        batch: BATCH_DEFAULT,
        receive_buffer: None,
        send_buffer: None,
        tcp: StreamLimits { connections, connections_at, ..StreamLimits::default() },
        dot: Vec::new(),
        doh: Vec::new(),
        doq: Vec::new(),
        dot_limits: StreamLimits::default(),
        doh_limits: StreamLimits::default(),
        doq_limits: StreamLimits::default(),
    }
}

/// TCP gets the rest after the other shares; too large a number is reported. Below 653 descriptors
/// every share is cut, and a limit below the sum of the minimum shares is an error.
#[test]
fn reserves_come_first() {
    let at = Some(At::whole(FileId(0)));
    let rows = [
        (4_096, at, Some(1_048_576), 4_096, None),
        (4_096, at, Some(1_024), 1_024 - 106 - 320 - 256, Some(Severity::Warning)),
        (4_096, None, Some(1_024), 1_024 - 106 - 320 - 256, Some(Severity::Note)),
        (100, at, Some(1_024), 100, None),
        (100, at, Some(512), 53, Some(Severity::Warning)),
        (100, None, Some(128), 16, Some(Severity::Warning)),
        (10, None, Some(128), 10, Some(Severity::Warning)),
        (100, None, Some(125), 16, Some(Severity::Error)),
        (100, None, Some(64), 16, Some(Severity::Error)),
        (4_096, at, None, 4_096, None),
        (4_096, at, Some(usize::MAX), 4_096, None),
    ];
    for (asked, at, limit, tcp, severity) in rows {
        let (shares, finding) = share(&listen(asked, at, true), 10, limit);
        assert_eq!(shares.of(TCP), tcp, "{asked} of {limit:?}");
        assert_eq!(finding.as_ref().map(|finding| finding.severity), severity, "{asked} of {limit:?}");
        if let Some(finding) = finding {
            assert_eq!(finding.help.len(), 1, "{finding:?}");
            let is_cut = finding.message.contains("every share is cut: ");
            let of_prefix = format!(" {tcp} ({} for one client prefix) ", (tcp / 4).min(256));
            assert_eq!(is_cut, !finding.message.contains(&of_prefix) && severity != Some(Severity::Error));
            assert_eq!(is_cut, limit.is_some_and(|limit| (128..653).contains(&limit)), "{finding:?}");
        }
        if let Some(limit) = limit.filter(|limit| (128..usize::MAX).contains(limit)) {
            assert!(shares.sum() <= limit, "{shares:?}");
        }
    }
}

/// No transport takes what another is promised, if there is room for the least of both. The limit
/// in the help has room for all of both.
#[test]
fn transports_share_what_is_left() {
    let with_dot = |connections| Listen {
        dot: vec![([127, 0, 0, 1], 853).into()],
        dot_limits: StreamLimits { connections, ..StreamLimits::default() },
        ..listen(4_096, None, true)
    };
    let left = |limit: usize| limit - 106 - 320 - 256;
    for (asked, limit, tcp, dot) in [
        (4_096, 1_048_576, 4_096, 4_096),
        (4_096, 1_024, left(1_024) / 2, left(1_024) / 2),
        (100, 1_024, 276, 65),
    ] {
        let (shares, finding) = share(&with_dot(asked), 10, Some(limit));
        assert_eq!((shares.of(TCP), shares.of(DOT)), (tcp, dot), "{asked} of {limit}");
        assert!(shares.sum() <= limit);
        let Some(finding) = finding else { continue };
        let words = finding.help[0].split_whitespace();
        let needed = words.filter_map(|word| word.parse().ok()).next().expect("a number");
        assert!(share(&with_dot(asked), 10, Some(needed)).1.is_none(), "{needed} is not enough");
    }
    assert_eq!(share(&listen(4_096, None, true), 10, None).0.of(DOT), 0, "no address, no share");
}

/// No share grows as the limit falls, and no share is below its minimum.
#[test]
fn shares_fall_with_the_limit() {
    let mut before = share(&listen(4_096, None, true), 10, Some(1_024)).0;
    for limit in (126..1_024).rev() {
        let (shares, finding) = share(&listen(4_096, None, true), 10, Some(limit));
        assert!(finding.is_some_and(|finding| finding.severity != Severity::Error), "{limit}");
        assert!(shares.sum() <= limit, "{shares:?}");
        for (part, least) in [(TCP, 16), (Use::Pages, 28), (Use::Probes, 16), (Use::Own, 66)] {
            let of = shares.of(part);
            assert!(
                (least..=before.of(part).max(least)).contains(&of),
                "{limit}: {shares:?} after {before:?}"
            );
        }
        before = shares;
    }
}

/// The limit in the help of an error is sufficient.
#[test]
fn the_help_of_an_error_helps() {
    for (admin, sockets) in [(false, 3), (true, 10), (true, 2_000)] {
        let refused = share(&listen(100, None, admin), sockets, Some(64)).1.expect("an error");
        let words = refused.help[0].split_whitespace();
        let needed = words.filter_map(|word| word.parse().ok()).next().expect("a number");
        let found = share(&listen(64, None, admin), sockets, Some(needed)).1;
        assert!(found.is_none(), "{needed}: {found:?}");
    }
}

/// The alarm begins at the first lack, and ends after several checks without a lack.
#[test]
fn the_watch_tells_begin_and_end() {
    let descriptors = Descriptors::new(Shares::each(100, |_| 20));
    let mut watched = Watched::default();
    let mut look = |open| watched.look(&descriptors, open, 7).map(|event| event.kind());
    assert_eq!(look(Some(20)), None);
    assert_eq!(look(Some(21)), Some("descriptors_short"));
    let alarm = descriptors.alarm().expect("it stands");
    assert_eq!(alarm.since_epoch_secs, 7);
    assert!(
        alarm.sentence.contains("21 of 100 are open (0 tcp, 0 dot, 0 doh, 0 pages, 0 probes, 21 own)"),
        "{alarm:?}"
    );
    let ends: Vec<_> = (0..DESCRIPTORS_CALM_LOOKS).map(|_| look(Some(5))).collect();
    assert_eq!(ends.iter().flatten().collect::<Vec<_>>(), [&"descriptors_enough"]);
    assert_eq!((ends.last(), descriptors.alarm()), (Some(&Some("descriptors_enough")), None));
    // No descriptor is left for the check itself.
    descriptors.note_exhausted();
    assert_eq!(look(None), Some("descriptors_short"));
}
