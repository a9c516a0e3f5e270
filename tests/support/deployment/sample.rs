//! A copy of the sample deployment in a folder of its own, on free ports.

use super::{Engine, Options, Server};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The copy.
pub struct Sample {
    folder: TempDir,
}

impl Sample {
    /// Copies the sample; it listens on `dns`.
    pub fn new(dns: &[&str]) -> Sample {
        let sample = Sample { folder: tempfile::tempdir().expect("a folder") };
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["zones", "geoip"] {
            fs::create_dir(sample.path(folder)).expect("a folder");
            for entry in fs::read_dir(top.join(folder)).expect("the sample") {
                let entry = entry.expect("the sample");
                fs::copy(entry.path(), sample.path(folder).join(entry.file_name())).expect("a copy");
            }
        }
        for file in ["meridian.yaml", "pops.yaml", "policies.yaml"] {
            fs::copy(top.join(file), sample.path(file)).expect("a copy");
        }
        sample.edit("meridian.yaml", |text| {
            let lines = text.lines().map(|line| match line.trim_start() {
                l if l.starts_with("dns:") => format!("  dns: {dns:?}"),
                l if l.starts_with("admin:") => "  admin: \"127.0.0.1:0\"".to_owned(),
                _ => line.to_owned(),
            });
            lines.collect::<Vec<_>>().join("\n") + "\n"
        });
        sample
    }

    /// A file of the copy.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Rewrites a file as an editor does: a new file, renamed over the old one.
    pub fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(name);
        let text = change(fs::read_to_string(&path).expect("text"));
        let beside = self.path("new");
        fs::write(&beside, text).expect("the folder is ours");
        fs::rename(beside, path).expect("the folder is ours");
    }

    /// Starts a server in this process.
    pub fn start(&self, engine: Engine) -> Server {
        let options =
            Options { config: self.path("meridian.yaml"), engine, log_dropped: std::sync::Arc::default() };
        Server::start(&options).unwrap_or_else(|refusal| panic!("refused: {:?}", refusal.0))
    }
}
