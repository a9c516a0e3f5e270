//! PoP names of a deployment for the completion of command lines: reads only two files, and reports
//! no faults.

use super::Sources;
use super::files::FileReader;
use super::scalar::is_word;
use super::tree::{Node, ValueKind};
use std::path::Path;

/// Names in the PoP file that the server file `root` names, in the order written. An unreadable
/// file gives none, and invalid names are left out, because a shell will read them.
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

/// Value of a key of a map.
fn value<'n>(map: &'n Node, key: &str) -> Option<&'n ValueKind> {
    let ValueKind::Map(entries) = &map.kind else { return None };
    entries.iter().find(|(found, _)| &*found.text == key).map(|(_, node)| &node.kind)
}
