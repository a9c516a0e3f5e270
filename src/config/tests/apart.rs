//! Zones fail independently: which ones are put aside, their fallback, and errors that refuse all.

use super::*;
use crate::config::{Choices, Reading};
use crate::finding::Finding;
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

/// Reads files that may fall back to the zones of an earlier reading.
fn read(memory: &Memory, before: &[ZoneSource], is_served: bool, allow_loss: bool) -> ReadResult {
    let recall = |_: &Path| LastGood { zones: before.to_vec(), is_served, faults: Vec::new() };
    let mut reading =
        Reading::new(Path::new("meridian.yaml"), memory, Choices::new(allow_loss), Some(&recall));
    let (deployment, findings) = reading.read();
    assert_eq!(deployment.is_none(), findings.has_errors());
    ReadResult { deployment, findings, files: reading.into_files() }
}

/// Zones that are not current, with their state.
fn others(loaded: &ReadResult) -> Vec<(String, &'static str)> {
    let sources = &loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(loaded))).folder.zones;
    let named = sources.iter().map(|source| (source.apex.to_string(), source.standing.word()));
    named.filter(|(_, word)| *word != "current").collect()
}

fn sources(loaded: &ReadResult) -> Vec<ZoneSource> {
    loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(loaded))).folder.zones.clone()
}

/// Valid zones are read as usual, and every text is kept.
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

/// A file that two zones include is faulty in only one of them: the other is not blamed.
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

/// A reload never ends the service of a zone, even if no texts were kept for it.
#[test]
fn what_is_served_never_dies_by_a_reload() {
    let mut memory = files();
    let mut before = sources(&read(&memory, &[], false, false));
    before.iter_mut().for_each(|source| source.texts = Default::default());
    memory.0.insert("zones/x.example.zone".into(), "@ A".into());
    let loaded = read(&memory, &before, true, false);
    assert!(loaded.deployment.is_none(), "{}", shown(&loaded));
    // A start continues without it.
    assert_eq!(others(&read(&memory, &before, false, false)), [("x.example.".to_owned(), "dead")]);
}

/// A new and faulty zone affects only itself at a reload; so does a zone in two files, neither of
/// which is named after it.
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
    assert!(
        inputs.iter().any(|input| input.role.to_string() == "zone dead new.example."),
        "its digest tells"
    );
}

/// Dead zones known only by their file names are not lost if their files name other zones.
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

/// A zone that compilation blames is also put aside.
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
    let others = deployment.unwrap();
    assert!(others.folder.zones.iter().map(standing).any(|is| is == ("x.example.".to_owned(), "dead")));
    assert_eq!((findings.has_errors(), findings.errors()), (false, 1));
    // An error that belongs to no zone refuses the reading.
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
    // Zone texts are parsed once per round.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        self.1.set(self.1.get() + 1);
        (0..count).for_each(work);
    }
}

/// One round finds every faulty zone, however many there are, even with more faults than findings
/// are kept.
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
    assert_eq!(deployment.unwrap().folder.zones.iter().filter(dead).count(), 120);
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

/// Bombs of every kind affect only themselves: the budget that they used does not make later zones
/// faulty that draw on it too.
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

/// Stray files, by their names in the folder of zones.
fn strays(loaded: &ReadResult) -> Vec<String> {
    let folder = &loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(loaded))).folder;
    let names = folder.strays.iter().map(|stray| stray.path.trim_start_matches("zones/").to_owned());
    names.collect()
}

/// Codes of errors, each as often as it was found.
fn codes(loaded: &ReadResult) -> Vec<&'static str> {
    let is_error = |finding: &&Finding| finding.severity >= Severity::ZoneError;
    let mut codes: Vec<_> = loaded.findings.iter().filter(is_error).map(|finding| finding.code.id).collect();
    codes.sort_unstable();
    codes
}

/// Contents of a file for the zone `cdn.example.`.
#[derive(Clone, Copy, Debug)]
enum Has {
    /// A valid zone.
    Sound,
    /// Its `zone:` line, followed by invalid YAML.
    Half,
    /// Nothing.
    Nothing,
    /// Invalid YAML without `zone:`.
    Noise,
}

impl Has {
    fn text(self) -> Vec<u8> {
        let sound = sample().0.remove(Path::new("zones/cdn.example.yaml")).unwrap();
        match self {
            Has::Sound => sound,
            Has::Half => [&sound[..], b"\nx: ["].concat(),
            Has::Nothing => Vec::new(),
            Has::Noise => b"x: [".to_vec(),
        }
    }
}

/// File from which the zone was read before (`-` for none), present files, state of the zone, stray
/// files, and codes of errors.
type Several<'a> = (&'a str, &'a [(&'a str, Has)], &'a str, &'a [&'a str], &'a [&'a str]);

/// Among several files of one zone, the one from which it was read before is the zone's, whatever
/// appears beside it; else the one that is named after it. Each other file affects only itself. If
/// this leaves no single file, the zone is faulty.
#[test]
fn of_several_files_one_is_the_zone() {
    use Has::{Half, Noise, Nothing, Sound};
    const NAMED: &str = "cdn.example.yaml";
    let rows: &[Several<'_>] = &[
        // A copy beside the file that is named after the zone, at a start and at a reload.
        (
            "-",
            &[(NAMED, Sound), ("cdn.example copy.yaml", Sound)],
            "current",
            &["cdn.example copy.yaml"],
            &["MRD0209"],
        ),
        (
            NAMED,
            &[(NAMED, Sound), ("cdn.example copy.yaml", Half)],
            "current",
            &["cdn.example copy.yaml"],
            &["MRD0101", "MRD0209"],
        ),
        // A new file named after a zone that is served from another file.
        ("prod.yaml", &[("prod.yaml", Sound), (NAMED, Sound)], "current", &[NAMED], &["MRD0209"]),
        ("prod.yaml", &[("prod.yaml", Sound), (NAMED, Half)], "current", &[NAMED], &["MRD0101", "MRD0209"]),
        ("prod.yaml", &[("prod.yaml", Sound), (NAMED, Nothing)], "current", &[NAMED], &["MRD0209"]),
        ("prod.yaml", &[("prod.yaml", Sound), (NAMED, Noise)], "current", &[NAMED], &["MRD0101", "MRD0209"]),
        // The file from which it was read is broken: its zone is faulty, and the stray file stays
        // stray.
        ("prod.yaml", &[("prod.yaml", Half), (NAMED, Sound)], "kept", &[NAMED], &["MRD0101", "MRD0209"]),
        ("prod.yaml", &[("prod.yaml", Noise), (NAMED, Sound)], "kept", &[NAMED], &["MRD0101", "MRD0209"]),
        ("prod.yaml", &[("prod.yaml", Nothing), (NAMED, Sound)], "kept", &[NAMED], &["MRD0104", "MRD0209"]),
        // The file was renamed.
        ("prod.yaml", &[(NAMED, Sound)], "current", &[], &[]),
        ("prod.yaml", &[(NAMED, Sound), ("old.yaml", Sound)], "current", &["old.yaml"], &["MRD0209"]),
        // Neither file was read before, and none or two are named after the zone.
        ("-", &[("one.yaml", Sound), ("two.yaml", Sound)], "dead", &[], &["MRD0209"]),
        ("prod.yaml", &[("one.yaml", Sound), ("two.yaml", Sound)], "kept", &[], &["MRD0209"]),
        ("-", &[(NAMED, Sound), ("cdn.example.yml", Sound)], "dead", &[], &["MRD0209"]),
        (NAMED, &[(NAMED, Sound), ("cdn.example.yml", Sound)], "current", &["cdn.example.yml"], &["MRD0209"]),
    ];
    let with = |these: &[(&str, Has)]| {
        let mut memory = files();
        memory.0.remove(Path::new("zones/cdn.example.yaml"));
        for (name, has) in these {
            memory.0.insert(format!("zones/{name}").into(), has.text());
        }
        memory
    };
    for row @ (before, now, standing, expected, faults) in rows {
        let is_served = *before != "-";
        let before = match is_served {
            true => sources(&read(&with(&[(before, Sound)]), &[], false, false)),
            false => Vec::new(),
        };
        let memory = with(now);
        let loaded = read(&memory, &before, is_served, false);
        let others = others(&loaded);
        let is = others.first().map_or("current", |(_, standing)| standing);
        assert!(is == *standing && others.len() < 2, "{row:?}: {others:?}\n{}", shown(&loaded));
        assert_eq!(strays(&loaded), *expected, "{row:?}");
        assert_eq!(codes(&loaded), *faults, "{row:?}\n{}", shown(&loaded));
        assert!(faults.is_empty() || load_memory(&memory).deployment.is_none() || is_served, "{row:?}");
    }
}

/// The texts from the state folder also decide which file is the zone's, as served texts do.
#[test]
fn a_start_goes_on_with_the_file_that_was_served() {
    let mut memory = files();
    let sound = memory.0.remove(Path::new("zones/cdn.example.yaml")).unwrap();
    memory.0.insert("zones/prod.yaml".into(), sound);
    let before = sources(&read(&memory, &[], false, false));
    memory.0.insert("zones/cdn.example.yaml".into(), b"zone: cdn.example.\n".to_vec());
    let recalled: Vec<ZoneSource> =
        before.into_iter().filter(|source| source.apex.to_string() == "cdn.example.").collect();
    let loaded = read(&memory, &recalled, false, false);
    assert_eq!((others(&loaded), strays(&loaded)), (vec![], vec!["cdn.example.yaml".to_owned()]));
}

/// Name and text of a file, dead zones, and stray files.
#[cfg(unix)]
type Unnameable<'a> = (&'a [u8], &'a str, &'a [&'a str], &'a [&'a str]);

/// A file whose name is not UTF-8 affects the zone that its text names, or no zone, and is one
/// error.
#[cfg(unix)]
#[test]
fn a_file_name_that_is_not_utf8_costs_one_zone_at_most() {
    use std::os::unix::ffi::OsStrExt as _;
    let rows: [Unnameable<'_>; 4] = [
        (b"zones/b\xfc.zone", "@ A", &[], &[r"b\xfc.zone"]),
        (b"zones/b\xfc.yaml", "x: 1", &[], &[r"b\xfc.yaml"]),
        (b"zones/b\xfc.yml", "zone: new.example\n", &["new.example."], &[]),
        (b"zones/b\xfc.yaml", "zone: cdn.example\n", &[], &[r"b\xfc.yaml"]),
    ];
    for (name, text, dead, expected) in rows {
        let mut memory = files();
        memory.0.insert(std::ffi::OsStr::from_bytes(name).into(), text.into());
        let loaded = read(&memory, &[], false, false);
        let found: Vec<String> = others(&loaded).into_iter().map(|(zone, _)| zone).collect();
        assert_eq!((found, strays(&loaded)), (owned(dead), owned(expected)), "{text}");
        assert_eq!(codes(&loaded), ["MRD0108"], "{text}: {}", shown(&loaded));
        assert!(shown(&loaded).contains(r"the file name `b\xfc."), "{}", shown(&loaded));
    }
}

/// A zone in a file of another name, or in zone text, is not lost to a file whose name is not
/// UTF-8.
#[test]
fn a_file_name_that_is_not_utf8_takes_no_zone_from_another_file() {
    use std::os::unix::ffi::OsStrExt as _;
    let yaml = String::from_utf8(files().0[Path::new("zones/cdn.example.yaml")].clone()).unwrap();
    let rows = [
        ("zones/prod.yaml", yaml.replace("cdn.example", "b.example")),
        ("zones/b.example.zone", TEXT.into()),
    ];
    for (name, text) in rows {
        let mut memory = files();
        memory.0.insert(name.into(), text.into());
        memory.0.insert(std::ffi::OsStr::from_bytes(b"zones/b\xfc.yaml").into(), "zone: b.example\n".into());
        let loaded = read(&memory, &[], false, false);
        assert!(others(&loaded).is_empty(), "{name}: {}", shown(&loaded));
        assert_eq!(strays(&loaded), [r"b\xfc.yaml"], "{name}");
    }
}

/// A file may have the escaped name of a file whose name is not UTF-8. Each has its own findings,
/// so that the faulty zone is put aside and the reading ends.
#[test]
fn a_file_called_as_another_is_shown_is_another() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut memory = files();
    memory.0.insert(std::ffi::OsStr::from_bytes(b"zones/b\xfc.yaml").into(), "x: 1".into());
    memory.0.insert(r"zones/b\xfc.yaml".into(), "zone: new.example\nrecords: 5\n".into());
    let loaded = read(&memory, &[], false, false);
    let found: Vec<String> = others(&loaded).into_iter().map(|(zone, _)| zone).collect();
    assert_eq!((found, strays(&loaded)), (owned(&["new.example."]), owned(&[r"b\xfc.yaml"])));
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A zone that is named like a copy is served, or is faulty, with a warning.
#[test]
fn a_zone_called_after_a_copy_is_a_warning() {
    let rows = [
        (
            "x.example copy.zone",
            TEXT,
            "",
            r"`x.example copy.zone` contains a blank, and names the zone `x.example\032copy.`",
        ),
        ("x.example copy.zone", "@ A", r"x.example\032copy.", "name the file after its zone"),
        ("x.example(1).zone", TEXT, "", r"a zone that really has this name belongs in `x.example\(1\).zone`"),
        ("cdn.example (1).yaml", "records: {}\n", r"cdn.example\032\(1\).", "write `zone:` into the file"),
        // The zone's name is not the file's, or is intended.
        ("my zone.yaml", "zone: cdn.example\n", "", ""),
        (r"x.example\032copy.zone", TEXT, "", ""),
    ];
    for (name, text, dead, words) in rows {
        let mut memory = files();
        memory.0.insert(format!("zones/{name}").into(), text.into());
        let loaded = read(&memory, &[], false, false);
        let found: Vec<String> = others(&loaded).into_iter().map(|(zone, _)| zone).collect();
        assert_eq!(found.concat(), dead, "{name}: {}", shown(&loaded));
        let warned = loaded.findings.iter().filter(|finding| finding.code.id == "MRD0228").count();
        assert_eq!(warned, usize::from(!words.is_empty()), "{name}: {}", shown(&loaded));
        assert!(shown(&loaded).contains(words), "{name}: {}", shown(&loaded));
    }
}

/// The new server file's `on_error` applies, even if the previous one had `refuse`.
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
