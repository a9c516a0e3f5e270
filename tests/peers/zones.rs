//! Zones as text, for all servers alike: some written by hand for one difficulty each, some grown
//! from the dice. Everything is sound: a zone that one server refuses is a fault of this file.

use std::fmt::Write as _;
use support::dice::Dice;

/// A zone.
pub struct ZoneText {
    /// Apex without the final dot.
    pub apex: String,
    /// The file.
    pub text: String,
    /// Names worth asking for, absolute, without the final dot.
    pub names: Vec<String>,
}

fn head(apex: &str) -> String {
    format!(
        "$ORIGIN {apex}.\n$TTL 3600\n@ IN SOA ns1 hostmaster (\n  2026010101 7200 ; refresh\n  900 1209600 \
         300 )\n  IN NS ns1\n  NS ns.outside.net.\n\
         ns1 A 192.0.2.53\n  AAAA 2001:db8::53\n"
    )
}

/// A zone by hand: lines behind the usual head. Owners become names to ask for.
fn handwritten(apex: &str, lines: &str) -> ZoneText {
    bare(apex, &(head(apex) + lines))
}

fn bare(apex: &str, text: &str) -> ZoneText {
    let mut names = vec![apex.to_owned()];
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t', ';', '$'])) {
        let owner = line.split_whitespace().next().unwrap_or("@");
        if let Some(absolute) = owner.strip_suffix('.') {
            names.push(absolute.to_owned());
        } else if owner != "@" && !owner.is_empty() {
            names.push(format!("{owner}.{apex}"));
        }
    }
    ZoneText { apex: apex.to_owned(), text: text.to_owned(), names }
}

/// All zones.
pub fn all(seed: u64) -> Vec<ZoneText> {
    let long = |letter: &str, count: usize| letter.repeat(count);
    let deep: String = (0..90).map(|_| "d.").collect();
    let mut zones = vec![
        handwritten("types.example", TYPES),
        handwritten("base.example", BASE),
        handwritten("sub.base.example", "www A 192.0.2.80\n* A 192.0.2.81\nalias CNAME www.base.example.\n"),
        // Below a zone of ours that is itself a child, and not delegated there.
        handwritten("inner.deep.sub.base.example", "www A 192.0.2.82\n"),
        handwritten("wild.example", WILD),
        handwritten("dname.example", DNAME),
        bare(
            "moved.example",
            "@ 300 IN SOA ns.outside.net. root.outside.net. 1 2 3 4 60\n@ 300 NS ns.outside.net.\n@ 300 \
             DNAME base.example.\n",
        ),
        bare(
            "empty.example",
            "@ 300 IN SOA ns.outside.net. root.outside.net. 1 2 3 4 600\n@ 100 NS ns.outside.net.\n",
        ),
        handwritten("chains.example", CHAINS),
        handwritten(
            "MiXeD.ExAmPlE",
            "WwW A 192.0.2.1\nALIAS CNAME WWW\nMail MX 10 WwW\nSub NS NS.Sub\nNs.SUB A 192.0.2.2\ntXt TXT \
             \"MiXeD cAsE\"\n*.WiLd TXT \"x\"\n",
        ),
        handwritten(
            "2.0.192.in-addr.arpa",
            "1 PTR host-1.base.example.\n2 PTR www.base.example.\n\\051 PTR nowhere.net.\n0-63 NS \
             ns.outside.net.\n64/26 NS ns1.other.example.\n65 CNAME 65.64/26\n",
        ),
        handwritten("big.example", &big()),
        // Near the root: delegations with glue of each kind.
        handwritten("test", TLD),
        handwritten("child.test", "www A 192.0.2.9\n@ TXT \"child\"\nup CNAME ns.sibling.test.\n"),
        handwritten(
            &format!("{}.{}.long.example", long("a", 63), long("b", 63)),
            &format!(
                "{} A 192.0.2.1\n* TXT \"wild\"\n{}.{} A 192.0.2.2\n",
                long("c", 63),
                long("d", 20),
                long("e", 63)
            ),
        ),
        handwritten("deep.example", &format!("{deep}x A 192.0.2.1\n*.{deep}y TXT \"y\"\nb.{deep}x NS ns1\n")),
    ];
    let mut dice = Dice(seed);
    for number in 0..6 {
        zones.push(grown(&format!("grown{number}.example"), &mut dice));
    }
    zones
}

const TYPES: &str = r#"
@ MX 10 mail
@ TXT "v=spf1 -all" "and more"
@ CAA 0 issue "ca.example; policy=ev"
mail A 192.0.2.25
_sip._tcp SRV 1 2 5060 mail
https HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1
svcb SVCB 16 mail.types.example. port=8443
ds DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
ds NS ns.outside.net.
tlsa TLSA 3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971
sshfp SSHFP 4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
hinfo HINFO "PC" "Linux"
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
uri URI 10 1 "https://www.example.com/path"
csync CSYNC 66 3 A NS AAAA
openpgp OPENPGPKEY AQIDBAUGBwg=
smimea SMIMEA 3 0 0 0102030405
rp RP admin.types.example. txt.types.example.
afsdb AFSDB 1 mail
kx KX 10 mail
cert CERT 1 12345 8 AQIDBA==
cds CDS 0 0 0 00
cdnskey CDNSKEY 0 3 0 AA==
minfo MINFO admin errors
dname DNAME mail.other.example.
unknown TYPE65280 \# 4 0a000001
unknown TYPE65281 \# 0
many A 192.0.2.1
many A 192.0.2.2
many AAAA 2001:db8::1
many TXT "\000\255\"quoted\\"
many TYPE1000 \# 3 abcdef
generic TYPE1 \# 4 c0000207
"#;

const BASE: &str = r#"
www A 192.0.2.80
www 60 AAAA 2001:db8::80
mail MX 10 www
sub NS ns1.sub
sub NS ns.outside.net.
ns1.sub A 192.0.2.54
ns1.sub AAAA 2001:db8::54
sub DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
zone NS ns.zone
ns.zone A 192.0.2.55
ns.zone A 192.0.2.56
below.zone TXT "occluded"
mixed NS ns.zone
mixed NS ns1
mixed NS ns.mixed
ns.mixed AAAA 2001:db8::55
outside NS ns.outside.net.
signed NS ns.outside.net.
signed DS 2 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
a.b.c.ent TXT "below empty non-terminals"
host-1 A 192.0.2.1
into CNAME x.zone
into-sub CNAME www.sub
host\.dot TXT "dot in a label"
\065bc A 192.0.2.66
wild\042 A 192.0.2.67
"#;

const WILD: &str = r#"
*.a A 192.0.2.1
*.a MX 5 host.a
host.a TXT "exists"
x.y.a TXT "y.a is an empty non-terminal"
*.x.y.a TXT "deeper"
*.cname CNAME target
*.out CNAME www.outside.net.
*.self CNAME host.self
host.self A 192.0.2.2
target A 192.0.2.3
target TXT "t"
*.mid.end TXT "wild"
b.*.mid TXT "below an asterisk"
*.*.double A 192.0.2.4
*.cut A 192.0.2.5
sub.cut NS ns.sub.cut
ns.sub.cut A 192.0.2.6
*.d CNAME x.redirect
redirect DNAME a
*.many A 192.0.2.7
*.many AAAA 2001:db8::7
*.many TXT "m"
*.many SRV 0 0 80 target
*.many TYPE65280 \# 2 0102
"#;

const DNAME: &str = r#"
in DNAME target
target A 192.0.2.1
www.target A 192.0.2.2
*.w.target A 192.0.2.3
alias.target CNAME www.target
cross DNAME base.example.
twice DNAME in
out DNAME elsewhere.net.
long DNAME aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff.aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff.target
with TXT "beside"
with A 192.0.2.4
with DNAME target
to CNAME www.in
into-cross CNAME www.cross
cut NS ns.cut
ns.cut A 192.0.2.5
tocut DNAME cut
"#;

const CHAINS: &str = r#"
www A 192.0.2.1
www TXT "end"
c1 CNAME www
c2 CNAME c1
c3 CNAME c2
c4 CNAME c3
c5 CNAME c4
c6 CNAME c5
c7 CNAME c6
c8 CNAME c7
nowhere CNAME missing
ent CNAME e
x.e TXT "below"
out CNAME www.outside.net.
cross CNAME www.base.example.
cross2 CNAME alias.sub.base.example.
cut CNAME host.d
atcut CNAME d
d NS ns.d
ns.d A 192.0.2.2
apex CNAME @
wild CNAME q.wild.w
*.wild.w CNAME www
dn CNAME www.in.dname.example.
up 30 CNAME www
"#;

const TLD: &str = r#"
child NS ns1.child
ns1.child A 192.0.2.10
child DS 3 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
sibling NS ns.sibling
ns.sibling A 192.0.2.11
ns.sibling AAAA 2001:db8::11
uses NS ns.sibling
uses NS ns.outside.net.
plain NS ns1
plain NS ns2.plain2
plain2 NS ns2.plain2
ns2.plain2 A 192.0.2.12
noglue NS ns.noglue.outside.net.
six NS a.six
six NS b.six
six NS c.six
a.six A 192.0.2.13
a.six AAAA 2001:db8::13
b.six AAAA 2001:db8::14
c.six A 192.0.2.15
www A 192.0.2.16
"#;

/// RRsets that do not fit 512 or 1,232 octets.
fn big() -> String {
    let mut text = String::new();
    for i in 0..12 {
        let _ = writeln!(text, "txt TXT \"{i:03} {}\"", "x".repeat(180));
        let _ = writeln!(text, "mid TXT \"{i:03} {}\"", "y".repeat(40));
    }
    for i in 0..60 {
        let _ = writeln!(text, "hosts A 192.0.2.{i}\nhosts AAAA 2001:db8::{i:x}");
    }
    for i in 0..10 {
        let _ = writeln!(text, "cut NS ns{i}.cut\nns{i}.cut A 192.0.2.{i}\nns{i}.cut AAAA 2001:db8::{i:x}");
        let _ = writeln!(text, "mx MX {i} mail{i}.mx\nmail{i}.mx A 192.0.2.{i}");
    }
    text + "alias CNAME hosts\n*.wild CNAME txt\nredirect DNAME mx\n"
}

/// A tree of random names with random data; CNAMEs lead only to names made before, so never in
/// circles.
fn grown(apex: &str, dice: &mut Dice) -> ZoneText {
    let mut text = head(apex);
    let mut owners: Vec<String> = vec!["ns1".to_owned()];
    let mut parents: Vec<String> = vec![String::new()];
    let labels = ["a", "b", "c", "www", "*", "x-1", "_tcp", "mail", "0", "UP"];
    while owners.len() < 120 {
        let parent = dice.pick(&parents).clone();
        let label = *dice.pick(&labels);
        let name = if parent.is_empty() { label.to_owned() } else { format!("{label}.{parent}") };
        if owners.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            continue;
        }
        let kind = dice.below(14);
        // Nothing stands below a DNAME (RFC 6672 section 2.4); NSD refuses such a zone.
        let has_below = owners
            .iter()
            .any(|known| known.to_ascii_lowercase().ends_with(&format!(".{}", name.to_ascii_lowercase())));
        if kind == 3 && has_below {
            continue;
        }
        if kind == 3 {
            parents.retain(|known| !known.eq_ignore_ascii_case(&name));
        } else if name.matches('.').count() < 5 {
            parents.push(name.clone());
        }
        if dice.once_in(6) {
            // Only an empty non-terminal, if anything comes below it.
            continue;
        }
        let ttl = dice.pick(&["", "60 ", "1h ", "IN ", "IN 30 ", "5m IN "]);
        let target = dice.pick(&owners).clone();
        let wild = label == "*";
        let aliased = text.lines().any(|line| line.starts_with(&format!("{name} ")));
        assert!(!aliased, "each name once");
        match kind {
            0 | 1 => {
                let _ = writeln!(text, "{name} {ttl}CNAME {target}");
            }
            2 if !wild => {
                let _ = writeln!(
                    text,
                    "{name} {ttl}NS ns.{name}\nns.{name} A 192.0.2.{}\n{name} {ttl}NS ns1",
                    dice.below(256)
                );
            }
            3 => {
                let outside =
                    dice.pick(&["base.example.", "elsewhere.net.", "wild.example.", "a.wild.example."]);
                let _ = writeln!(text, "{name} {ttl}DNAME {outside}");
            }
            4 => {
                let outside = dice.pick(&[
                    "www.base.example.",
                    "elsewhere.net.",
                    "q.a.wild.example.",
                    "www.in.dname.example.",
                    "c2.chains.example.",
                ]);
                let _ = writeln!(text, "{name} {ttl}CNAME {outside}");
            }
            kind => {
                let _ = writeln!(text, "{name} {ttl}TXT \"{kind}\" ( \"two\"\n  three ) ; comment");
                if kind % 2 == 0 {
                    let _ = writeln!(text, "{name} A 192.0.2.{kind}\n\tA 192.0.2.{}", dice.below(256));
                }
                if kind % 3 == 0 {
                    let _ = writeln!(text, "{name} AAAA 2001:db8::{kind}");
                }
                if kind % 5 == 0 {
                    let _ = writeln!(
                        text,
                        "{name} MX 10 {target}\n{name} SRV 1 2 3 {target}\n{name} TYPE65280 \\# 2 beef"
                    );
                }
            }
        }
        owners.push(name);
    }
    let names = owners
        .iter()
        .chain(&parents)
        .filter(|name| !name.is_empty())
        .map(|name| format!("{name}.{apex}"))
        .collect();
    ZoneText { apex: apex.to_owned(), text, names }
}
