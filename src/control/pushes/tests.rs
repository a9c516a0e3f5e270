//! Tests of `pushes`.

use super::*;

/// Request bodies, and the pushes that they contain.
#[test]
fn bodies_are_read() {
    for (body, wanted) in [
        ("{\"pop\":\"fra\",\"value\":350}", Some((None, 350.0))),
        ("{\"pop\":\"fra\",\"service\":\"video\",\"value\":0.5}", Some((Some("video"), 0.5))),
        ("{\"pop\":\"fra\",\"value\":-0.0}", Some((None, 0.0))),
        ("{\"pop\":\"fra\",\"value\":-1}", None),
        ("{\"pop\":\"fra\",\"value\":\"350\"}", None),
        ("{\"pop\":\"fra\",\"value\":1e999}", None),
        ("{\"pop\":\"fra\"}", None),
        ("{\"pop\":\"fra\",\"value\":1,\"volume\":2}", None),
    ] {
        let push = serde_json::from_str::<LoadPushRequest>(body).ok().and_then(|body| load_push(body).ok());
        let told = push.as_ref().map(|push| (push.service.as_deref(), push.value));
        assert_eq!(told, wanted, "{body}");
    }
}
