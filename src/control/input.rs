//! Query and body of a request, read by the schema of their type. A refusal names the key, its
//! value and the values that are allowed; no words of a parser reach the client.
//!
//! The schema is that of the OpenAPI document, so the document and the refusals agree.

use crate::control::protocol::Refusal;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::{quoted, refused_with};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::fmt;
use std::net::IpAddr;

/// Query of a request.
pub(crate) struct InQuery<T>(pub(super) T);

/// Body of a request, a JSON object.
pub(crate) struct InBody<T>(pub(super) T);

impl<S: Send + Sync, T: JsonSchema + DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<InQuery<T>, Response> {
        query(parts.uri.query().unwrap_or_default()).map(InQuery).map_err(Fault::refuse)
    }
}

impl<S: Send + Sync, T: JsonSchema + DeserializeOwned> FromRequest<S> for InBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<InBody<T>, Response> {
        let kind = request.headers().get(CONTENT_TYPE).cloned();
        // The listener has read the body, within its bound.
        let octets = Bytes::from_request(request, state).await.unwrap_or_default();
        body(kind.as_ref(), &octets).map(InBody).map_err(Fault::refuse)
    }
}

/// Fault of a query or a body.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    sentence: String,
    help: String,
}

impl Fault {
    fn refuse(self) -> Response {
        let refusal = Refusal { help: self.help, ..Refusal::new(ErrorCode::BadRequest, self.sentence) };
        refused_with(ErrorCode::BadRequest, refusal)
    }
}

fn query<T: JsonSchema + DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let keys = Keys::of::<T>("query");
    let uri = format!("/?{text}").parse().ok();
    let pairs: Option<Query<Vec<(String, String)>>> = uri.and_then(|uri| Query::try_from_uri(&uri).ok());
    let Some(Query(pairs)) = pairs else {
        return Err(Fault { sentence: "the query is no list of `key=value`".to_owned(), help: keys.help() });
    };
    let by_schema = |(key, text): (String, String)| {
        let value = keys.value(&key, text);
        (key, value)
    };
    keys.read(pairs.into_iter().map(by_schema).collect())
}

fn body<T: JsonSchema + DeserializeOwned>(kind: Option<&HeaderValue>, octets: &[u8]) -> Result<T, Fault> {
    let keys = Keys::of::<T>("body");
    let fault = |sentence: String| Fault { sentence, help: keys.help() };
    if !kind.is_some_and(is_json) {
        let given = kind.map(|kind| quoted(&String::from_utf8_lossy(kind.as_bytes())));
        let given = given.map_or_else(|| "the request has none".to_owned(), |kind| format!("not {kind}"));
        return Err(Fault {
            sentence: format!("the header `Content-Type` must be `application/json`, {given}"),
            help: "send the body as JSON, with `Content-Type: application/json`".to_owned(),
        });
    }
    if octets.trim_ascii().is_empty() {
        return Err(fault("the body is empty".to_owned()));
    }
    match serde_json::from_slice::<Pairs>(octets) {
        Ok(Pairs(pairs)) => keys.read(pairs),
        Err(error) => Err(fault(match error.classify() {
            Category::Data => "the body must be a JSON object".to_owned(),
            Category::Eof => "the body ends within its JSON".to_owned(),
            Category::Syntax | Category::Io => {
                format!("the body is no JSON from line {}, column {} on", error.line(), error.column())
            }
        })),
    }
}

/// True for the media type of JSON, with or without parameters.
fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

/// Keys of a JSON object in their order, with those that come twice.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// Keys of a query or a body, each with its schema.
struct Keys {
    /// `query` or `body`.
    part: &'static str,
    schemas: Map<String, Value>,
    required: Vec<String>,
    /// True if any other key is refused.
    is_closed: bool,
}

impl Keys {
    fn of<T: JsonSchema>(part: &'static str) -> Keys {
        let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let mut schema = generator.into_root_schema_for::<T>().to_value();
        let required = schema["required"].as_array().into_iter().flatten();
        Keys {
            part,
            required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
            is_closed: schema["additionalProperties"] == Value::Bool(false),
            schemas: match schema["properties"].take() {
                Value::Object(schemas) => schemas,
                _ => Map::new(),
            },
        }
    }

    /// Way out of a fault of the keys.
    fn help(&self) -> String {
        let list = |is_meant: &dyn Fn(&String) -> bool| {
            let keys: Vec<String> =
                self.schemas.keys().filter(|key| is_meant(key)).map(|key| format!("`{key}`")).collect();
            keys.join(", ")
        };
        let needed = list(&|key| self.required.contains(key));
        let others = list(&|key| !self.required.contains(key));
        match (needed.is_empty(), others.is_empty()) {
            (true, _) => format!("the {} may have {others}", self.part),
            (false, true) => format!("the {} must have {needed}", self.part),
            (false, false) => format!("the {} must have {needed}, and may have {others}", self.part),
        }
    }

    /// Value of a key in a query, in the type of its schema.
    fn value(&self, key: &str, text: String) -> Value {
        let of = |kind| self.schemas.get(key).is_some_and(|schema| types(schema).any(|of| of == kind));
        let number = || text.parse::<u64>().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()));
        match &*text {
            "true" if of("boolean") => Value::Bool(true),
            "false" if of("boolean") => Value::Bool(false),
            _ if of("integer") => number().map_or(Value::String(text), Value::from),
            _ => Value::String(text),
        }
    }

    /// A value in words: a text as it is in a query and where a text is meant, and else as JSON.
    fn given(&self, schema: &Value, value: &Value) -> String {
        match value {
            Value::String(text) if self.part == "query" || types(schema).any(|kind| kind == "string") => {
                quoted(text)
            }
            other => quoted(&other.to_string()),
        }
    }

    /// Reads the type from its keys and their values.
    fn read<T: DeserializeOwned>(&self, pairs: Vec<(String, Value)>) -> Result<T, Fault> {
        let fault = |sentence: String| Err(Fault { sentence, help: self.help() });
        let mut values = Map::new();
        for (key, value) in pairs {
            match self.schemas.get(&key) {
                None if self.is_closed => {
                    return fault(format!("the {} has no key {}", self.part, quoted(&key)));
                }
                None => continue,
                Some(schema) if !fits(schema, &value) => {
                    let sentence =
                        format!("`{key}` must be {}, not {}", allowed(schema), self.given(schema, &value));
                    return Err(Fault { sentence, help: ErrorCode::BadRequest.help().to_owned() });
                }
                Some(_) if values.contains_key(&key) => {
                    return fault(format!("the {} has the key `{key}` twice", self.part));
                }
                Some(_) => _ = values.insert(key, value),
            }
        }
        if let Some(missing) = self.required.iter().find(|key| !values.contains_key(*key)) {
            return fault(format!("the {} lacks the key `{missing}`", self.part));
        }
        match serde_json::from_value(Value::Object(values)) {
            Ok(read) => Ok(read),
            Err(_) => fault(format!("the {} does not have its shape", self.part)),
        }
    }
}

/// Types that a schema allows; none if it allows each.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema["type"].as_str();
    let many = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

/// Least and greatest whole number that a schema allows.
fn range(schema: &Value) -> (u64, u64) {
    let greatest = match schema["format"].as_str() {
        Some("uint32") => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    (schema["minimum"].as_u64().unwrap_or(0), schema["maximum"].as_u64().unwrap_or(greatest))
}

/// True if a schema allows a value. One without a type is judged by its page.
fn fits(schema: &Value, value: &Value) -> bool {
    let mut kinds = types(schema).peekable();
    kinds.peek().is_none() || kinds.any(|kind| is_of(kind, schema, value))
}

fn is_of(kind: &str, schema: &Value, value: &Value) -> bool {
    match (kind, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => {
            let (least, greatest) = range(schema);
            number.as_u64().is_some_and(|number| (least..=greatest).contains(&number))
        }
        ("string", Value::String(text)) => schema["format"] != "ip" || text.parse::<IpAddr>().is_ok(),
        ("array", Value::Array(items)) => items.iter().all(|item| fits(&schema["items"], item)),
        _ => false,
    }
}

/// Values that a schema allows, in words.
fn allowed(schema: &Value) -> String {
    let kind = types(schema).find(|kind| *kind != "null").unwrap_or_default();
    match (kind, schema["format"].as_str()) {
        ("boolean", _) => "true or false".to_owned(),
        ("integer", _) => match range(schema) {
            (least, u64::MAX) => format!("a whole number from {least} on"),
            (least, greatest) => format!("a whole number from {least} to {greatest}"),
        },
        ("number", _) => "a number".to_owned(),
        ("array", _) => "a list of texts".to_owned(),
        (_, Some("ip")) => "an IP address".to_owned(),
        _ => "a text".to_owned(),
    }
}

#[cfg(test)]
mod tests;
