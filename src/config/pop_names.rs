//! Names of a deployment's PoPs alone, for a shell that completes a command line: two files are
//! read, and no fault is told.

use super::Sources;
use super::files::FileReader;
use super::scalar::is_word;
use super::tree::{Node, ValueKind};
use std::path::Path;

/// The names in the PoP file that the server file `root` names, in the order written. What cannot
/// be read gives none, and what cannot be a name is left out: a shell is about to read them.
pub(crate) fn pop_names(root: &Path, sources: &dyn Sources) -> Vec<String> {
    let mut reader = FileReader::new(sources);
    let server = reader.yaml(root, None).tree;
    let Some(ValueKind::Text(file)) = server.as_ref().and_then(|server| value(server, "pops")) else {
        return Vec::new();
    };
    let path = root.parent().unwrap_or(Path::new("")).join(&**file);
    let pops = reader.yaml(&path, None).tree;
    match pops.as_ref().and_then(|pops| value(pops, "pops")) {
        Some(ValueKind::Map(pops)) => {
            pops.iter().map(|(name, _)| name.text.to_string()).filter(|name| is_word(name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The value of a key of a map.
fn value<'n>(map: &'n Node, key: &str) -> Option<&'n ValueKind> {
    let ValueKind::Map(entries) = &map.kind else { return None };
    entries.iter().find(|(found, _)| &*found.text == key).map(|(_, node)| &node.kind)
}
