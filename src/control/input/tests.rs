//! Queries and bodies, and the words of their refusals.

use super::*;
use crate::control::protocol::explain::{ExplainParameters, ExplainRequest};
use crate::control::protocol::map::MapQuery;
use crate::control::protocol::overrides::{AcknowledgeRequest, OverrideRequest};
use crate::control::protocol::pushes::{LoadPushRequest, ProbePushRequest};
use crate::control::protocol::reload::ReloadQuery;
use crate::control::protocol::status::ReadyQuery;
use crate::control::protocol::zones::ZonesQuery;
use std::fmt::Debug;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The sentence and the way out of a refused query or body.
fn refused<T: Debug>(read: Result<T, Fault>) -> (String, String) {
    let Fault { sentence, help } = read.expect_err("a refusal");
    (sentence, help)
}

#[test]
fn queries_are_read() {
    let zones = |text| query::<ZonesQuery>(text).expect("sound");
    assert_eq!(zones(""), ZonesQuery::default());
    assert_eq!(zones("after=a%2Eb.&limit=7"), ZonesQuery { after: Some("a.b.".to_owned()), limit: Some(7) });
    let reload = query::<ReloadQuery>("colour=true&allow_loss=false").expect("sound");
    assert_eq!(reload, ReloadQuery { colour: true, allow_loss: false });
    let explain = query::<ExplainParameters>("name=www+x&client=2001:db8::1&type=AAAA").expect("sound");
    assert_eq!((&*explain.name, explain.rtype.as_deref()), ("www x", Some("AAAA")));
    assert_eq!(explain.client, Some("2001:db8::1".parse().expect("an address")));
    // Monitors may add keys of their own to the check.
    assert_eq!(query::<ReadyQuery>("verbose&format=json").expect("sound").format, "json");
}

#[test]
fn faulty_queries_are_refused_by_key_and_value() {
    let keys = "the query may have `after`, `limit`";
    let shapes = "correct the request; /v1/openapi.json has the shape of each";
    let range = "`limit` must be a whole number from 1 to 4294967295, not";
    for (text, sentence, help) in [
        ("most=1", "the query has no key `most`".to_owned(), keys),
        ("limit=abc", format!("{range} `abc`"), shapes),
        ("limit=0", format!("{range} `0`"), shapes),
        ("limit=-1", format!("{range} `-1`"), shapes),
        ("limit=%2B1", format!("{range} `+1`"), shapes),
        ("limit=4294967296", format!("{range} `4294967296`"), shapes),
        ("limit", format!("{range} ``"), shapes),
        ("limit=1&limit=2", "the query has the key `limit` twice".to_owned(), keys),
        ("a%0d%0ab=1", "the query has no key `a\\r\\nb`".to_owned(), keys),
    ] {
        assert_eq!(refused(query::<ZonesQuery>(text)), (sentence, help.to_owned()), "{text}");
    }
    let (long, _) = refused(query::<MapQuery>(&format!("{}=1", "x".repeat(5_000))));
    assert_eq!(long, format!("the query has no key `{}…`", "x".repeat(60)));
    for (text, sentence) in [
        ("colour=maybe", "`colour` must be true or false, not `maybe`"),
        ("allow_los=true", "the query has no key `allow_los`"),
    ] {
        assert_eq!(refused(query::<ReloadQuery>(text)).0, sentence);
    }
    let (client, _) = refused(query::<ExplainParameters>("name=a&client=192.0.2"));
    assert_eq!(client, "`client` must be an IP address, not `192.0.2`");
}

#[test]
fn bodies_are_read() {
    let body = |text: &str| body::<OverrideRequest>(Some(&JSON), text.as_bytes());
    let read = body(r#" {"pops":["fra"],"weight":"auto","over_secs":60,"author":null} "#).expect("sound");
    assert_eq!((read.pops, read.over_secs, read.author), (vec!["fra".to_owned()], 60, None));
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"] {
        let kind = HeaderValue::from_static(kind);
        assert!(super::body::<AcknowledgeRequest>(Some(&kind), b"{}").is_ok(), "{kind:?}");
    }
}

#[test]
fn faulty_bodies_are_refused_by_key_and_value() {
    let keys = "the body must have `pops`, and may have `author`, `dry_run`, `for_secs`, `force`, \
                `over_secs`, `reason`, `start`, `state`, `unsaved`, `weight`";
    for (text, sentence) in [
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("{", "the body ends within its JSON"),
        ("{]", "the body is no JSON from line 1, column 2 on"),
        ("{} x", "the body is no JSON from line 1, column 4 on"),
        ("[]", "the body must be a JSON object"),
        ("null", "the body must be a JSON object"),
        ("{}", "the body lacks the key `pops`"),
        (r#"{"pop":["fra"]}"#, "the body has no key `pop`"),
        (r#"{"pops":[],"pops":[]}"#, "the body has the key `pops` twice"),
    ] {
        let read = refused(body::<OverrideRequest>(Some(&JSON), text.as_bytes()));
        assert_eq!(read, (sentence.to_owned(), keys.to_owned()), "{text}");
    }
    for (key, value, sentence) in [
        ("pops", "\"fra\"", "`pops` must be a list of texts, not `\"fra\"`"),
        ("pops", "[1]", "`pops` must be a list of texts, not `[1]`"),
        ("force", "\"yes\"", "`force` must be true or false, not `\"yes\"`"),
        ("force", "null", "`force` must be true or false, not `null`"),
        ("over_secs", "1.5", "`over_secs` must be a whole number from 0 on, not `1.5`"),
        ("over_secs", "-1", "`over_secs` must be a whole number from 0 on, not `-1`"),
        ("reason", "{}", "`reason` must be a text, not `{}`"),
    ] {
        let text = format!("{{\"{key}\":{value}}}");
        let (is, help) = refused(body::<OverrideRequest>(Some(&JSON), text.as_bytes()));
        assert_eq!(is, sentence, "{text}");
        assert!(help.contains("/v1/openapi.json"), "{help}");
    }
    let other = |text: &str| refused(body::<ProbePushRequest>(Some(&JSON), text.as_bytes())).0;
    assert_eq!(other(r#"{"address":"x"}"#), "`address` must be an IP address, not `x`");
    let value = refused(body::<LoadPushRequest>(Some(&JSON), br#"{"pop":"fra","value":"350"}"#)).0;
    assert_eq!(value, "`value` must be a number, not `\"350\"`");
    let deep = "[".repeat(500);
    assert!(body::<ExplainRequest>(Some(&JSON), deep.as_bytes()).is_err());
}

/// Another media type is refused, so that no form of a foreign page passes for a request.
#[test]
fn bodies_must_come_as_json() {
    let media = |kind| refused(body::<AcknowledgeRequest>(kind, b"{}"));
    let plain = HeaderValue::from_static("text/plain");
    let (sentence, help) = media(Some(&plain));
    assert_eq!(sentence, "the header `Content-Type` must be `application/json`, not `text/plain`");
    assert!(help.contains("Content-Type: application/json"), "{help}");
    assert!(media(None).0.ends_with("the request has none"));
}
