//! The catalogue as JSON Schema, draft 2020-12.
//!
//! The program reads scalars by their text, so that `8443` and `"8443"` are one value; the schema
//! is what an editor should ask for: numbers where numbers are meant, any scalar where text is.

use crate::config::catalogue::{Absent, FILES, FileKind, KeySection, Others, RECORD_TYPES, Shape};
use crate::wire::rr::RrType;
use crate::zone::rdata;
use serde_json::{Map, Value, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one file.
pub fn of(file: &FileKind) -> String {
    let mut sections = Sections::default();
    let root = sections.reference(file.root);
    shown(json!({
        "$schema": DRAFT,
        "title": format!("Meridian: {}", file.path),
        "$ref": root["$ref"],
        "$defs": sections.finish(),
    }))
}

/// One schema for every file: a document is one of them.
pub fn all() -> String {
    let mut sections = Sections::default();
    let any: Vec<Value> = FILES.iter().map(|file| sections.reference(file.root)).collect();
    shown(json!({ "$schema": DRAFT, "title": "Meridian", "anyOf": any, "$defs": sections.finish() }))
}

fn shown(schema: Value) -> String {
    format!("{schema:#}\n")
}

/// Sections met so far; each becomes a definition once, which also ends the recursion of `not`.
#[derive(Default)]
struct Sections {
    ids: Vec<&'static str>,
    definitions: Map<String, Value>,
}

impl Sections {
    fn finish(self) -> Value {
        Value::Object(self.definitions)
    }

    fn reference(&mut self, section: &'static KeySection) -> Value {
        if !self.ids.contains(&section.id) {
            self.ids.push(section.id);
            let made = self.section(section);
            self.definitions.insert(section.id.to_owned(), made);
        }
        json!({ "$ref": format!("#/$defs/{}", section.id) })
    }

    fn section(&mut self, section: &'static KeySection) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for entry in section.entries {
            let mut schema = self.shape(entry.shape);
            // Beside `$ref`, other keys are allowed since draft 2019-09.
            schema["description"] = json!(plain(entry.about));
            match entry.absent {
                Absent::Required => required.push(entry.key),
                Absent::Default(default) => schema["default"] = literal(entry.shape, default),
                Absent::Words(_) => {}
            }
            properties.insert(entry.key.to_owned(), schema);
        }
        let mut schema =
            json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false });
        if !section.about.is_empty() {
            schema["description"] = json!(plain(section.about.trim_end_matches(':')));
        }
        if !required.is_empty() {
            // An empty file is null, and lacks what is required.
            schema["type"] = json!("object");
            schema["required"] = json!(required);
        }
        match &section.others {
            Others::None => {}
            Others::Named(shape) => schema["additionalProperties"] = self.shape(shape),
            Others::Records => {
                records(&mut schema);
            }
        }
        schema
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Text(what) => json!({ "type": ["string", "number", "boolean"], "title": plain(what) }),
            Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Shape::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
            Shape::Percent => json!({ "type": "string", "pattern": "^[0-9]+ ?%$" }),
            Shape::Portion => {
                json!({ "anyOf": [
                    { "type": "string", "pattern": "^[0-9.]+ ?%$" },
                    { "type": "number", "maximum": 1 },
                ] })
            }
            Shape::Time => {
                json!({ "anyOf": [
                    { "type": "integer", "minimum": 0 },
                    { "type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h|d)?$" },
                ] })
            }
            // YAML 1.1 readers make booleans of these words, YAML 1.2 readers keep the text.
            Shape::Switch => json!({ "enum": [true, false, "on", "off", "yes", "no", "true", "false"] }),
            // An editor whose YAML is of version 1.1 takes the bare word for false.
            Shape::Choice(["off"]) => json!({ "enum": ["off", false] }),
            Shape::Choice(words) => json!({ "enum": words }),
            Shape::Either(shapes) => {
                json!({ "anyOf": shapes.iter().map(|shape| self.shape(shape)).collect::<Vec<_>>() })
            }
            Shape::List(member) => {
                let member = self.shape(member);
                json!({ "anyOf": [{ "type": "array", "items": member }, member] })
            }
            Shape::Map(section) => self.reference(section),
            Shape::Names(what, value) => {
                json!({
                    "type": "object",
                    "title": format!("{what} names"),
                    "additionalProperties": self.shape(value),
                })
            }
        }
    }
}

/// Record types as keys, each with the shape of its data. Letter case makes no difference, and
/// types without a mnemonic have a number (RFC 3597).
fn records(schema: &mut Value) {
    let data = |pattern: Option<String>| {
        let mut text = json!({ "type": ["string", "number", "boolean"], "title": "record data" });
        if let Some(pattern) = pattern {
            text["pattern"] = json!(pattern);
        }
        json!({ "anyOf": [{ "type": "array", "items": text }, text] })
    };
    for record in RECORD_TYPES {
        let mut of_type = data(RrType::from_text(record.name).and_then(rdata::pattern));
        of_type["description"] = json!(record.about);
        of_type["examples"] = json!(record.examples);
        schema["properties"][record.name] = of_type;
    }
    let is_data = |name: &&str| RrType::from_text(name).is_some_and(|rtype| !rtype.is_meta());
    let names: Vec<String> = RrType::mnemonics().filter(is_data).map(any_case).collect();
    schema["patternProperties"] = json!({
        (format!("^({})$", names.join("|"))): data(None),
        "^[Tt][Yy][Pp][Ee][0-9]+$": data(None),
    });
}

/// A pattern of a word in any letter case.
fn any_case(word: &str) -> String {
    word.chars()
        .map(
            |c| {
                if c.is_ascii_alphabetic() {
                    format!("[{c}{}]", c.to_ascii_lowercase())
                } else {
                    c.to_string()
                }
            },
        )
        .collect()
}

/// A default as JSON: numbers as numbers where the shape is one.
fn literal(shape: &Shape, text: &str) -> Value {
    let number = matches!(shape, Shape::Integer(..) | Shape::Number(..) | Shape::Time | Shape::Either(_));
    number.then(|| text.parse::<i64>().ok()).flatten().map_or_else(|| json!(text), |number| json!(number))
}

/// Markdown without links and emphasis.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("](") {
        out.push_str(&before.replace(['[', '`'], "").replace("**", ""));
        rest = link.split_once(')').map_or("", |(_, behind)| behind);
    }
    out + &rest.replace('`', "").replace("**", "")
}
