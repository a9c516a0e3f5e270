//! Tests of `places`, without connections.

use super::*;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

fn is_cut(place: &Place) -> bool {
    !place.places.table().rows.contains_key(&place.id)
}

/// If silent connections take every place, a new connection gets the place of the oldest connection
/// of the address with the most connections.
#[test]
fn the_oldest_of_the_largest_storm_is_cut() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let quiet = places.enter(address("192.0.2.1"), false);
    let storm: Vec<Place> =
        (1..CONTROL_PER_CLIENT_MAX).map(|_| places.enter(address("198.51.100.7"), false)).collect();
    let others = CONTROL_CONNECTIONS_MAX - CONTROL_PER_CLIENT_MAX;
    let _others: Vec<Place> =
        (0..others).map(|n| places.enter(address(&format!("198.51.101.{n}")), false)).collect();
    assert_eq!(places.held(), CONTROL_CONNECTIONS_MAX);
    let new = places.enter(address("203.0.113.1"), false);
    assert_eq!(places.held(), CONTROL_CONNECTIONS_MAX);
    assert!(is_cut(&storm[0]) && !is_cut(&storm[1]) && !is_cut(&quiet) && !is_cut(&new));
}

/// Addresses of one /64 count as one, and IPv4 inside IPv6 as IPv4.
#[test]
fn a_network_of_one_client_counts_as_one() {
    let rows = [
        ("2001:db8::1", "2001:db8::2", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
        ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ];
    for (one, other, are_one) in rows {
        let canonical = |text: &str| super::canonical(text.parse().expect("an address"));
        assert_eq!(canonical(one) == canonical(other), are_one, "{one} {other}");
    }
}

/// A full class refuses only its own requests. A peer that does not read its answer loses its
/// place.
#[test]
fn classes_do_not_lock_each_other_out() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let enter = || places.enter(None, false);
    let waiting: Vec<Place> = (0..CONTROL_WAITING_MAX).map(|_| enter()).collect();
    assert!(waiting.iter().all(|place| place.answer(Class::Wait).is_ok()));
    let scrapes: Vec<Place> = (0..CONTROL_OTHERS_MAX).map(|_| enter()).collect();
    assert!(scrapes.iter().all(|place| place.answer(Class::Page).is_ok()));
    assert_eq!(enter().answer(Class::Wait), Err(Full));
    let late = enter();
    assert_eq!(late.answer(Class::Page), Err(Full));
    assert_eq!(enter().answer(Class::Verb), Ok(()));
    assert_eq!(enter().answer(Class::Check), Ok(()));
    scrapes[3].take(Class::Page);
    assert_eq!(late.answer(Class::Page), Ok(()));
    assert!(is_cut(&scrapes[3]) && !is_cut(&scrapes[0]));
    drop((waiting, scrapes, late));
    assert_eq!(places.held(), 0);
}

/// Readers of one address do not keep another address from a page. Running verbs are never closed.
#[test]
fn the_largest_reader_makes_room() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    for (class, is_read) in [(Class::Page, true), (Class::Check, true), (Class::Verb, false)] {
        let many: Vec<Place> =
            (0..CONTROL_OTHERS_MAX).map(|_| places.enter(address("192.0.2.1"), false)).collect();
        assert!(many.iter().all(|place| place.answer(class).is_ok()));
        assert_eq!(places.enter(address("192.0.2.1"), false).answer(class), Err(Full), "{class:?}: its own");
        let other = places.enter(address("192.0.2.2"), false);
        assert_eq!(other.answer(class).is_ok(), is_read, "{class:?}");
        assert_eq!(is_cut(&many[0]), is_read, "{class:?}");
    }
}

/// Each stage sets a deadline, except the answer of a reload.
#[test]
fn every_stage_has_a_deadline() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let place = places.enter(None, false);
    let began = Instant::now();
    let left = || place.until.borrow().map(|until| until.duration_since(began).as_secs_f64().round() as u64);
    let refused = |secs| secs + REFUSAL.as_secs();
    assert_eq!(left(), Some(refused(CONTROL_REQUEST_SECS)));
    let answers = [(Class::Check, true), (Class::Page, true), (Class::Verb, true), (Class::Wait, false)];
    for (class, is_bounded) in answers {
        place.answer(class).expect("room");
        assert_eq!(left(), is_bounded.then_some(refused(CONTROL_ANSWER_SECS)), "{class:?}");
        place.take(class);
        assert_eq!(left(), Some(refused(CONTROL_TAKE_SECS)), "{class:?}");
    }
}

/// A watch ends when another connection gets the place.
#[tokio::test]
async fn a_connection_without_a_place_is_cut() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let first = places.enter(None, false);
    let others: Vec<Place> = (0..CONTROL_CONNECTIONS_MAX).map(|_| places.enter(None, false)).collect();
    first.watch().cut().await;
    assert_eq!(others.iter().filter(|place| is_cut(place)).count(), 0);
}

/// The places never exceed the share, and every kind has places; the full share has all places.
#[test]
fn places_keep_within_their_share() {
    for share in PAGE_DESCRIPTORS_LEAST..=DESCRIPTORS + 1 {
        let Places { asking, others, waiting, .. } = Places::within(share);
        assert!(asking + 4 * others + waiting <= share, "{share}");
        assert!(asking >= 4 && others >= 2 && waiting >= 2, "{share}: {asking} {others} {waiting}");
    }
    let Places { asking, others, waiting, .. } = Places::within(usize::MAX);
    let wanted = (CONTROL_CONNECTIONS_MAX, CONTROL_OTHERS_MAX, CONTROL_WAITING_MAX);
    assert_eq!((asking, others, waiting), wanted);
}

/// A client with all its connections in use gets no more, and loses its oldest one without a whole
/// request before that. Others are not affected.
#[test]
fn a_client_has_a_bound() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let enter = || places.enter(address("192.0.2.1"), false);
    let mut held: Vec<Place> = (0..CONTROL_PER_CLIENT_MAX).map(|_| enter()).collect();
    assert!(held.iter().all(|place| !place.is_excess()));
    let next = enter();
    assert!(is_cut(&held[0]) && !is_cut(&held[1]) && !next.is_excess());
    held.remove(0);
    held.push(next);
    for (number, place) in held.iter().enumerate() {
        let class = if number < CONTROL_OTHERS_MAX { Class::Verb } else { Class::Wait };
        assert_eq!(place.answer(class), Ok(()), "{number}");
    }
    let first = enter();
    let second = enter();
    assert!(first.is_excess() && second.is_excess() && is_cut(&first) && !is_cut(&second));
    assert_eq!(places.held(), CONTROL_PER_CLIENT_MAX + 1);
    drop((first, second));
    assert!(!places.enter(address("192.0.2.2"), false).is_excess());
    assert!(!places.enter(None, false).is_excess());
    held.pop();
    assert!(!enter().is_excess());
}

/// One address with all streams gives one up for another address, and gets it back only while the
/// others have fewer.
#[test]
fn an_address_with_many_streams_gives_way() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let address = |text: &str| Some(text.parse().unwrap());
    let readers: Vec<Place> =
        (0..CONTROL_OTHERS_MAX).map(|_| places.enter(address("192.0.2.1"), false)).collect();
    for reader in &readers {
        assert_eq!(reader.answer(Class::Stream), Ok(()));
        reader.take(Class::Stream);
    }
    assert_eq!(places.enter(address("192.0.2.1"), false).answer(Class::Stream), Err(Full));
    let other = places.enter(address("192.0.2.2"), false);
    assert_eq!(other.answer(Class::Stream), Ok(()));
    assert!(is_cut(&readers[0]) && readers[1..].iter().all(|reader| !is_cut(reader)));
    assert_eq!(places.enter(address("192.0.2.1"), false).answer(Class::Stream), Err(Full));
    assert!(!is_cut(&other));
}

/// A reader of events keeps its place while no address has more of them than others.
#[test]
fn streams_are_not_cut_for_others() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let readers: Vec<Place> = (0..CONTROL_OTHERS_MAX).map(|_| places.enter(None, false)).collect();
    for reader in &readers {
        assert_eq!(reader.answer(Class::Stream), Ok(()));
        reader.take(Class::Stream);
    }
    assert_eq!(places.enter(None, false).answer(Class::Stream), Err(Full));
    assert!(readers.iter().all(|reader| !is_cut(reader)));
    assert_eq!(places.enter(None, false).answer(Class::Page), Ok(()));
}

/// Few handshakes are unfinished at once. A client with as many as it may have loses its oldest,
/// and past the bound of all, the client with the most loses one. Finished ones are not closed.
#[test]
fn unfinished_handshakes_are_few() {
    let places = Arc::new(Places::within(DESCRIPTORS));
    let enter = |client: &str| places.enter(address(client), true);
    let opened = enter("192.0.2.1");
    opened.opened();
    let mut storm: Vec<Place> = (0..ADMIN_HANDSHAKES_PER_CLIENT_MAX).map(|_| enter("192.0.2.1")).collect();
    assert!(storm.iter().all(|place| !is_cut(place)));
    storm.push(enter("192.0.2.1"));
    assert!(is_cut(&storm[0]) && !is_cut(&storm[1]) && !is_cut(&opened));
    let others = ADMIN_HANDSHAKES_MAX - ADMIN_HANDSHAKES_PER_CLIENT_MAX;
    let others: Vec<Place> = (0..others).map(|number| enter(&format!("198.51.100.{number}"))).collect();
    assert!(!is_cut(&storm[1]));
    let honest = enter("203.0.113.1");
    assert!(is_cut(&storm[1]) && !is_cut(&storm[2]) && !is_cut(&honest) && !is_cut(&opened));
    assert!(others.iter().all(|place| !is_cut(place)));
    honest.opened();
    assert_eq!(honest.answer(Class::Verb), Ok(()));
    // Without handshakes, the bound of incomplete requests alone holds.
    let plain: Vec<Place> =
        (0..ADMIN_HANDSHAKES_PER_CLIENT_MAX + 1).map(|_| places.enter(address("192.0.2.9"), false)).collect();
    assert!(plain.iter().all(|place| !is_cut(place)));
}
