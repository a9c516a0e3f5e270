//! Size guard: refuses databases that lost most of their networks, usually by a failed download.
//!
//! A database is compared with the one in service that has the same path. It is refused if it has
//! fewer than half of the networks, unless the server file sets `geoip: { accept_shrunk: true }`.

use crate::finding::{At, FileId, Finding, Findings, code};
use std::sync::Arc;

/// Percentage of its networks below which a database is refused.
const LEAST_PERCENT: usize = 50;
/// Databases with fewer networks than this are hand-written, and may shrink.
const FEW: usize = 16;

/// Number of networks of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceSize {
    /// Path, as in the server file.
    pub(crate) name: Arc<str>,
    /// Networks of both families.
    pub(crate) networks: usize,
    /// File of the database in its reload.
    pub(crate) file: FileId,
}

/// Adds an error for each database that shrank too much.
pub(crate) fn check(in_service: &[SourceSize], fresh: &[SourceSize]) -> Findings {
    let mut findings = Findings::default();
    for size in fresh {
        let Some(old) = in_service.iter().find(|old| old.name == size.name) else { continue };
        if old.networks >= FEW && size.networks * 100 < old.networks * LEAST_PERCENT {
            let message = format!(
                "`{}` has {} networks, and the one in service {}",
                size.name, size.networks, old.networks
            );
            findings.push(Finding::error(code::DATABASE_SHRUNK, message).at(At::whole(size.file), "").help(
                "fetch it again; if it is meant, say `geoip: { accept_shrunk: true }` in the \
                        server file and reload",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests;
