//! Files of a deployment: the one place where they are begun.

use meridian::testing::config::Sources;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A server file by its parts. It names `pops.yaml`, `zones/` and `state/`, and what `more` names.
#[derive(Clone, Copy)]
pub struct ServerFile<'a> {
    /// Keys of `node`.
    pub node: &'a str,
    /// Addresses for DNS.
    pub dns: &'a [&'a str],
    /// Control socket.
    pub control: &'a str,
    /// Further keys of `listen`, as whole lines.
    pub listen: &'a str,
    /// Further sections, as whole lines.
    pub more: &'a str,
}

/// The section of a server file that names `policies.yaml`.
pub const POLICIES: &str = "policies: policies.yaml\n";

impl Default for ServerFile<'_> {
    fn default() -> Self {
        ServerFile {
            node: "name: n1",
            dns: &["127.0.0.1:5300"],
            control: "control.sock",
            listen: "",
            more: POLICIES,
        }
    }
}

impl ServerFile<'_> {
    /// Text of the server file.
    pub fn text(&self) -> String {
        let ServerFile { node, dns, control, listen, more } = self;
        format!(
            "node: {{ {node} }}\nlisten:\n  dns: {dns:?}\n  control: {control}\n{listen}pops: \
             pops.yaml\nzones: zones/\nstate: state/\n{more}"
        )
    }
}

/// A folder of the disk with files of memory laid over it; `None` hides a file.
#[derive(Clone, Default)]
pub struct Tree {
    pub base: PathBuf,
    pub over: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl Tree {
    /// The sample deployment at the top of the source tree.
    pub fn sample() -> Tree {
        Tree { base: crate::top(), over: BTreeMap::new() }
    }

    /// Files of memory alone: a server file, to which the others are added.
    pub fn of(server: ServerFile<'_>) -> Tree {
        Tree { base: PathBuf::from("no such folder"), over: BTreeMap::new() }
            .with("meridian.yaml", server.text())
    }

    /// A small deployment of one PoP, which listens on `dns`, with further keys of `listen`: it
    /// serves `www.cdn.example. A` by a policy of its zone.
    pub fn small(dns: &[&str], listen: &str) -> Tree {
        let listen = format!("  threads: 2\n{listen}");
        Tree::of(ServerFile { node: "name: test", dns, listen: &listen, more: "", ..ServerFile::default() })
            .with("pops.yaml", one_pop("198.51.100.10"))
            .with(
                "zones/cdn.example.yaml",
                "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: 60 \
                 }\nrecords:\n  \"@\": { NS: [ns1] }\n  \
                 ns1: { A: 192.0.2.53 }\n  www: { steer: web }\npolicies:\n  web: { pops: [one], order: \
                 listed }\n",
            )
    }

    /// Writes the files that were laid over to a folder.
    pub fn write(&self, folder: &Path) {
        for (path, octets) in &self.over {
            let Some(octets) = octets else { continue };
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder is ours");
            std::fs::write(path, octets).expect("the folder is ours");
        }
    }

    /// Lays a text over a file.
    pub fn with(mut self, path: &str, text: impl Into<Vec<u8>>) -> Tree {
        self.over.insert(PathBuf::from(path), Some(text.into()));
        self
    }

    /// The text of a file as this tree has it.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(Path::new(path)).unwrap().to_vec()).unwrap()
    }

    /// Replaces a piece of a file's text that must be there.
    pub fn replacing(self, path: &str, old: &str, new: &str) -> Tree {
        let text = self.text(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.with(path, text.replace(old, new))
    }
}

impl Sources for Tree {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        match self.over.get(path) {
            Some(Some(octets)) => Ok(octets.as_slice().into()),
            Some(None) => Err("no such file".to_owned()),
            None => std::fs::read(self.base.join(path)).map(Into::into).map_err(|e| e.to_string()),
        }
    }

    /// The secret of RFC 9018 appendix A.1.
    fn own_secret(&self) -> Option<[u8; 16]> {
        Some(0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf_u128.to_be_bytes())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let mut all: Vec<PathBuf> = match std::fs::read_dir(self.base.join(folder)) {
            Ok(entries) => entries.flatten().map(|e| folder.join(e.file_name())).collect(),
            Err(e) if self.over.keys().any(|p| p.parent() == Some(folder)) => {
                drop(e);
                Vec::new()
            }
            Err(e) => return Err(e.to_string()),
        };
        all.extend(
            self.over
                .iter()
                .filter(|(p, text)| text.is_some() && p.parent() == Some(folder))
                .map(|(p, _)| p.clone()),
        );
        all.retain(|p| !matches!(self.over.get(p), Some(None)));
        all.sort();
        all.dedup();
        Ok(all)
    }
}

/// A file of PoPs with one PoP, `one`, of one address.
pub fn one_pop(address: &str) -> String {
    format!("pops:\n  one:\n    at: {{ lat: 50.1, lon: 8.7, country: DE }}\n    addresses: [{address}]\n")
}
