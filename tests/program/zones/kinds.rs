//! Kinds of broken zone, as data.

use std::fs;
use std::process::Command;
use support::deployment::Deployment;

/// The YAML zone, and its sound text.
pub const YAML: &str = "zones/b.example.yaml";
pub const YAML_TEXT: &str = "\
zone: b.example.
soa: { mname: ns1, rname: hostmaster }
records:
  \"@\": { NS: [ns1] }
  ns1: { A: 192.0.2.7 }
  www: { steer: own }
policies:
  own: { pops: [one], order: listed }
";

/// The zone of text, its sound text, and the file that it includes.
pub const TEXT: &str = "zones/t.example.zone";
pub const TEXT_TEXT: &str =
    "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.8\n$INCLUDE hosts\n";
pub const INCLUDED: &str = "zones/hosts";
pub const INCLUDED_TEXT: &str = "www A 192.0.2.80\n";

/// What is done to a file.
pub enum Break {
    /// It has this text instead.
    Text(&'static str),
    /// A piece of its text is another.
    Replaced(&'static str, &'static str),
    /// Its text has a piece more.
    Longer(&'static str),
    /// It has these octets instead.
    Octets(&'static [u8]),
    /// It ends after so many octets.
    Cut(usize),
    /// A folder stands in its place.
    Folder,
    /// A pipe stands in its place, without a writer.
    Fifo,
    /// A link to nothing stands in its place.
    Dangling,
    /// It may not be read.
    Locked,
}

use Break::*;

/// What is wrong, the file, how it is broken, and the code that tells it.
pub const KINDS: &[(&str, &str, Break, &str)] = &[
    ("YAML that is not well-formed", YAML, Replaced("records:", "records: ["), "MRD0101"),
    ("no SOA", YAML, Replaced("soa: { mname: ns1, rname: hostmaster }\n", ""), "MRD0204"),
    ("no NS", YAML, Replaced("NS: [ns1]", "TXT: x"), "MRD0205"),
    ("a bad TTL", YAML, Longer("ttl: soon\n"), "MRD0104"),
    ("an unknown type", YAML, Replaced("A: 192.0.2.7", "B: 192.0.2.7"), "MRD0207"),
    ("bad data", YAML, Replaced("192.0.2.7", "192.0.2.700"), "MRD0206"),
    ("a bad name of a policy", YAML, Replaced("steer: own", "steer: owm"), "MRD0302"),
    ("an own policy with an unknown PoP", YAML, Replaced("[one]", "[two]"), "MRD0301"),
    ("an own policy that cannot be", YAML, Replaced("order: listed", "order: lsited"), "MRD0104"),
    ("an unknown key", YAML, Longer("sao: {}\n"), "MRD0102"),
    ("a key twice", YAML, Longer("zone: b.example.\n"), "MRD0103"),
    ("a name that is none", YAML, Replaced("ns1: { A", "a..b: { A"), "MRD0108"),
    ("an owner outside", YAML, Replaced("ns1: { A", "ns1.cdn.example.: { A"), "MRD0201"),
    ("a CNAME beside other data", YAML, Replaced("A: 192.0.2.7", "A: 192.0.2.7, CNAME: x."), "MRD0202"),
    ("data where a policy decides", YAML, Replaced("steer: own", "steer: own, A: 192.0.2.9"), "MRD0217"),
    ("nothing", YAML, Text(""), "MRD0104"),
    ("no name of the zone", YAML, Replaced("zone: b.example.\n", ""), "MRD0105"),
    ("NUL octets", YAML, Octets(b"zone: b.example.\n\0\0\0\0"), "MRD0101"),
    ("octets that are no text", YAML, Octets(b"zone: b.example.\n\xff\xfe"), "MRD0109"),
    ("only NUL octets", YAML, Octets(&[0; 4_096]), "MRD0101"),
    ("a text that ends early", YAML, Cut(60), "MRD0101"),
    ("a folder in place of a file", YAML, Folder, "MRD0100"),
    ("a pipe in place of a file", YAML, Fifo, "MRD0100"),
    ("a link to nothing", YAML, Dangling, "MRD0100"),
    ("a file that may not be read", YAML, Locked, "MRD0100"),
    ("zone text that is not well-formed", TEXT, Longer("a TXT ( x\n"), "MRD0219"),
    ("zone text without an SOA", TEXT, Replaced("@ SOA ns1 hostmaster 1 2 3 4 5\n", ""), "MRD0204"),
    ("two SOAs", TEXT, Longer("@ SOA ns2 hostmaster 1 2 3 4 5\n"), "MRD0204"),
    ("zone text without a TTL", TEXT, Replaced("$TTL 60\n", "$TTL soon\n"), "MRD0220"),
    ("an unknown type in zone text", TEXT, Longer("a B x\n"), "MRD0207"),
    ("bad data in zone text", TEXT, Longer("a A 192.0.2.300\n"), "MRD0206"),
    ("an included file that is missing", TEXT, Longer("$INCLUDE none\n"), "MRD0221"),
    ("an included file that is broken", INCLUDED, Text("www A 192.0.2.800\n"), "MRD0206"),
    ("an included file that is a folder", INCLUDED, Folder, "MRD0221"),
    ("a template that cannot be followed", TEXT, Longer("$GENERATE 1-x a$ A 192.0.2.1\n"), "MRD0222"),
    ("zone text of nothing", TEXT, Text(""), "MRD0204"),
    ("zone text that ends early", TEXT, Text("$TTL 60\n@ SOA ns1 hostmaster ( 1 2 3"), "MRD0219"),
    ("zone text of NUL octets", TEXT, Octets(&[0; 4_096]), "MRD0219"),
    ("a folder in place of zone text", TEXT, Folder, "MRD0100"),
    ("a pipe in place of zone text", TEXT, Fifo, "MRD0100"),
];

/// The sound text of a file.
fn sound(path: &str) -> &'static str {
    match path {
        YAML => YAML_TEXT,
        TEXT => TEXT_TEXT,
        _ => INCLUDED_TEXT,
    }
}

/// Puts a file back as it was.
pub fn mend(deployment: &Deployment, path: &str, how: &Break) {
    let there = deployment.path(path);
    match how {
        Folder => fs::remove_dir(&there).expect("ours"),
        _ => fs::remove_file(&there).expect("ours"),
    }
    deployment.write(path, sound(path));
}

/// Breaks a sound file.
pub fn break_it(deployment: &Deployment, path: &str, how: &Break) {
    let (there, text) = (deployment.path(path), sound(path));
    match how {
        Text(other) => return deployment.write(path, other),
        Replaced(old, new) => {
            assert!(text.contains(old), "{path} has no {old:?}");
            return deployment.write(path, &text.replace(old, new));
        }
        Longer(more) => return deployment.write(path, &format!("{text}{more}")),
        Octets(octets) => return fs::write(&there, octets).expect("ours"),
        Cut(length) => return deployment.write(path, &text[..*length]),
        Folder | Fifo | Dangling | Locked => fs::remove_file(&there).expect("ours"),
    }
    match how {
        Folder => fs::create_dir(&there).expect("ours"),
        Fifo => {
            let made = Command::new("mkfifo").arg(&there).status().expect("mkfifo");
            assert!(made.success());
        }
        Dangling => std::os::unix::fs::symlink("nowhere", &there).expect("ours"),
        Locked => {
            use std::os::unix::fs::PermissionsExt;
            deployment.write(path, text);
            fs::set_permissions(&there, fs::Permissions::from_mode(0o000)).expect("ours");
        }
        _ => {}
    }
}

/// Whether a break is one for this user: the superuser reads every file.
pub fn holds(deployment: &Deployment, path: &str, how: &Break) -> bool {
    !matches!(how, Locked) || fs::read(deployment.path(path)).is_err()
}
