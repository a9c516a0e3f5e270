//! What load feeds say: numbers, JSON, pages of metrics.

use super::cost::stays_linear;
use meridian::testing::probe::load::{number, samples};
use std::sync::Arc;

/// Reads the octets as each of them: a number that can be a load, or one line.
pub fn feed(data: &[u8]) {
    stays_linear(data, read);
}

fn read(data: &[u8]) {
    let labels: [(Arc<str>, Arc<str>); 1] = [("host".into(), "a".into())];
    let all = samples::sum(data, "load", &[]);
    let some = samples::sum(data, "load", &labels);
    if let (Ok(all), Ok(some)) = (&all, &some) {
        assert!(some <= all, "samples with a label are among all samples");
    }
    let read = [number::plain(data), number::first_word(data), number::in_json(data, "/load/0"), all, some];
    for read in read {
        match read {
            Ok(load) => assert!(load.is_finite() && load.is_sign_positive(), "{load}"),
            Err(why) => assert!(why.len() < 1_000 && !why.contains('\n'), "{why}"),
        }
    }
}
