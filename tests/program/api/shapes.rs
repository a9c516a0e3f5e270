//! The OpenAPI document as a judge of replies, and as a maker of requests.

use boon::{Compiler, Schemas};
use meridian::testing::control::openapi;
use serde_json::{Map, Value, json};
use support::pages::Page;

/// Texts that no page expects.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "..",
    "../../etc/passwd",
    "a/b",
    "tag:",
    "*",
    "-1",
    "1e400",
    "null",
    "\u{0}",
    "\u{7f}\r\nX: y",
    "\u{202e}",
    "\u{1f4a5}",
    "192.0.2.1/33",
    "9999999999999999999999",
    "9999-12-31T23:59:60Z",
    "%",
    "%ff",
];

/// The document.
pub(super) fn document() -> Value {
    serde_json::from_str(&openapi::text()).expect("JSON")
}

/// An operation of the document.
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    about: Value,
}

/// Every operation of a document.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let methods = item.as_object().expect("operations").clone();
        methods.into_iter().map(move |(method, about)| Operation {
            method: method.to_ascii_uppercase(),
            path: path.clone(),
            about,
        })
    };
    paths.iter().flat_map(of_path).collect()
}

/// A request: the path with its query, and the body.
pub(super) type Request = (String, String);

impl Operation {
    /// Requests that the document permits and others, with known names and hostile texts.
    pub(super) fn requests(&self, document: &Value, known: &[&str]) -> Vec<Request> {
        let parameters = self.about["parameters"].as_array().cloned().unwrap_or_default();
        let texts: Vec<String> = known.iter().chain(HOSTILE).map(ToString::to_string).collect();
        let texts: Vec<String> = texts.into_iter().chain(["x".repeat(5_000)]).collect();
        let mut paths = vec![self.path.clone()];
        for parameter in &parameters {
            let name = parameter["name"].as_str().expect("a name");
            paths = match parameter["in"].as_str() {
                Some("path") => {
                    let filled = |text: &String| paths[0].replace(&format!("{{{name}}}"), &escaped(text));
                    texts.iter().map(filled).collect()
                }
                _ => {
                    let base = paths[0].clone();
                    let more = texts
                        .iter()
                        .chain([&"true".to_owned(), &"json".to_owned(), &"2".to_owned()])
                        .map(|text| format!("{base}?{name}={}", escaped(text)))
                        .collect::<Vec<_>>();
                    [paths, more].concat()
                }
            };
        }
        let bodies = self.bodies(document);
        let first = paths[0].clone();
        let by_path = paths.into_iter().map(|path| (path, bodies[0].clone()));
        let by_body = bodies.iter().skip(1).map(|body| (first.clone(), body.clone()));
        by_path.chain(by_body).collect()
    }

    /// Bodies: a sound one first.
    fn bodies(&self, document: &Value) -> Vec<String> {
        let schema = &self.about["requestBody"]["content"]["application/json"]["schema"];
        let Some(reference) = schema["$ref"].as_str() else { return vec![String::new()] };
        let schema = document.pointer(&reference[1..]).expect("a definition");
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let sound: Map<String, Value> =
            required.iter().map(|key| (key.to_string(), sound(key, &properties[*key]))).collect();
        let mut bodies = vec![Value::Object(sound.clone()).to_string()];
        for (key, of_key) in &properties {
            let strange = [json!(null), json!(true), json!(-1), json!(1.5), json!(1e300), json!(u64::MAX)];
            let nested = [json!([]), json!({}), json!([[1]]), json!({ "a": { "b": [] } })];
            let texts = HOSTILE.iter().map(|text| json!(text)).chain([json!("x".repeat(5_000))]);
            for value in strange.into_iter().chain(nested).chain(texts).chain([self::sound(key, of_key)]) {
                let mut body = sound.clone();
                body.insert(key.clone(), value);
                bodies.push(Value::Object(body).to_string());
            }
            let mut without = sound.clone();
            without.remove(key);
            bodies.push(Value::Object(without).to_string());
        }
        let mut unknown = sound;
        unknown.insert("unknown".to_owned(), json!(1));
        bodies.push(Value::Object(unknown).to_string());
        let broken = ["", "{", "[]", "null", "\"\"", "{\"a\":1,\"a\":2}", "\u{0}", "[[[[[[[[[[[[[[[["];
        bodies.extend(broken.map(str::to_owned));
        bodies.push("x".repeat(70_000));
        bodies
    }

    /// Fault of a reply by the document: the status, the kind or the shape of the body.
    pub(super) fn fault(&self, document: &Value, page: &Page) -> Option<String> {
        let responses = &self.about["responses"];
        let response = &responses[page.status.to_string()];
        let response = match response["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).expect("a definition"),
            None => response,
        };
        let Some(content) = response["content"].as_object() else {
            return Some(format!("the status {} is not documented", page.status));
        };
        let head = page.head.to_ascii_lowercase();
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
        let Some(of_kind) = content.get(kind) else {
            return Some(format!("{} has no `{kind}`", page.status));
        };
        if kind != "application/json" {
            return None;
        }
        let body: Value = match serde_json::from_str(&page.body) {
            Ok(body) => body,
            Err(error) => return Some(error.to_string()),
        };
        if page.status >= 400 && ["code", "message", "help"].iter().any(|key| !is_text(&body[*key])) {
            let is_readiness = self.path == "/v1/readyz" && page.status == 503;
            if !is_readiness {
                return Some("a refusal without code, message or help".to_owned());
            }
        }
        invalid(document, &of_kind["schema"], &body)
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// Fault of a value by a schema of the document, in which no object may have a further field.
fn invalid(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if *schema == json!(true) {
        return None;
    }
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    close(&mut schema);
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("reply.json", schema).expect("a resource");
    let index = compiler.compile("reply.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
    schemas.validate(value, index).err().map(|error| format!("{error:#}"))
}

/// Forbids further fields, so that a field without a schema is found.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("properties").is_some_and(Value::is_object)
                && !map.contains_key("additionalProperties")
            {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// A value that a page takes.
fn sound(key: &str, schema: &Value) -> Value {
    match key {
        "pops" | "down" | "up" | "drain" if schema["type"] == "array" => json!(["fra"]),
        "pop" => json!("fra"),
        "name" => json!("www.shop.example"),
        "client" | "address" => json!("192.0.2.7"),
        "ecs" => json!("192.0.2.0/24"),
        "type" => json!("AAAA"),
        "state" => json!("drain"),
        "start" => json!("2999-01-01T00:00:00Z"),
        "weight" => json!("auto"),
        _ => match schema["type"].as_str() {
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(1),
            _ => json!("text"),
        },
    }
}

/// A text as part of a path or a query (RFC 3986 section 2.1). `%` stays, so that a broken escape
/// arrives.
fn escaped(text: &str) -> String {
    let one = |octet: u8| match octet {
        b'%' | b'/' | b':' | b'*' | b'-' | b'.' | b'_' => char::from(octet).to_string(),
        _ if octet.is_ascii_alphanumeric() => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(one).collect()
}
