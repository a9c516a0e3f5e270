//! The commands on files, and the sample database beside its source.

use super::build::{build, compile};
use super::*;
use crate::finding::{FileId, code};
use crate::geo::place::{Continent, Place};
use crate::geo::source_text;
use std::collections::HashSet;
use std::fs;

const SOURCE: &str = "geoip/places.csv";
const SAMPLE: &str = "geoip/places.mmdb";

fn sample() -> (Vec<u8>, Database, Atlas) {
    let text = fs::read_to_string(SOURCE).unwrap();
    let octets = compile(&text, FileId(0), None).unwrap();
    let database = Database::read(SAMPLE, &octets, FileId(0)).unwrap();
    let (atlas, findings) = Atlas::build(std::slice::from_ref(&database), &[]);
    assert!(findings.is_empty());
    (octets, database, atlas)
}

/// The database in the tree is the one that its source makes.
#[test]
fn the_sample_is_built_from_its_source() {
    assert_eq!(sample().0, fs::read(SAMPLE).unwrap(), "run: meridian geoip build {SOURCE} {SAMPLE}");
}

/// The sample is wide enough for the tour: six continents and 60 countries in both families.
#[test]
fn the_sample_covers_the_world() {
    let (_, database, _) = sample();
    let of = |places: HashSet<u32>| {
        let fields: Vec<_> = places.into_iter().map(|p| &database.places[p as usize]).collect();
        let countries: HashSet<_> = fields.iter().filter_map(|f| f.country).collect();
        let continents: HashSet<_> = fields.iter().filter_map(|f| f.continent).collect();
        (countries.len(), Continent::ALL.into_iter().filter(|c| continents.contains(c)).count())
    };
    for places in
        [database.leaves_v4.iter().map(|l| l.2).collect(), database.leaves_v6.iter().map(|l| l.2).collect()]
    {
        let (countries, continents) = of(places);
        assert!(countries >= 60 && continents >= 6, "{countries} {continents}");
    }
}

/// Addresses of the tour, with the country each is in.
#[test]
fn sample_addresses() {
    let (_, _, atlas) = sample();
    let rows = [
        ("192.0.2.1", "DE"),
        ("198.51.100.1", "US"),
        ("203.0.113.1", "JP"),
        ("143.107.1.1", "BR"),
        ("137.158.1.1", "ZA"),
        ("130.216.1.1", "NZ"),
        ("2001:db8:1000::1", "GB"),
        ("2001:db8:5000::1", "KE"),
        ("::ffff:192.0.2.1", "DE"),
        ("9.9.9.9", "US"),
    ];
    for (address, country) in rows {
        let (place, ..) = atlas.place_of(address.parse().unwrap());
        assert_eq!(place.country.map(|c| c.to_string()).as_deref(), Some(country), "{address}");
        assert!(place.coordinates.is_some(), "{address}");
    }
    assert_eq!(atlas.place_of("10.0.0.1".parse().unwrap()).0, &Place::default());
}

/// `build` writes a whole file over the old one and leaves nothing else behind.
#[test]
fn build_replaces_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("a.csv"), folder.path().join("a.mmdb"));
    fs::write(&source, format!("{}\n9.0.0.0/8,,US,,,,,\n", source_text::HEADER)).unwrap();
    fs::write(&target, "old").unwrap();
    let said = build(&source, &target, Some(1_700_000_000)).map_err(|(findings, _)| findings).unwrap();
    assert!(said.contains("1 IPv4 and 0 IPv6 networks"), "{said}");
    let read = Database::read("a", &fs::read(&target).unwrap(), FileId(0)).unwrap();
    assert_eq!((read.build_epoch, &*read.kind), (1_700_000_000, encode::KIND));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// A bad source gives all its findings, and leaves the old database as it is.
#[test]
fn build_refuses_a_bad_source() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("a.csv"), folder.path().join("a.mmdb"));
    fs::write(&target, "old").unwrap();
    let codes = |result: Result<String, (Findings, Files)>| {
        result.unwrap_err().0.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(build(&source, &target, None)), [code::UNREADABLE]);
    fs::write(&source, [0xff, 0xfe]).unwrap();
    assert_eq!(codes(build(&source, &target, None)), [code::NOT_UTF8]);
    fs::write(&source, format!("{}\n9.0.0.0/8,,Germany,,,,,\nx,,,,,,,\n", source_text::HEADER)).unwrap();
    assert_eq!(codes(build(&source, &target, None)), [code::BAD_PLACE, code::BAD_ADDRESS]);
    fs::write(&source, format!("{}\n", source_text::HEADER)).unwrap();
    assert_eq!(codes(build(&source, &target, None)), [code::DATABASE_LAYOUT]);
    assert_eq!(fs::read(&target).unwrap(), b"old");
}

/// `lookup` prints the fields of a place and their sources.
#[test]
fn lookup_tells_fields_and_sources() {
    let (_, database, atlas) = sample();
    let now = database.build_epoch + 3 * 86_400;
    let said = lookup(&atlas, &[database], "192.0.2.1".parse().unwrap(), now);
    for part in ["192.0.2.1 lies in 192.0.2.0/24", "country:     DE", "AS64496", SAMPLE, "3 days old"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// A source without a date makes a database of the day on which it was changed; 1970 is refused.
#[test]
fn build_dates_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("a.csv"), folder.path().join("a.mmdb"));
    let text = format!("{}\n9.0.0.0/8,,US,,,,,\n", source_text::HEADER);
    fs::write(&source, &text).unwrap();
    let changed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    fs::File::options().write(true).open(&source).unwrap().set_modified(changed).unwrap();
    let epoch = || Database::read("a", &fs::read(&target).unwrap(), FileId(0)).unwrap().build_epoch;
    build(&source, &target, None).map_err(|(findings, _)| findings).unwrap();
    assert_eq!(epoch(), 1_600_000_000);
    fs::write(&source, format!("# epoch: 1500000000\n{text}")).unwrap();
    build(&source, &target, None).map_err(|(findings, _)| findings).unwrap();
    assert_eq!(epoch(), 1_500_000_000);
    assert!(build(&source, &target, Some(0)).is_err());
    assert!(compile(&text, FileId(0), None).is_err());
}

/// `build` does not wait for a pipe without a writer, and reads no device.
#[cfg(unix)]
#[test]
fn build_reads_regular_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    let pipe = pipe.is_ok_and(|status| status.success()).then(|| at("pipe"));
    for source in pipe.into_iter().chain(["/dev/zero".into(), folder.path().to_owned()]) {
        let (findings, _) = build(&source, &at("a.mmdb"), Some(1)).unwrap_err();
        let said = findings.iter().next().unwrap().message.clone();
        assert!(said.ends_with("it is not a regular file"), "{}: {said}", source.display());
    }
    assert!(!at("a.mmdb").exists());
}

/// `build` does not write over its source, a link or a device.
#[cfg(unix)]
#[test]
fn build_writes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = format!("{}\n9.0.0.0/8,,US,,,,,\n", source_text::HEADER);
    fs::write(at("a.csv"), &text).unwrap();
    fs::write(at("victim"), "kept").unwrap();
    std::os::unix::fs::symlink(at("victim"), at("link")).unwrap();
    for target in [at("a.csv"), at("link"), "/dev/null".into(), folder.path().to_owned()] {
        assert!(build(&at("a.csv"), &target, Some(1)).is_err(), "{}", target.display());
    }
    assert_eq!(
        (fs::read_to_string(at("a.csv")).unwrap(), fs::read(at("victim")).unwrap()),
        (text, b"kept".to_vec())
    );
}

/// Another reader reads the database: `mmdblookup` of libmaxminddb.
#[test]
fn another_reader_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("a.csv"), folder.path().join("a.mmdb"));
    let text = "9.0.0.0/8,NA,US,CA,37.5,-122,64500,San Jose\n2001:db8::/32,,DE,,,,,\n";
    fs::write(&source, format!("{}\n{text}", source_text::HEADER)).unwrap();
    build(&source, &target, None).map_err(|(findings, _)| findings).unwrap();
    let look_up = |address: &str, path: &[&str]| {
        let mut command = std::process::Command::new("mmdblookup");
        command.arg("--file").arg(&target).args(["--ip", address]).args(path).output()
    };
    let rows: [(&str, &[&str], &str); 4] = [
        ("9.1.2.3", &["country", "iso_code"], "\"US\""),
        ("9.1.2.3", &["autonomous_system_number"], "64500"),
        ("9.1.2.3", &["subdivisions", "0", "iso_code"], "\"CA\""),
        ("2001:db8::1", &["country", "iso_code"], "\"DE\""),
    ];
    for (address, path, expected) in rows {
        let output = match look_up(address, path) {
            Ok(output) => output,
            Err(error) => return eprintln!("skipped: mmdblookup (package mmdb-bin) does not run: {error}"),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        let faults = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains(expected), "{address} {path:?}: {said}{faults}");
    }
}
