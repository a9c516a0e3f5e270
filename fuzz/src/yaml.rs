//! Any text in place of one configuration file: findings that point into the files, or a deployment
//! that compiles.

use super::sample::{FILES, Replaced, SMALL};
use meridian::testing::finding::render;
use meridian::testing::snapshot::compile;
use std::path::Path;

/// The first octet chooses the file, of the sample from 128 on, else of the small deployment; the
/// rest is its content.
pub fn yaml(data: &[u8]) {
    let Some((&file, content)) = data.split_first() else { return };
    let (files, count) = if file < 128 { (&SMALL[..], SMALL.len()) } else { (&FILES[..], FILES.len() - 1) };
    let (path, _) = files[usize::from(file & 127) % count];
    let loaded = meridian::testing::config::read_deployment(
        Path::new("meridian.yaml"),
        &Replaced { files, path, content },
    );
    assert_eq!(loaded.deployment.is_some(), !loaded.findings.has_errors());
    for finding in loaded.findings.iter() {
        for at in finding.at.into_iter().chain(finding.related.iter().map(|(at, _)| *at)) {
            let (text, marked) = (loaded.files.text(at.file), at.start as usize..at.end as usize);
            // Whole characters, where there are any: zone text may be other than UTF-8.
            let is_inside = std::str::from_utf8(text)
                .map_or(text.get(marked.clone()).is_some(), |text| text.get(marked).is_some());
            assert!(is_inside, "{finding:?} points outside of its file");
        }
    }
    render::text(&loaded.findings, &loaded.files, false);
    render::reports(&loaded.findings, &loaded.files);
    if let Some(deployment) = loaded.deployment {
        let (snapshot, findings) = compile(&deployment, None, 1);
        assert_eq!(snapshot.is_some(), !findings.has_errors());
    }
}
