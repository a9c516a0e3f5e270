//! Tests of `size_guard`.

use super::*;

/// Half is enough, less is not; small, larger and new databases pass.
#[test]
fn less_than_half_is_refused() {
    let size = |name: &str, networks| SourceSize { name: name.into(), networks, file: FileId(0) };
    for (old, new, refused) in
        [(100, 50, false), (100, 49, true), (15, 1, false), (16, 7, true), (100, 1_000, false)]
    {
        assert_eq!(check(&[size("a", old)], &[size("a", new)]).has_errors(), refused, "{old} to {new}");
    }
    assert!(!check(&[size("a", 100)], &[size("b", 1)]).has_errors());
}
