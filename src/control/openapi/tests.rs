//! The OpenAPI document is sound: every reference leads to a definition, and names are unique.

use super::*;
use std::collections::BTreeSet;

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

/// Every reference leads to a definition of the document, and every definition is used.
#[test]
fn references_lead_to_definitions() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name} is not used");
    }
}

/// Types of requests and of replies have different names, because each has one definition.
#[test]
fn no_type_is_read_and_written() {
    let mut schemas = Schemas::new();
    PAGES.iter().for_each(|page| drop(operation(page, &mut schemas)));
    let names = |generator: &mut SchemaGenerator| -> BTreeSet<String> {
        generator.take_definitions(true).keys().cloned().collect()
    };
    let (requests, replies) = (names(&mut schemas.requests), names(&mut schemas.replies));
    assert!(requests.len() > 4 && replies.len() > 20, "{requests:?} {replies:?}");
    assert_eq!(requests.intersection(&replies).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Every page is an operation with an identifier of its own, and each of its replies has a shape.
#[test]
fn every_page_is_an_operation() {
    let document = document();
    let mut ids = BTreeSet::new();
    for page in PAGES {
        let path = page.path.replace("{*", "{");
        let operation = &document["paths"][path][page.method.word().to_ascii_lowercase()];
        assert!(ids.insert(operation["operationId"].as_str().expect("an identifier").to_owned()));
        for own in page.replies {
            let schema = &operation["responses"][own.status.to_string()]["content"][own.media.kind()];
            assert!(schema.is_object(), "{}: {}", page.request(), own.status);
        }
    }
}
