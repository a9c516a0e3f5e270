//! Security advisories: no version in `Cargo.lock` is affected by an advisory in the copy
//! (`.ci/advisories.yaml`), and every direct dependency was looked up for it. `.ci/run` asks the
//! whole database where it can fetch it; these tests need no network.

use semver::{Version, VersionReq};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The file `.ci/advisories.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvisoryCopy {
    copied: String,
    newest: String,
    looked_up: BTreeSet<String>,
    advisories: Vec<Advisory>,
    ignored: Vec<Ignored>,
}

/// Facts of one advisory. A version is affected unless a range of `patched` or `unaffected` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    package: String,
    date: String,
    informational: Option<Informational>,
    withdrawn: Option<String>,
    patched: Vec<String>,
    unaffected: Vec<String>,
}

/// Advisories about something else than a vulnerability.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Informational {
    Notice,
    Unmaintained,
    Unsound,
}

/// An advisory that affects a locked version and is accepted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ignored {
    id: String,
    package: String,
    reason: String,
}

/// A package of `Cargo.lock`.
struct Locked {
    name: String,
    version: Version,
    /// Packages of this tree have no source.
    is_member: bool,
    needs: Vec<String>,
}

/// The packages of a `Cargo.lock`.
fn locked(lock: &str) -> Vec<Locked> {
    let mut packages = Vec::new();
    for section in lock.split("[[package]]\n").skip(1) {
        let of = |key: &str| {
            let begin = format!("{key} = \"");
            section.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix('"'))
        };
        // ` "name",`, or ` "name version",` where two versions are locked.
        let need = |line: &str| Some(line.strip_prefix(" \"")?.split([' ', '"']).next()?.to_owned());
        packages.push(Locked {
            name: of("name").expect("a name").to_owned(),
            version: of("version").expect("a version").parse().expect("a version by semver.org"),
            is_member: of("source").is_none(),
            needs: section.lines().filter_map(need).collect(),
        });
    }
    packages
}

/// Names of the packages that members of the tree need: normal, build and development
/// dependencies.
fn direct(packages: &[Locked]) -> BTreeSet<&str> {
    let (members, others): (Vec<&Locked>, Vec<&Locked>) =
        packages.iter().partition(|package| package.is_member);
    let needs: BTreeSet<&str> = members.iter().flat_map(|member| &member.needs).map(String::as_str).collect();
    others.iter().map(|other| other.name.as_str()).filter(|name| needs.contains(name)).collect()
}

/// Whether no range has the version. A range has a pre-release only if it names a pre-release of
/// the same version, so that an unusual locked version is reported rather than overlooked.
fn is_affected(version: &Version, ranges: &[&String]) -> bool {
    !ranges.iter().any(|range| {
        VersionReq::parse(range).unwrap_or_else(|error| panic!("`{range}`: {error}")).matches(version)
    })
}

impl Advisory {
    /// The locked packages that it affects. `deny.toml` has the same rule for packages without a
    /// maintainer: only direct dependencies count.
    fn affected<'p>(&self, packages: &'p [Locked]) -> Vec<&'p Locked> {
        let is_unmaintained = self.informational == Some(Informational::Unmaintained);
        if self.withdrawn.is_some() || is_unmaintained && !direct(packages).contains(self.package.as_str()) {
            return Vec::new();
        }
        let ranges: Vec<&String> = self.patched.iter().chain(&self.unaffected).collect();
        let of_name = packages.iter().filter(|package| !package.is_member && package.name == self.package);
        of_name.filter(|package| is_affected(&package.version, &ranges)).collect()
    }
}

impl AdvisoryCopy {
    fn is_ignored(&self, advisory: &Advisory) -> bool {
        self.ignored.iter().any(|entry| entry.id == advisory.id && entry.package == advisory.package)
    }

    /// Locked versions that an advisory affects.
    fn affected(&self, packages: &[Locked]) -> Vec<String> {
        let mut faults = Vec::new();
        for advisory in self.advisories.iter().filter(|advisory| !self.is_ignored(advisory)) {
            for Locked { name, version, .. } in advisory.affected(packages) {
                let (id, patched) = (&advisory.id, advisory.patched.join(" or "));
                let way_out = match patched.as_str() {
                    "" => "no version is patched: replace the package".to_owned(),
                    patched => format!("patched: {patched}: `cargo update -p {name}@{version}`"),
                };
                faults.push(format!(
                    "{id} affects {name} {version}; {way_out}, or ignore it with a reason in \
                     .ci/advisories.yaml and deny.toml; https://rustsec.org/advisories/{id}.html"
                ));
            }
        }
        faults
    }

    /// Packages that were not looked up, or need not be.
    fn not_looked_up(&self, packages: &[Locked]) -> Vec<String> {
        let is_known = |name: &str| self.looked_up.contains(name);
        let missing = direct(packages).into_iter().filter(|name| !is_known(name)).map(|name| {
            format!("{name} was not looked up for .ci/advisories.yaml: renew the copy (CONTRIBUTING.md)")
        });
        let is_locked =
            |name: &str| packages.iter().any(|package| !package.is_member && package.name == name);
        let gone = self.looked_up.iter().filter(|name| !is_locked(name)).map(|name| {
            format!("{name} is not in Cargo.lock: strike it off `looked_up` in .ci/advisories.yaml")
        });
        let unasked = self.advisories.iter().filter(|advisory| !is_known(&advisory.package)).map(
            |Advisory { id, package, .. }| format!("{id} is about {package}, which is not in `looked_up`"),
        );
        missing.chain(gone).chain(unasked).collect()
    }

    /// Ignores without a reason, without an effect, or of one file alone.
    fn idle_ignores(&self, packages: &[Locked], deny: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for Ignored { id, package, reason } in &self.ignored {
            if reason.split_whitespace().count() < 3 {
                faults.push(format!("{id} is ignored without a reason"));
            }
            let is_of_use = self.advisories.iter().any(|advisory| {
                advisory.id == *id && advisory.package == *package && !advisory.affected(packages).is_empty()
            });
            if !is_of_use {
                faults.push(format!("{id} affects no locked version of {package}: ignore it no longer"));
            }
        }
        let here: BTreeSet<&str> = self.ignored.iter().map(|entry| entry.id.as_str()).collect();
        let there = ids(deny);
        for id in here.symmetric_difference(&there) {
            faults.push(format!("{id} is ignored in only one of .ci/advisories.yaml and deny.toml"));
        }
        faults
    }

    /// Ids and dates of another form than the database has, and dates after the copy.
    fn malformed(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let dates = self.advisories.iter().map(|advisory| &advisory.date);
        if dates.clone().max().is_some_and(|date| *date != self.newest) || self.newest > self.copied {
            faults.push(format!("`newest` is {}, and `copied` is {}", self.newest, self.copied));
        }
        for date in dates.chain([&self.copied]).filter(|date| shape(date) != "0000-00-00") {
            faults.push(format!("`{date}` is not a date"));
        }
        for Advisory { id, .. } in self.advisories.iter().filter(|each| ids(&each.id).is_empty()) {
            faults.push(format!("`{id}` is not an id"));
        }
        faults
    }
}

/// The text with each digit as 0.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// Ids of advisories in a text, comments (`#`) left out.
fn ids(text: &str) -> BTreeSet<&str> {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words = code.flat_map(|line| line.split(['"', '\'', ' ', ',', '[', ']']));
    words.filter(|word| shape(word) == "RUSTSEC-0000-0000").collect()
}

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn copy_of(text: &str) -> AdvisoryCopy {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!(".ci/advisories.yaml: {error}"))
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// No locked version is affected by an advisory of the copy that is not ignored.
#[test]
fn no_locked_version_is_affected() {
    let (copy, packages) = (copy_of(&text(".ci/advisories.yaml")), locked(&text("Cargo.lock")));
    assert!(packages.len() > 200 && copy.advisories.len() > 50, "the files are read whole");
    none(copy.malformed());
    none(copy.affected(&packages));
}

/// Every direct dependency was looked up. A new one fails here until the copy is renewed.
#[test]
fn every_direct_dependency_was_looked_up() {
    let (copy, packages) = (copy_of(&text(".ci/advisories.yaml")), locked(&text("Cargo.lock")));
    let direct = direct(&packages);
    for name in ["rustls", "async-trait", "mmdb-writer", "proptest", "semver"] {
        assert!(direct.contains(name), "{name} is a direct dependency");
    }
    none(copy.not_looked_up(&packages));
}

/// Each ignored advisory has a reason and an effect, and stands in `deny.toml` too.
#[test]
fn ignored_advisories_have_a_reason() {
    let (copy, packages) = (copy_of(&text(".ci/advisories.yaml")), locked(&text("Cargo.lock")));
    none(copy.idle_ignores(&packages, &text("deny.toml")));
}

/// Ranges are read as semver.org and the database have them.
#[test]
fn affected_versions_are_told_from_others() {
    // Patched and unaffected ranges of an advisory, a version, whether it is affected.
    let rows: &[(&[&str], &str, bool)] = &[
        (&[">= 1.2.3"], "1.2.2", true),
        (&[">= 1.2.3"], "1.2.3", false),
        (&[">= 1.2.3"], "1.10.0", false),
        (&[">= 1.2.3"], "1.2.3+build.7", false),
        (&[">= 1.2.3"], "1.2.3-rc.1", true),
        (&[">= 1.18.4, < 1.19.0", ">= 1.20.3"], "1.18.9", false),
        (&[">= 1.18.4, < 1.19.0", ">= 1.20.3"], "1.19.0", true),
        (&[">= 1.18.4, < 1.19.0", ">= 1.20.3"], "1.20.2", true),
        (&["< 0.10.0, >= 0.9.18"], "0.9.20", false),
        (&["< 0.10.0, >= 0.9.18"], "0.10.0", true),
        // Without an operator, as with `^`: up to the next version that may break callers.
        (&["0.13.10"], "0.13.11", false),
        (&["0.13.10"], "0.14.0", true),
        (&["^ 0.24.3"], "0.24.4", false),
        (&["^1.8.1"], "2.0.0", true),
        (&["=0.2.0", "=0.2.1"], "0.2.1", false),
        (&["=0.2.0", "=0.2.1"], "0.2.2", true),
        (&["<= 0.22"], "0.22.4", false),
        (&["<= 0.22"], "0.23.0", true),
        (&[">= 0.104.0-alpha.6"], "0.104.0-alpha.5", true),
        (&[">= 0.104.0-alpha.6"], "0.104.0-alpha.7", false),
        // No version is patched.
        (&[], "1.0.0", true),
    ];
    for (ranges, version, expected) in rows {
        let ranges: Vec<String> = ranges.iter().map(|range| (*range).to_owned()).collect();
        let is = is_affected(&version.parse().unwrap(), &ranges.iter().collect::<Vec<_>>());
        assert_eq!(is, *expected, "{version} with {ranges:?}");
    }
}

const MADE_UP_LOCK: &str = r#"
version = 4

[[package]]
name = "far"
version = "1.2.2"
source = "registry"

[[package]]
name = "near"
version = "0.3.0"
source = "registry"
dependencies = [
 "far 1.2.2",
]

[[package]]
name = "own"
version = "0.1.0"
dependencies = [
 "near",
 "own-tests",
]

[[package]]
name = "own-tests"
version = "0.1.0"
"#;

/// A made-up copy with the given advisories, and ignores with a reason.
fn made_up(looked_up: &str, advisories: &[&str], ignored: &[&str]) -> AdvisoryCopy {
    let ignored = ignored.iter().map(|rest| format!("{{ {rest}, reason: the part is not used }}"));
    copy_of(&format!(
        "copied: 2026-02-01\nnewest: 2026-01-02\nlooked_up: [{looked_up}]\nadvisories: [{}]\nignored: [{}]\n",
        advisories
            .iter()
            .map(|rest| format!("{{ id: RUSTSEC-2026-9999, date: 2026-01-02, {rest} }}"))
            .collect::<Vec<_>>()
            .join(", "),
        ignored.collect::<Vec<_>>().join(", "),
    ))
}

/// Made-up advisories about made-up packages are found, by id, package, version and way out.
#[test]
fn made_up_advisories_are_found() {
    let packages = locked(MADE_UP_LOCK);
    let patched = r#"package: far, patched: [">= 1.2.3"], unaffected: ["< 1.0.0"]"#;
    // An advisory, and words of its fault; without words it affects nothing.
    let rows: &[(&str, &[&str])] = &[
        (patched, &["RUSTSEC-2026-9999 affects far 1.2.2", "patched: >= 1.2.3", "cargo update -p far@1.2.2"]),
        (r#"package: far, patched: [], unaffected: []"#, &["far 1.2.2", "no version is patched"]),
        (r#"package: far, patched: [], unaffected: ["< 1.3.0"]"#, &[]),
        (r#"package: far, withdrawn: 2026-01-03, patched: [], unaffected: []"#, &[]),
        (r#"package: far, informational: unsound, patched: [], unaffected: []"#, &["far 1.2.2"]),
        (r#"package: far, informational: unmaintained, patched: [], unaffected: []"#, &[]),
        (r#"package: near, informational: unmaintained, patched: [], unaffected: []"#, &["near 0.3.0"]),
        (r#"package: other, patched: [], unaffected: []"#, &[]),
        (r#"package: own, patched: [], unaffected: []"#, &[]),
    ];
    for (advisory, words) in rows {
        let copy = made_up("far, near", &[advisory], &[]);
        none(copy.malformed());
        let found = copy.affected(&packages);
        assert_eq!(found.len(), usize::from(!words.is_empty()), "{advisory}: {found:?}");
        for word in *words {
            assert!(found[0].contains(word), "{advisory}: {found:?} without `{word}`");
        }
    }
    let ignored = made_up("near", &[patched], &["id: RUSTSEC-2026-9999, package: far"]);
    none(ignored.affected(&packages));
}

/// A dependency that was not looked up is found, and so are names and ignores without an effect.
#[test]
fn gaps_of_a_copy_are_found() {
    let packages = locked(MADE_UP_LOCK);
    assert_eq!(direct(&packages).into_iter().collect::<Vec<_>>(), ["near"]);
    let affects = r#"package: far, patched: [], unaffected: []"#;
    let misses = r#"package: far, patched: [">= 1.0.0"], unaffected: []"#;
    let far = "id: RUSTSEC-2026-9999, package: far";
    let in_deny = "ignore = [{ id = \"RUSTSEC-2026-9999\", reason = \"not used\" }]";
    let only_a_comment = "# RUSTSEC-2026-9999\nignore = []";

    let gaps = |looked_up, advisories: &[&str]| made_up(looked_up, advisories, &[]).not_looked_up(&packages);
    none(gaps("near", &[]));
    assert!(gaps("far", &[])[0].starts_with("near was not looked up"));
    assert!(gaps("near, gone", &[])[0].starts_with("gone is not in Cargo.lock"));
    assert!(gaps("near", &[affects])[0].contains("is about far"));

    let idle = |advisory, ignored: &[&str], deny| {
        made_up("near, far", &[advisory], ignored).idle_ignores(&packages, deny)
    };
    none(idle(affects, &[far], in_deny));
    none(idle(affects, &[], only_a_comment));
    assert!(idle(affects, &[far], only_a_comment)[0].contains("in only one of"));
    assert!(idle(affects, &[], in_deny)[0].contains("in only one of"));
    assert!(idle(misses, &[far], in_deny)[0].contains("affects no locked version of far"));
}
