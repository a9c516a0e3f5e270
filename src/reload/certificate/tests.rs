//! Tests of the validity of the certificate.

use super::*;
use crate::admin::{AdminAccess, Tokens};
use crate::finding::{FileId, Severity};
use crate::reload::prepare;
use crate::tls::tests::{PAIR, valid_between};

const DAY: u64 = 86_400;
const NOW: u64 = 1_800_000_000;

/// A folder with a deployment that has DNS over TLS.
fn deployment() -> (tempfile::TempDir, Deployment) {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("ours");
        std::fs::write(path, text).expect("ours");
    };
    put(
        "meridian.yaml",
        "node: { name: n1 }\nlisten: { dns: [\"127.0.0.1:5300\"], dot: [\"127.0.0.1:8853\"] }\nzones: \
         zones/\ntls: { certificate: c.pem, key: k.pem }\n",
    );
    put("zones/z.example.zone", "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 203.0.113.9\n");
    put("c.pem", &PAIR.0);
    put("k.pem", &PAIR.1);
    let (read, findings, _) = prepare::read(&folder.path().join("meridian.yaml"), true);
    (folder, read.unwrap_or_else(|| panic!("{findings:?}")))
}

/// A certificate that is not valid now replaces no valid one, and else is a warning, as is one that
/// ends soon.
#[test]
fn validity_is_judged() {
    let (_folder, read) = deployment();
    let at = At::whole(FileId(0));
    let of = |(from, until): (u64, u64)| {
        let pair = Arc::new(valid_between(from as i64, until as i64));
        Deployment { certificate: Some(ServerCertificate { pair, at }), ..read.clone() }
    };
    let sound = (NOW - 90 * DAY, NOW + 60 * DAY);
    let (soon, last) = ((NOW - 90 * DAY, NOW + 14 * DAY - 1), (NOW - 90 * DAY, NOW + 14 * DAY + 1));
    let (expired, early) = ((NOW - 90 * DAY, NOW), (NOW + 1, NOW + 90 * DAY));
    let (warning, error) = (Some(Severity::Warning), Some(Severity::Error));
    let rows = [
        ("a sound one", sound, None, None),
        ("the last day without a warning", last, Some(sound), None),
        ("one that ends soon", soon, Some(sound), warning),
        ("an expired one at a start", expired, None, warning),
        ("an expired one, again", expired, Some(expired), warning),
        ("an expired one for a valid one", expired, Some(sound), error),
        ("one of the future at a start", early, None, warning),
        ("one of the future for a valid one", early, Some(soon), error),
    ];
    for (what, new, old, severity) in rows {
        let old = old.map(|old| {
            let (snapshot, findings) = crate::snapshot::compile::compile(&of(old), None, 1);
            Arc::new(snapshot.unwrap_or_else(|| panic!("{findings:?}")))
        });
        let found = judge(&of(new), old.as_ref(), NOW).pop();
        assert_eq!(found.as_ref().map(|finding| finding.severity), severity, "{what}");
        assert!(found.is_none_or(|finding| finding.code == code::CERTIFICATE_ENDS), "{what}");
    }
    let without = Deployment { certificate: None, ..read.clone() };
    assert!(judge(&without, None, NOW).is_empty());
    // The certificate of the admin address is judged in the same way.
    let admin = |(from, until): (u64, u64)| {
        let pair = Arc::new(valid_between(from as i64, until as i64));
        let access = AdminAccess::new(pair, at, Tokens::default(), None).expect("settings");
        Deployment { admin: Some(Arc::new(access)), ..without.clone() }
    };
    let (snapshot, findings) = crate::snapshot::compile::compile(&admin(sound), None, 1);
    let old = Arc::new(snapshot.unwrap_or_else(|| panic!("{findings:?}")));
    for (what, new, severity) in
        [("sound", sound, None), ("soon", soon, warning), ("expired", expired, error)]
    {
        let found = judge(&admin(new), Some(&old), NOW);
        assert_eq!(found.first().map(|finding| finding.severity), severity, "{what}");
        assert!(found.iter().all(|finding| finding.message.contains("`admin`")), "{found:?}");
    }
}
