//! Settings of the process that apply before the deployment is read, from the server file alone.

use super::Sources;
use super::files::FileReader;
use super::server;
use crate::finding::Findings;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rights of the process, and folders that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSettings {
    /// User that the process becomes; `None` leaves it what it is.
    pub(crate) user: Option<Arc<str>>,
    /// Folders that the user must be able to write to.
    pub(crate) folders: Vec<PathBuf>,
}

/// Settings of the server file `root`; `None` if it cannot be read, or has an error: reading the
/// deployment then reports it.
pub(crate) fn process_settings(root: &Path, sources: &dyn Sources) -> Option<ProcessSettings> {
    let tree = FileReader::new(sources).yaml(root, None).tree?;
    let mut findings = Findings::default();
    let file = server::lower(&tree, root.parent().unwrap_or(Path::new("")), &mut findings);
    if findings.has_errors() {
        return None;
    }
    let parents = [Some(&file.listen.control), file.pid_file.as_ref()];
    let parents = parents.into_iter().flatten().filter_map(|path| path.parent().map(Path::to_owned));
    let folders = std::iter::once(file.state.clone()).chain(parents).collect();
    Some(ProcessSettings { user: file.user, folders })
}
