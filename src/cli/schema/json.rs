//! The catalogue as JSON Schema, draft 2020-12.
//!
//! Scalars follow the core schema of YAML 1.2.2 (section 10.3.2), in the program as in editors:
//! `8443` is a number, `"8443"` a text. A test generates files and compares the verdicts of schema
//! and program (`src/config/tests/agreement`).

use super::digits;
use crate::config::catalogue::{
    Absent, FILES, FileKind, KeySection, Others, RECORD_TYPES, Shape, TOGETHER, Together,
};
use crate::wire::rr::RrType;
use crate::zone::rdata;
use serde_json::{Map, Value, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Schema of one file.
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
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if !section.about.is_empty() {
            schema["description"] = json!(plain(section.about.trim_end_matches(':')));
        }
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let relations: Vec<Value> = TOGETHER
            .iter()
            .filter(|(id, _)| *id == section.id)
            .flat_map(|(_, relations)| relations.iter().map(relation))
            .collect();
        if !relations.is_empty() {
            schema["allOf"] = json!(relations);
        }
        match &section.others {
            Others::None => {}
            Others::Named(shape) => {
                schema["additionalProperties"] = self.shape(shape);
                schema["propertyNames"] = json!({ "pattern": WORD });
            }
            Others::Records => {
                self.records(&mut schema);
            }
        }
        schema
    }

    /// Record types as keys, each with the shape of its data. Letter case makes no difference, and
    /// types without a mnemonic have a number (RFC 3597).
    fn records(&mut self, schema: &mut Value) {
        let data = self.shape(&Shape::List(&Shape::Text("record data")));
        let of_type = |name: &str| {
            let mut of_type = data.clone();
            if let Some(pattern) = RrType::from_text(name).and_then(rdata::pattern) {
                // Beside the shape, because `pattern` applies to strings alone.
                of_type["items"] = json!({ "pattern": pattern });
                of_type["pattern"] = json!(pattern);
            }
            of_type
        };
        for record in RECORD_TYPES {
            let mut described = of_type(record.name);
            described["description"] = json!(record.about);
            described["examples"] = json!(record.examples);
            schema["properties"][record.name] = described;
        }
        let is_data = |name: &&str| RrType::from_text(name).is_some_and(|rtype| !rtype.is_meta());
        let mut patterns = Map::new();
        for name in RrType::mnemonics().filter(is_data) {
            patterns.insert(format!("^{}$", any_case(name)), of_type(name));
        }
        patterns.insert(format!("^{}[0-9]{{1,5}}$", any_case("TYPE")), data);
        schema["patternProperties"] = Value::Object(patterns);
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Text(what) => {
                json!({ "type": ["string", "number", "boolean"], "minLength": 1, "title": plain(what) })
            }
            Shape::AnyText(what) => json!({ "type": ["string", "number", "boolean"], "title": plain(what) }),
            Shape::Pattern(what, pattern) => {
                json!({ "type": "string", "pattern": format!("^({pattern})$"), "title": plain(what) })
            }
            Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Shape::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
            Shape::Positive(most) => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": most }),
            Shape::Percent(least, most) => {
                let digits = digits::within(u64::from(*least), u64::from(*most));
                json!({ "type": "string", "pattern": format!("^{digits} ?%$") })
            }
            Shape::Portion => {
                json!({ "anyOf": [
                    { "type": "string", "pattern": r"^0*(100(\.0+)?|[1-9][0-9]?(\.[0-9]+)?) ?%$" },
                    { "type": "number", "minimum": 0.01, "maximum": 1 },
                ] })
            }
            Shape::Time(least, most) => time(*least, *most, false),
            Shape::Seconds(least, most) => time(u64::from(*least) * 1_000, u64::from(*most) * 1_000, true),
            // YAML 1.1 readers make booleans of these words, YAML 1.2 readers keep the text.
            Shape::Switch => json!({ "enum": [true, false, "on", "off", "yes", "no", "true", "false"] }),
            // A reader of YAML 1.1 takes the bare word for false.
            Shape::Choice(["on"]) => json!({ "enum": ["on", true] }),
            Shape::Choice(["off"]) => json!({ "enum": ["off", false] }),
            Shape::Choice(words) => json!({ "enum": words }),
            Shape::Either(shapes) => {
                json!({ "anyOf": shapes.iter().map(|shape| self.shape(shape)).collect::<Vec<_>>() })
            }
            Shape::List(member) => {
                let member = self.shape(member);
                json!({ "anyOf": [{ "type": "array", "items": member, "minItems": 1 }, member] })
            }
            Shape::AnyList(member) => {
                let member = self.shape(member);
                json!({ "anyOf": [{ "type": "array", "items": member }, member] })
            }
            Shape::Map(section) => self.reference(section),
            Shape::Names(what, value) => {
                let names = match *what {
                    "PoP" => "^[a-z0-9][a-z0-9-]{0,62}$",
                    "probe" | "service" | "policy" => WORD,
                    // A token (RFC 9110 section 5.6.2).
                    "header" => r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$",
                    "label" => "^[A-Za-z_][A-Za-z0-9_]{0,255}$",
                    _ => "",
                };
                json!({
                    "type": "object",
                    "title": format!("{what} names"),
                    "propertyNames": { "pattern": names },
                    "additionalProperties": self.shape(value),
                })
            }
        }
    }
}

/// A word in upper or lower case, as record types are read.
fn any_case(word: &str) -> String {
    let one = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        false => c.to_string(),
    };
    word.chars().map(one).collect()
}

/// Names of policies, services, probes and networks.
const WORD: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$";

fn time(least_ms: u64, most_ms: u64, whole_seconds: bool) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": least_ms.div_ceil(1_000), "maximum": most_ms / 1_000 },
        { "type": "string", "pattern": digits::time(least_ms, most_ms, whole_seconds) },
    ] })
}

/// Relation between keys of one map.
fn relation(relation: &Together) -> Value {
    let each =
        |keys: &[&str]| -> Vec<Value> { keys.iter().map(|key| json!({ "required": [key] })).collect() };
    match relation {
        Together::ExactlyOne(keys) => json!({ "oneOf": each(keys) }),
        Together::Some(keys) => json!({ "anyOf": each(keys) }),
        Together::AtMostOne(keys) => {
            json!({ "anyOf": [{ "oneOf": each(keys) }, { "not": { "anyOf": each(keys) } }] })
        }
        Together::Excludes(key, others) => {
            json!({ "dependentSchemas": { *key: { "not": { "anyOf": each(others) } } } })
        }
        Together::Needs(key, other) => json!({ "dependentRequired": { *key: [other] } }),
    }
}

/// Default as JSON: a number if the shape is one.
fn literal(shape: &Shape, text: &str) -> Value {
    let number = matches!(
        shape,
        Shape::Integer(..) | Shape::Number(..) | Shape::Time(..) | Shape::Seconds(..) | Shape::Either(_)
    );
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
