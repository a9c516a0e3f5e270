//! Broken zone text in a deployment: each row has the code and the place that an operator is shown.
//! An error yields no deployment, so what is in service stays; the sound zone beside it is not
//! blamed.

use super::broken::check;
use super::faults::{self, ZONE_TEXT_HEAD as HEAD};
use crate::finding::Severity::{Error, Warning};

const FILE: &str = "zones/x.example.zone";

/// The mark `¦` stands before what must be blamed.
#[test]
fn what_refuses_the_load() {
    for &(lines, code) in faults::ZONE_TEXT {
        check(FILE, &format!("{HEAD}{lines}\n"), code, Error);
    }
    check(FILE, "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n", "MRD0204", Error);
    check(FILE, "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\nns1 A 192.0.2.1\n", "MRD0205", Error);
}

#[test]
fn what_is_only_told() {
    for (lines, code) in [
        ("a A 192.0.2.1\na A ¦192.0.2.1", "MRD0208"),
        ("d NS ¦ns.d", "MRD0210"),
        ("d NS other.\nx.d TXT ¦hidden", "MRD0211"),
        ("a 60 A 192.0.2.1\na 30 A ¦192.0.2.2", "MRD0212"),
        ("a CNAME ¦nothing", "MRD0214"),
        ("@ NS ¦ns9", "MRD0214"),
        ("a MX ¦10 nothing", "MRD0214"),
        ("b CNAME ns1\na SRV ¦1 2 3 b", "MRD0215"),
        ("b CNAME ns1\n@ NS ¦b", "MRD0215"),
        ("*.d DNAME ¦other.", "MRD0224"),
        ("d DS ¦1 13 2 00", "MRD0226"),
    ] {
        check(FILE, &format!("{HEAD}{lines}\n"), code, Warning);
    }
    check(
        FILE,
        "$TTL 60\n@ SOA ¦ns1 host\\@x.example. 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n",
        "MRD0227",
        Warning,
    );
}
