//! The page at `/`: the state of the node for people, in a browser. Its files are part of the
//! program; it reads the same pages as every other client, and asks no other host.

use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::picture::outlines;
use axum::extract::Path;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

/// `Content-Type` of the page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// `Content-Type` of style sheets.
pub(crate) const CSS: &str = "text/css; charset=utf-8";
/// `Content-Type` of scripts.
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";

/// `Content-Type` of the outlines of countries.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// Content Security Policy Level 3: the browser asks this server alone, runs its scripts alone, and
/// shows the page in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// Files below `/page/`.
const ASSETS: &[Asset] = &[
    Asset { name: "page.css", kind: CSS, text: include_str!("page/page.css") },
    Asset { name: "page.js", kind: SCRIPT, text: include_str!("page/page.js") },
    Asset { name: "ask.js", kind: SCRIPT, text: include_str!("page/ask.js") },
    Asset { name: "dom.js", kind: SCRIPT, text: include_str!("page/dom.js") },
    Asset { name: "explain.js", kind: SCRIPT, text: include_str!("page/explain.js") },
    Asset { name: "map.js", kind: SCRIPT, text: include_str!("page/map.js") },
    Asset { name: "node.js", kind: SCRIPT, text: include_str!("page/node.js") },
    Asset { name: "panels.js", kind: SCRIPT, text: include_str!("page/panels.js") },
    Asset { name: "rates.js", kind: SCRIPT, text: include_str!("page/rates.js") },
    Asset { name: "state.js", kind: SCRIPT, text: include_str!("page/state.js") },
    Asset { name: "stream.js", kind: SCRIPT, text: include_str!("page/stream.js") },
    Asset { name: "tables.js", kind: SCRIPT, text: include_str!("page/tables.js") },
    Asset { name: "theme.js", kind: SCRIPT, text: include_str!("page/theme.js") },
    Asset { name: "trouble.js", kind: SCRIPT, text: include_str!("page/trouble.js") },
    Asset { name: "whatif.js", kind: SCRIPT, text: include_str!("page/whatif.js") },
    Asset { name: "outlines.txt", kind: TEXT, text: outlines::TEXT },
];

/// `GET /`.
pub(crate) async fn page() -> Response {
    file(HTML, include_str!("page/page.html"))
}

/// `GET /page/{file}`: 404 if the page has no such file.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => file(asset.kind, asset.text),
        None => refused(ErrorCode::NotFound, &format!("the page has no file `{}`", name.escape_debug())),
    }
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let head: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Another version of the program may have other files.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (head, text).into_response()
}

#[cfg(test)]
mod tests;
