//! Tests of `server`: the words of a refusal.

use super::*;
use crate::control::protocol::error_code::ErrorCode;

/// A refusal shows findings, code, reason, broken rules and way out; one of an older server shows
/// the parts that it has.
#[test]
fn refusals_have_a_code_and_a_way_out() {
    let refusal = Refusal {
        text: Some("error[MRD0100]: a fault\n".to_owned()),
        broken: vec!["one PoP is left".to_owned()],
        ..Refusal::new(ErrorCode::Forbidden, "over TLS only")
    };
    let help = ErrorCode::Forbidden.help();
    assert_eq!(
        refusal_in_words(&refusal),
        format!(
            "error[MRD0100]: a fault\nrefused (forbidden): over TLS only\n  one PoP is left\nhelp: {help}\n"
        )
    );
    assert_eq!(refusal_in_words(&Refusal::because("a reason")), "refused: a reason\n");
    let message = Refusal { message: "a reason".to_owned(), ..Refusal::default() };
    assert_eq!(refusal_in_words(&message), "refused: a reason\n");
    let findings = Refusal { text: Some("findings\n".to_owned()), ..Refusal::default() };
    assert_eq!(refusal_in_words(&findings), "findings\n");
    assert_eq!(refusal_in_words(&Refusal::default()), "refused: the server gives no reason\n");
}
