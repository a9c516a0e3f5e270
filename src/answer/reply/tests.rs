//! Tests of padding.

use super::*;

/// Padding fills the last block, or the message to its limit.
#[test]
fn padding_fills_blocks() {
    for (len, limit, padded) in [
        (1, MESSAGE_MAX, 468),
        (467, MESSAGE_MAX, 468),
        (468, MESSAGE_MAX, 468),
        (469, MESSAGE_MAX, 936),
        (65_520, MESSAGE_MAX, 65_520),
        (65_521, MESSAGE_MAX, MESSAGE_MAX),
        (MESSAGE_MAX, MESSAGE_MAX, MESSAGE_MAX),
        (100, 400, 400),
        (500, 400, 500),
    ] {
        assert_eq!(len + padding(len, limit), padded, "{len} of {limit}");
    }
}
