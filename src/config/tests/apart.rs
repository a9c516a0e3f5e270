//! Zones each for themselves: which are put aside, from what they go on, and what refuses all.

use super::*;
use crate::config::{Choices, Reading};
use crate::wire::name::Name;
use crate::zone::source::{LastGood, ZoneSource};
use std::collections::BTreeSet;

const TEXT: &str = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n$INCLUDE hosts\n";

/// The sample with two zones of text that include one file.
fn files() -> Memory {
    let mut memory = sample();
    for path in ["zones/x.example.zone", "zones/y.example.zone"] {
        memory.0.insert(path.into(), TEXT.into());
    }
    memory.0.insert("zones/hosts".into(), "www CNAME elsewhere.example.net.\n".into());
    memory
}

/// Reads files that may go back to the zones of a reading before.
fn read(memory: &Memory, before: &[ZoneSource], is_served: bool, allow_loss: bool) -> ReadResult {
    let recall = |_: &Path| LastGood { zones: before.to_vec(), is_served, faults: Vec::new() };
    let mut reading =
        Reading::new(Path::new("meridian.yaml"), memory, Choices::new(allow_loss), Some(&recall));
    let (deployment, findings) = reading.read();
    assert_eq!(deployment.is_none(), findings.has_errors());
    ReadResult { deployment, findings, files: reading.into_files() }
}

/// Zones that are not current, with their standing.
fn others(loaded: &ReadResult) -> Vec<(String, &'static str)> {
    let sources = &loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(loaded))).zone_sources;
    let named = sources.iter().map(|source| (source.apex.to_string(), source.standing.word()));
    named.filter(|(_, word)| *word != "current").collect()
}

fn sources(loaded: &ReadResult) -> Vec<ZoneSource> {
    loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(loaded))).zone_sources.clone()
}

/// What is sound is read as ever, and every text is held.
#[test]
fn sound_files_are_read_once() {
    let loaded = read(&files(), &[], false, false);
    assert_eq!((others(&loaded), loaded.findings.len()), (vec![], 0), "{}", shown(&loaded));
    let all = read_deployment(Path::new("meridian.yaml"), &files()).deployment.unwrap();
    assert_eq!(loaded.deployment.as_ref().unwrap().inputs, all.inputs);
    let of = |apex: &str| {
        let apex = Name::parse(apex, None).unwrap();
        let source = sources(&loaded).into_iter().find(|source| source.apex == apex).unwrap();
        source.texts.files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("x.example."), ["zones/x.example.zone", "hosts"]);
    assert_eq!(of("cdn.example."), ["zones/cdn.example.yaml"]);
}

/// A file that two zones include is faulty in one of them alone: the other is not blamed.
#[test]
fn an_included_file_is_blamed_for_its_zone() {
    let mut memory = files();
    let before = sources(&read(&memory, &[], false, false));
    memory.0.insert("zones/x.example.zone".into(), format!("{TEXT}www A 192.0.2.2\n").into());
    for (before, standing) in [(&before[..], "kept"), (&before[..0], "dead")] {
        let loaded = read(&memory, before, !before.is_empty(), false);
        assert_eq!(others(&loaded), [("x.example.".to_owned(), standing)], "{}", shown(&loaded));
        assert!(shown(&loaded).contains("error[MRD0202]"), "{}", shown(&loaded));
    }
}

/// What is served now never dies by a reload, also where nothing was held to go back to.
#[test]
fn what_is_served_never_dies_by_a_reload() {
    let mut memory = files();
    let mut before = sources(&read(&memory, &[], false, false));
    before.iter_mut().for_each(|source| source.texts = Default::default());
    memory.0.insert("zones/x.example.zone".into(), "@ A".into());
    let loaded = read(&memory, &before, true, false);
    assert!(loaded.deployment.is_none(), "{}", shown(&loaded));
    // A start goes on without it.
    assert_eq!(others(&read(&memory, &before, false, false)), [("x.example.".to_owned(), "dead")]);
}

/// A zone that is new and faulty costs a reload nothing but itself; so does one that stands in two
/// files, neither of which is named after it.
#[test]
fn new_zones_are_put_aside() {
    let mut memory = files();
    let before = sources(&read(&memory, &[], false, false));
    memory.0.insert("zones/new.example.yaml".into(), "zone: new.example.\n".into());
    memory.0.remove(Path::new("zones/cdn.example.yaml"));
    for copy in ["zones/cdn2.yaml", "zones/cdn3.yaml"] {
        memory.0.insert(copy.into(), "zone: cdn.example.\n".into());
    }
    let loaded = read(&memory, &before, true, false);
    let expected = [("cdn.example.".to_owned(), "kept"), ("new.example.".to_owned(), "dead")];
    assert_eq!(others(&loaded), expected, "{}", shown(&loaded));
    let inputs = &loaded.deployment.as_ref().unwrap().inputs;
    assert!(inputs.iter().any(|(role, _)| role == "zone dead new.example."), "its digest tells");
}

/// Dead zones that were known by their file names alone are no loss when their files tell others.
#[test]
fn mended_files_that_tell_their_zones_are_no_loss() {
    let mut memory = files();
    let path = |number: usize| format!("zones/c{number}.yaml");
    (0..9).for_each(|number| drop(memory.0.insert(path(number).into(), "x: [".into())));
    let started = read(&memory, &[], false, false);
    assert_eq!(others(&started).len(), 9, "{}", shown(&started));
    for number in 0..9 {
        let zone = format!(
            "zone: s{number}.example.\nsoa: {{ mname: ns1, rname: h }}\nrecords:\n  \"@\": {{ NS: ns1 }}\n  \
             ns1: {{ A: 192.0.2.1 }}\n"
        );
        memory.0.insert(path(number).into(), zone.into());
    }
    let mended = read(&memory, &sources(&started), true, false);
    assert_eq!(others(&mended), [], "{}", shown(&mended));
}

/// What compiling blames a zone for puts it aside as well.
#[test]
fn compiling_puts_aside() {
    let memory = files();
    let mut reading = Reading::new(Path::new("meridian.yaml"), &memory, Choices::default(), None);
    let (deployment, _) = reading.read();
    let zone =
        deployment.unwrap().zones.into_iter().find(|zone| zone.apex.to_string() == "x.example.").unwrap();
    let finding =
        |at| crate::finding::Finding::error(crate::finding::code::TOO_LARGE, "too large").at(at, "");
    assert!(reading.put_aside(&mut finding(zone.at).into()));
    let (deployment, findings) = reading.read();
    let standing = |source: &ZoneSource| (source.apex.to_string(), source.standing.word());
    let others = deployment.unwrap().zone_sources;
    assert!(others.iter().map(standing).any(|is| is == ("x.example.".to_owned(), "dead")));
    assert_eq!((findings.has_errors(), findings.errors()), (false, 1));
    // What is of no zone refuses.
    assert!(!reading.put_aside(&mut finding(At::whole(crate::finding::FileId(0))).into()));
}

/// Files whose reading counts its rounds.
struct Rounds<'m>(&'m Memory, std::cell::Cell<usize>);

impl Sources for Rounds<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.read(path)
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        self.0.list(folder)
    }
    // Zone texts are parsed once a round.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        self.1.set(self.1.get() + 1);
        (0..count).for_each(work);
    }
}

/// One round finds every faulty zone, however many there are and however many faults each has: more
/// than findings are kept of.
#[test]
fn many_faulty_zones_are_put_aside_at_once() {
    let mut memory = files();
    let faults: String = (0..60).map(|number| format!("  w{number}: {{ A: nowhere }}\n")).collect();
    for number in 0..60 {
        let zone = format!("zone: f{number}.example.\nrecords:\n{faults}");
        memory.0.insert(format!("zones/f{number}.example.yaml").into(), zone.into());
        memory.0.insert(format!("zones/t{number}.example.zone").into(), "w A nowhere\n".repeat(60).into());
    }
    let rounds = Rounds(&memory, Default::default());
    let mut reading = Reading::new(Path::new("meridian.yaml"), &rounds, Choices::default(), None);
    let (deployment, findings) = reading.read();
    let dead = |source: &&ZoneSource| source.standing.word() == "dead";
    assert_eq!(deployment.unwrap().zone_sources.iter().filter(dead).count(), 120);
    assert_eq!(rounds.1.get(), 2);
    // Every fault is counted.
    assert!(findings.errors() > 120 * 60);
}

/// Apexes that are not served, and the codes of errors.
fn dead_and_codes(memory: &Memory) -> (Vec<String>, BTreeSet<&'static str>) {
    let loaded = read(memory, &[], false, false);
    let errors = loaded.findings.iter().filter(|finding| finding.severity == Severity::ZoneError);
    let codes = errors.map(|finding| finding.code.id).collect();
    (others(&loaded).into_iter().map(|(zone, _)| zone).collect(), codes)
}

/// Bombs of every kind cost themselves alone: what they have used of the budget is no fault of the
/// zones that are read after them, which draw on it too.
#[test]
fn bombs_take_no_good_zone_with_them() {
    let mut memory = files();
    let mut add = |path: String, text: String| drop(memory.0.insert(path.into(), text.into_bytes()));
    let octets = "x".repeat(200);
    let strings = format!("\"{octets}\" ").repeat(100);
    add("zones/part".into(), format!("w TXT {strings}\n").repeat(50));
    for number in 0..6 {
        let lists: String = (1..30)
            .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")))
            .collect();
        add(
            format!("zones/a{number}.example.yaml"),
            format!("zone: a{number}.example\na0: &a0 [x, x]\n{lists}"),
        );
        add(
            format!("zones/b{number}.example.zone"),
            format!("$TTL 60\n$GENERATE 0-65535 a$ TXT {strings}\n"),
        );
        add(format!("zones/c{number}.example.zone"), format!("$TTL 60\n{}", "$INCLUDE part\n".repeat(1_000)));
    }
    for number in 0..10 {
        let text = TEXT.replace("$INCLUDE hosts\n", "$GENERATE 0-5000 w$ A 192.0.2.1\n");
        let ending = if number % 2 == 0 { text.clone() } else { format!("{text}$INCLUDE hosts\n") };
        add(format!("zones/good{number}.example.zone"), ending);
    }
    let (dead, codes) = dead_and_codes(&memory);
    let bombs: Vec<String> =
        ["a", "b", "c"].iter().flat_map(|kind| (0..6).map(move |n| format!("{kind}{n}.example."))).collect();
    assert_eq!(dead, bombs);
    assert!(codes.contains("MRD0106") && !codes.contains("MRD0112"), "{codes:?}");
}

/// A copy of a zone file, whole or half, costs nothing but itself where the other file is named
/// after the zone; where neither is, both are at fault.
#[test]
fn a_stray_copy_costs_no_zone() {
    let sound = sample().0.remove(Path::new("zones/cdn.example.yaml")).unwrap();
    let broken = [&sound[..], b"\nx: [".as_slice()].concat();
    for copy in [&sound, &broken] {
        let mut memory = files();
        memory.0.insert("zones/cdn.example copy.yaml".into(), copy.clone());
        let (dead, codes) = dead_and_codes(&memory);
        assert_eq!(dead, Vec::<String>::new());
        assert!(codes.contains("MRD0209"), "{codes:?}");
        assert!(load_memory(&memory).deployment.is_none(), "`check` tells it");
    }
    let mut memory = files();
    memory.0.remove(Path::new("zones/cdn.example.yaml"));
    memory.0.insert("zones/one.yaml".into(), sound.clone());
    memory.0.insert("zones/two.yaml".into(), sound);
    assert_eq!(dead_and_codes(&memory).0, ["cdn.example."]);
}

/// A file whose name is not UTF-8 costs the zone that its text tells, or none.
#[cfg(unix)]
#[test]
fn a_file_name_that_is_not_utf8_costs_one_zone_at_most() {
    use std::os::unix::ffi::OsStrExt as _;
    for (name, text, dead) in [
        (&b"zones/b\xfc.zone"[..], "@ A", &[][..]),
        (b"zones/b\xfc.yaml", "x: 1", &[]),
        (b"zones/b\xfc.yml", "zone: new.example\n", &["new.example."]),
        (b"zones/b\xfc.yaml", "zone: cdn.example\n", &[]),
    ] {
        let mut memory = files();
        memory.0.insert(std::ffi::OsStr::from_bytes(name).into(), text.into());
        let (found, codes) = dead_and_codes(&memory);
        assert_eq!(found, dead, "{text}");
        assert!(codes.contains("MRD0108"), "{text}: {codes:?}");
    }
}

/// The word of the new server file decides, also where the one before refused.
#[test]
fn a_reload_that_says_keep_goes_on_from_what_refuse_has_read() {
    let mut memory = files();
    let server = String::from_utf8(memory.0[Path::new("meridian.yaml")].clone()).unwrap();
    let refuse = server.replace("zones: zones/", "zones: { folder: zones/, on_error: refuse }");
    assert_ne!(refuse, server);
    memory.0.insert("meridian.yaml".into(), refuse.into());
    let before = sources(&read(&memory, &[], false, false));
    memory.0.insert("zones/x.example.zone".into(), "@ A".into());
    assert!(read(&memory, &before, true, false).deployment.is_none());
    memory.0.insert("meridian.yaml".into(), server.into());
    assert_eq!(others(&read(&memory, &before, true, false)), [("x.example.".to_owned(), "kept")]);
}
