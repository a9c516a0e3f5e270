//! The lab: a small deployment, loaded as a scenario has changed it.

use meridian::testing::config;
use meridian::testing::finding::{FileId, Files, Findings, Severity};
use meridian::testing::snapshot::compile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::{Tree, World};

/// The text that the database of the lab is made of.
const PLACES: &str = "places.csv";
/// The database.
const DATABASE: &str = "places.mmdb";

/// The lab as it is at the start of a scenario.
pub fn tree() -> Tree {
    Tree { base: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/lab"), ..Tree::default() }
}

/// Outcome of reading the lab.
pub struct ReadResult {
    /// The world, if nothing refused it.
    pub world: Option<World>,
    /// Code, place as `file:line`, and whether it is an error, of every finding.
    pub told: Vec<(&'static str, String, bool)>,
    /// The findings as an operator sees them.
    pub text: String,
}

/// Loads the lab.
pub fn load(tree: &Tree) -> ReadResult {
    let mut tree = tree.clone();
    if !tree.over.contains_key(Path::new(DATABASE)) {
        let octets = meridian::testing::cli::geoip::build::compile(&tree.text(PLACES), FileId(0), None);
        let octets = octets
            .unwrap_or_else(|f| panic!("{PLACES}: {:?}", f.iter().map(|f| &f.message).collect::<Vec<_>>()));
        tree = tree.with(DATABASE, octets);
    }
    let loaded = config::read_deployment(Path::new("meridian.yaml"), &tree);
    let mut all = ReadResult { world: None, told: Vec::new(), text: String::new() };
    all.note(&loaded.findings, &loaded.files);
    let Some(deployment) = loaded.deployment else { return all };
    let (geography, findings) = compile::geography(&deployment);
    all.note(&findings, &loaded.files);
    let Some(geography) = geography else { return all };
    let (snapshot, findings) = compile::compile_with(&deployment, &geography, None, 1);
    all.note(&findings, &loaded.files);
    all.world = snapshot.map(|snapshot| World { deployment, geography, snapshot: Arc::new(snapshot) });
    all
}

impl ReadResult {
    fn note(&mut self, findings: &Findings, files: &Files) {
        for finding in findings.iter() {
            let place =
                finding.at.map_or_else(String::new, |at| format!("{}:{}", files.path(at.file), at.line));
            self.told.push((finding.code.id, place, finding.severity == Severity::Error));
        }
        self.text.push_str(&meridian::testing::finding::render::text(findings, files, false));
    }
}
