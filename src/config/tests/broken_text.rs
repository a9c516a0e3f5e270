//! Broken zone text in a deployment: each row has the code and the place that an operator is shown.
//! An error yields no deployment, so what is in service stays; the sound zone beside it is not blamed.

use super::broken::check;
use crate::finding::Severity::{Error, Warning};

const FILE: &str = "zones/x.example.zone";
const HEAD: &str = "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";

/// The mark `¦` stands before what must be blamed.
#[test]
fn what_refuses_the_load() {
    for (lines, code) in [
        // Data that the type does not allow.
        ("a A ¦192.0.2.300", "MRD0206"),
        ("a A ¦192.0.2.1 192.0.2.2", "MRD0206"),
        ("a AAAA ¦2001:db8:::1", "MRD0206"),
        ("a MX ¦mail", "MRD0206"),
        ("a SRV ¦1 2 3", "MRD0206"),
        ("a CAA ¦0 issue", "MRD0206"),
        ("a LOC ¦91 N 0 E 0", "MRD0206"),
        ("a DS ¦1 13 2 abc", "MRD0206"),
        ("a HTTPS ¦1 . alpn", "MRD0206"),
        (r"a TYPE65280 ¦\# 4 0a00", "MRD0206"),
        (r"a A ¦\# 3 c00002", "MRD0206"),
        // Types, classes, TTLs.
        ("a ¦AA 192.0.2.1", "MRD0207"),
        ("a ¦AXFR x", "MRD0207"),
        ("a ¦CH TXT x", "MRD0219"),
        ("a ¦99999999999 A 192.0.2.1", "MRD0220"),
        ("$TTL ¦soon", "MRD0220"),
        // The text itself.
        ("a TXT ¦\"open", "MRD0219"),
        ("a A ¦( 192.0.2.1", "MRD0219"),
        ("a A 192.0.2.1 ¦)", "MRD0219"),
        ("¦$TLL 60", "MRD0219"),
        ("a TXT x¦\\", "MRD0219"),
        // Names.
        ("¦a..b A 192.0.2.1", "MRD0108"),
        ("$ORIGIN ¦a..b", "MRD0108"),
        ("¦b.other. A 192.0.2.1", "MRD0201"),
        // Files and templates.
        ("$INCLUDE ¦missing.db", "MRD0221"),
        ("$INCLUDE ¦../pops.yaml", "MRD0221"),
        ("$INCLUDE ¦/etc/passwd", "MRD0221"),
        ("$GENERATE ¦3-1 a$ A 192.0.2.$", "MRD0222"),
        ("$GENERATE 250-260 a$ A ¦192.0.2.$", "MRD0206"),
        // What must not stand together, or not there.
        ("a CNAME ¦ns1\na A 192.0.2.1", "MRD0202"),
        ("a CNAME b.\na CNAME ¦c.", "MRD0202"),
        ("@ CNAME ¦www.other.", "MRD0202"),
        ("a CNAME b\nb CNAME ¦a", "MRD0203"),
        ("@ SOA ¦ns2 host 1 2 3 4 5", "MRD0204"),
        ("d DNAME other.\na.d A ¦192.0.2.1", "MRD0223"),
        ("d DNAME other.\nd DNAME ¦else.", "MRD0224"),
        ("d NS other.\nd DNAME ¦else.", "MRD0224"),
        ("*.d NS ¦other.", "MRD0225"),
        ("@ DS ¦1 13 2 00", "MRD0226"),
    ] {
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
    check(FILE, "$TTL 60\n@ SOA ¦ns1 host\\@x.example. 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n", "MRD0227", Warning);
}
