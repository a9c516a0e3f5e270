//! The OpenAPI document (3.1): operations from the table of pages, schemas from the types that the
//! pages read and write, by their serde attributes. So the document cannot differ from either.

use crate::control::protocol::Refusal;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::routes::{PAGES, Page, Shape};
use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Document as text, as the page gives it and `meridian schema --openapi` prints it.
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// Document of all pages.
fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for page in PAGES {
        let operation = operation(page, &mut schemas);
        let path = paths.entry(page.path.replace("{*", "{")).or_insert_with(|| json!({}));
        path[page.method.word().to_ascii_lowercase()] = operation;
    }
    let refusal = schemas.reply(|generator| generator.subschema_for::<Refusal>());
    let responses: Map<String, Value> = ErrorCode::ALL
        .into_iter()
        .map(|code| (code.status().as_str().to_owned(), response(of_status(code), &refusal)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Meridian",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Control pages of a Meridian node. The control socket has every operation; the \
                            admin address has the `GET` operations that change nothing, and over TLS the \
                            others for holders of a token or a client certificate.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": responses,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "certificate": { "type": "mutualTLS" },
            },
        },
    })
}

/// Schemas of requests, which the server reads, and of replies, which it writes.
struct Schemas {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

impl Schemas {
    fn new() -> Schemas {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Schemas {
            requests: settings().for_deserialize().into_generator(),
            replies: settings().for_serialize().into_generator(),
        }
    }

    fn request(&mut self, shape: Shape) -> Value {
        plain(shape(&mut self.requests))
    }

    fn reply(&mut self, shape: Shape) -> Value {
        plain(shape(&mut self.replies))
    }

    /// Properties of a query.
    fn query(&mut self, shape: Shape) -> Vec<(String, Value)> {
        let reference = self.request(shape);
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let query = self.requests.definitions_mut().remove(name).unwrap_or_default();
        let properties = query["properties"].as_object().cloned().unwrap_or_default();
        properties.into_iter().collect()
    }

    /// Every definition. No type is both read and written, so the names differ.
    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        all.extend(self.replies.take_definitions(true));
        all
    }
}

fn plain(schema: Schema) -> Value {
    schema.to_value()
}

fn operation(page: &Page, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": operation_id(page),
        "summary": page.about,
        "responses": responses(page, schemas),
    });
    let mut parameters: Vec<Value> = path_parameters(page.path)
        .map(|name| {
            let schema = json!({ "type": "string" });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    for (name, mut schema) in page.query.map(|shape| schemas.query(shape)).unwrap_or_default() {
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        parameters.push(json!({ "name": name, "in": "query", "description": about, "schema": schema }));
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(shape) = page.body {
        let schema = schemas.request(shape);
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    if page.needs_proof {
        let proofs = [json!({ "token": [] }), json!({ "certificate": [] })];
        // An address without proofs has the public part of a page for everyone.
        let nothing = page.is_read_only.then(|| json!({}));
        operation["security"] = proofs.into_iter().chain(nothing).collect();
    }
    operation
}

/// Name of an operation, such as `get_pops_name`.
fn operation_id(page: &Page) -> String {
    let path = page.path.trim_start_matches("/v1").trim_start_matches('/').replace(['{', '}', '*'], "");
    let path = if path.is_empty() { "page" } else { &path };
    format!("{}_{}", page.method.word().to_ascii_lowercase(), path.replace(['/', '.'], "_"))
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| Some(part.strip_prefix('{')?.trim_matches(['*', '}'])))
}

/// Replies by status: those of the page, and the refusals that any request of its kind may get.
fn responses(page: &Page, schemas: &mut Schemas) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for own in page.replies {
        let schema = schemas.reply(own.shape);
        let response = all.entry(own.status.to_string()).or_insert_with(|| {
            let reason = StatusCode::from_u16(own.status).ok().and_then(|status| status.canonical_reason());
            json!({ "description": reason, "content": {} })
        });
        response["content"][own.media.kind()] = json!({ "schema": schema });
    }
    let refusal = schemas.reply(|generator| generator.subschema_for::<Refusal>());
    for code in refusals(page) {
        let status = code.status().as_str().to_owned();
        match all.get_mut(&status) {
            None => {
                let path = format!("#/components/responses/{status}");
                all.insert(status, json!({ "$ref": path }));
            }
            Some(own) => {
                let content = &mut own["content"]["application/json"];
                let shapes: Vec<Value> = match content["schema"].take() {
                    Value::Null => vec![refusal.clone()],
                    shape => vec![shape, refusal.clone()],
                };
                content["schema"] = json!({ "anyOf": shapes });
            }
        }
    }
    Value::Object(all)
}

/// Refusals that a page may give.
fn refusals(page: &Page) -> impl Iterator<Item = ErrorCode> {
    let is_write = !page.is_read_only;
    ErrorCode::ALL.into_iter().filter(move |code| match code {
        ErrorCode::NotFound => page.path.contains('{'),
        ErrorCode::Unauthorized | ErrorCode::Forbidden => page.needs_proof,
        ErrorCode::Conflict => is_write,
        ErrorCode::Unsafe | ErrorCode::BadFiles => false,
        ErrorCode::MethodNotAllowed => false,
        // Any request may have a body, which may end early.
        ErrorCode::BadRequest
        | ErrorCode::RequestTimeout
        | ErrorCode::TooLarge
        | ErrorCode::Misdirected
        | ErrorCode::TooManyConnections
        | ErrorCode::Fault
        | ErrorCode::Busy
        | ErrorCode::AnswerTimeout => true,
    })
}

fn of_status(code: ErrorCode) -> String {
    let with_status = ErrorCode::ALL.into_iter().filter(|other| other.status() == code.status());
    let words: Vec<String> = with_status.map(|code| format!("`{}`", code.word())).collect();
    format!("Refused: {}.", words.join(", "))
}

fn response(about: String, schema: &Value) -> Value {
    json!({ "description": about, "content": { "application/json": { "schema": schema } } })
}

#[cfg(test)]
mod tests;
