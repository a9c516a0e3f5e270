//! The schema is JSON with sound references, and the samples load.

use super::*;
use crate::config::{self, Sources};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every reference of a schema leads to a definition of it.
#[test]
fn schemas_are_whole() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    for text in FILES.iter().map(json::of).chain([json::all()]) {
        let schema: Value = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(schema.pointer(&reference[1..]).is_some(), "{reference}");
        }
    }
    let words =
        FileWord::value_variants().iter().map(|word| word.to_possible_value().unwrap().get_name().to_owned());
    assert!(words.eq(FILES.iter().map(|file| file.word)));
}

struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.get(path).map(|octets| octets.as_slice().into()).ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

/// The samples together are a deployment.
#[test]
fn samples_load() {
    let mut memory =
        Memory(FILES.iter().map(|file| (PathBuf::from(file.path), sample::of(file).into_bytes())).collect());
    memory.0.insert("geoip/places.mmdb".into(), vec![0]);
    let (certificate, key) = &*crate::tls::tests::PAIR;
    memory.0.insert("tls/fullchain.pem".into(), certificate.clone().into());
    memory.0.insert("tls/privkey.pem".into(), key.clone().into());
    memory.0.insert("tls/admin.tokens".into(), b"ops 0123456789abcdef0123456789abcdef\n".to_vec());
    let loaded = config::read_deployment(Path::new("meridian.yaml"), &memory);
    assert!(
        loaded.deployment.is_some(),
        "{}",
        crate::finding::render::text(&loaded.findings, &loaded.files, false)
    );
}
