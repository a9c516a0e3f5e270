//! Pages of the control socket, one row each: method, paths, class, access, shapes. The routers,
//! the class of a request, answers to other methods (405), the OpenAPI document
//! (`openapi.rs`) and the test of `docs/control.md` follow from these rows.

use crate::control::places::Class;
use crate::control::protocol::Refusal;
use crate::control::protocol::comparison::{ComparisonRefused, ComparisonReply};
use crate::control::protocol::events::{EventData, EventsQuery};
use crate::control::protocol::explain::{ExplainParameters, ExplainRequest, Explained};
use crate::control::protocol::forecast::{ForecastQuery, SupposedForecast};
use crate::control::protocol::map::{Map, MapQuery};
use crate::control::protocol::overrides::{
    AcknowledgeRequest, Acknowledged, OverrideList, OverrideReply, OverrideRequest,
};
use crate::control::protocol::policies::{Policies, PoliciesQuery, Policy, PolicyQuery};
use crate::control::protocol::pops::{Pop, Pops};
use crate::control::protocol::pushes::{LoadPushRequest, ProbePushRequest, Taken};
use crate::control::protocol::reload::{Cancelled, ReloadQuery, ReloadReply, ReloadStatus};
use crate::control::protocol::status::{Readiness, ReadyQuery, Status};
use crate::control::protocol::zones::{Zone, ZoneList, ZonesQuery};
use crate::control::{
    Shown, api, comparison, events, explain, forecast, map, metrics, overrides, page, policies, pops, pushes,
    zones,
};
use crate::shared::command::CommandSender;
use axum::Router;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// Function that answers, by the state that it needs.
enum Handler {
    /// It shows the state that threads share.
    Shows(fn(MethodFilter) -> MethodRouter<Shown>),
    /// It sends commands to the writer.
    Commands(fn(MethodFilter) -> MethodRouter<CommandSender>),
}

/// Schema of a type, which the generator also adds to its definitions.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Kind of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON.
    Json,
    /// Text for people.
    Text,
    /// Prometheus text.
    Metrics,
    /// The page for people.
    Html,
    /// Style sheet.
    Css,
    /// Script.
    Script,
    /// Server-sent events; the schema is that of the data of one.
    Events,
}

impl Media {
    /// Value of `Content-Type`.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Text => page::TEXT,
            Media::Metrics => metrics::CONTENT_TYPE,
            Media::Html => page::HTML,
            Media::Css => page::CSS,
            Media::Script => page::SCRIPT,
            Media::Events => events::CONTENT_TYPE,
        }
    }
}

/// Reply that a page gives by itself.
pub(super) struct PageReply {
    /// HTTP status.
    pub(super) status: u16,
    /// Kind of the body.
    pub(super) media: Media,
    /// Schema of the body.
    pub(super) shape: Shape,
}

/// A page.
pub struct Page {
    /// Method.
    pub(super) method: Verb,
    /// Path, with `{name}` for one segment and `{*name}` for the rest.
    pub(super) path: &'static str,
    /// Path before there were versions.
    old_path: Option<&'static str>,
    class: Class,
    /// True if the page changes nothing and costs little, so that the admin address has it for
    /// everyone.
    pub(super) is_read_only: bool,
    /// True if the admin address asks its readers for a proof where it takes proofs. Elsewhere it
    /// has the public part of the page.
    pub(super) needs_proof: bool,
    handler: Handler,
    /// Schema of the query.
    pub(super) query: Option<Shape>,
    /// Schema of the body.
    pub(super) body: Option<Shape>,
    /// Replies that the page gives by itself.
    pub(super) replies: &'static [PageReply],
    /// Purpose, one sentence.
    pub(super) about: &'static str,
}

/// Method of a page.
#[derive(Clone, Copy)]
pub(super) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    /// Name of the method.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Delete => MethodFilter::DELETE,
        }
    }

    /// True for requests of this method; HEAD asks for the head of GET.
    fn is(self, method: &Method) -> bool {
        method == self.word() || matches!(self, Verb::Get) && method == Method::HEAD
    }
}

/// A row: `Shows` or `Commands`, method, path, old path, class, `both` if the admin address has the
/// page for everyone, `part` if in part, else `socket`; handler; query, body, replies, purpose.
macro_rules! pages {
    ($(
        $kind:ident $method:ident $path:literal [$($old:literal)?] $class:ident $where:ident $handler:path
        = ($($query:ty)?) ($($body:ty)?) {$($status:literal $media:ident $reply:ty),+} $about:literal;
    )*) => {
        /// Every page.
        pub static PAGES: &[Page] = &[$(Page {
            method: Verb::$method,
            path: $path,
            old_path: pages!(@first $(Some($old))? None),
            class: Class::$class,
            is_read_only: pages!(@where $where),
            needs_proof: pages!(@proof $where),
            handler: Handler::$kind(|filter| on(filter, $handler)),
            query: pages!(@first $(Some(|generator| generator.subschema_for::<$query>()))? None),
            body: pages!(@first $(Some(|generator| generator.subschema_for::<$body>()))? None),
            replies: &[$(PageReply {
                status: $status,
                media: Media::$media,
                shape: |generator| generator.subschema_for::<$reply>(),
            }),+],
            about: $about,
        }),*];
    };
    (@first Some($value:expr) None) => { Some($value) };
    (@first None) => { None };
    (@where both) => { true };
    (@where part) => { true };
    (@where socket) => { false };
    (@proof both) => { false };
    (@proof part) => { true };
    (@proof socket) => { true };
}

pages! {
    Shows Get "/" [] Page both page::page
        = () () {200 Html String} "State of the node, for people with a browser.";
    Shows Get "/page/{file}" [] Page both page::asset
        = () () {200 Css String, 200 Script String, 200 Text String} "Files of the page.";
    Shows Get "/v1/status" ["/status"] Check both api::status
        = () () {200 Json Status} "State of the node.";
    Shows Get "/v1/healthz" ["/healthz"] Check both api::healthz
        = () () {200 Text String} "200 while the process runs.";
    Shows Get "/v1/readyz" ["/readyz"] Check both api::readyz
        = (ReadyQuery) () {200 Json Readiness, 503 Json Readiness, 200 Text String, 503 Text String}
        "200 while queries are answered, else 503 with the reasons.";
    Shows Get "/v1/metrics" ["/metrics"] Page both metrics::page
        = () () {200 Metrics String} "Metrics in Prometheus text.";
    Shows Get "/v1/pops" ["/pops"] Page both pops::pops
        = () () {200 Json Pops} "Every PoP, and the alarms.";
    Shows Get "/v1/pops/{name}" ["/pops/{name}"] Page both pops::pop
        = () () {200 Json Pop} "One PoP.";
    Shows Get "/v1/policies" ["/policies"] Page both policies::policies
        = (PoliciesQuery) () {200 Json Policies} "Every policy, or those with one PoP.";
    Shows Get "/v1/policies/{*name}" ["/policies/{*name}"] Page both policies::policy
        = (PolicyQuery) () {200 Json Policy} "One policy; those of a zone file are `zone./name`.";
    Shows Get "/v1/zones" [] Page both zones::zones
        = (ZonesQuery) () {200 Json ZoneList} "Zones, a page at a time.";
    Shows Get "/v1/zones/{name}" [] Page both zones::one
        = () () {200 Json Zone} "One zone.";
    Shows Get "/v1/overrides" [] Page both overrides::list
        = () () {200 Json OverrideList} "Overrides in force, and those to come.";
    Shows Get "/v1/map" [] Page both map::page
        = (MapQuery) () {200 Json Map, 404 Json Refusal}
        "PoPs with position, state and load; the answers of each country.";
    Shows Get "/v1/forecast" [] Page both forecast::page
        = (ForecastQuery) () {200 Json SupposedForecast} "Clients that a supposition about PoPs moves.";
    Shows Get "/v1/explain" [] Page both explain::parameters
        = (ExplainParameters) () {200 Json Explained} "Why a client gets its answer.";
    Shows Get "/v1/events" [] Stream part events::page
        = (EventsQuery) () {200 Events EventData} "Events as they happen, as server-sent events.";
    Shows Get "/v1/openapi.json" [] Page both api::openapi
        = () () {200 Json Value} "This document.";
    Commands Post "/v1/reload" ["/reload"] Wait socket api::reload
        = (ReloadQuery) () {200 Json ReloadReply, 409 Json ReloadReply, 500 Json ReloadReply,
            503 Json ReloadReply}
        "Reads the files, and puts them in service unless they have faults.";
    Commands Get "/v1/reload" ["/reload"] Page socket api::reload_status
        = () () {200 Json ReloadStatus} "The running reload, and those that wait.";
    Commands Delete "/v1/reload" ["/reload"] Verb socket api::cancel_reload
        = () () {200 Json Cancelled} "Gives up the running reload.";
    Commands Post "/v1/diff" ["/diff"] Wait socket comparison::diff
        = () () {200 Json ComparisonReply, 409 Json ComparisonRefused, 500 Json ComparisonRefused, 503 Json
            ComparisonRefused}
        "Clients that the files on the disk would move.";
    Commands Post "/v1/overrides" ["/pops/override"] Verb socket overrides::change
        = () (OverrideRequest) {200 Json OverrideReply, 409 Json OverrideReply}
        "Overrides the state or the weight of PoPs, or predicts that.";
    Commands Post "/v1/ledger/acknowledge" ["/ledger/acknowledge"] Verb socket overrides::acknowledge
        = () (AcknowledgeRequest) {200 Json Acknowledged} "Ends the alarms of a damaged ledger.";
    Commands Post "/v1/probes/push" ["/probes/push"] Verb socket pushes::probe
        = () (ProbePushRequest) {200 Json Taken} "Result of a check by an outside monitor.";
    Commands Post "/v1/load/push" ["/load/push"] Verb socket pushes::load
        = () (LoadPushRequest) {200 Json Taken} "Load of a PoP, by an outside monitor.";
    Shows Post "/v1/explain" ["/explain"] Page socket explain::explain
        = () (ExplainRequest) {200 Json Explained} "Why a client gets its answer.";
}

impl Page {
    /// Method and path, such as `GET /v1/pops/{name}`.
    pub fn request(&self) -> String {
        format!("{} {}", self.method.word(), self.path.replace("{*", "{"))
    }

    /// Paths, that of this version first.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.old_path)
    }

    /// True if the path of a request is one of this page's.
    fn is_at(&self, path: &str) -> bool {
        self.paths().any(|pattern| is_at(pattern, path))
    }
}

/// True if the path of a request is one of those that the pattern describes.
fn is_at(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for segment in pattern.split('/') {
        let Some(given) = segments.next() else { return false };
        match segment.strip_prefix('{') {
            Some(name) if name.starts_with('*') => return true,
            Some(_) => {}
            None if segment == given => {}
            None => return false,
        }
    }
    segments.next().is_none()
}

/// Page that takes a request.
pub(super) fn page_of(method: &Method, path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.is_at(path) && page.method.is(method))
}

/// Class of a request. One that no page takes is refused at once: it counts as a check at the path
/// of a check, else as a verb if it is a POST, else as a page.
pub(crate) fn class_of(method: &Method, path: &str) -> Class {
    let checked = || PAGES.iter().find(|page| page.is_at(path) && page.class == Class::Check);
    let refused = if method == Method::POST { Class::Verb } else { Class::Page };
    page_of(method, path).or_else(checked).map_or(refused, |page| page.class)
}

/// Router of the pages that show state.
pub(super) fn shows() -> Router<Shown> {
    routed(|handler| match handler {
        Handler::Shows(handler) => Some(*handler),
        Handler::Commands(_) => None,
    })
}

/// Router of the pages that send commands.
pub(super) fn commands() -> Router<CommandSender> {
    routed(|handler| match handler {
        Handler::Shows(_) => None,
        Handler::Commands(handler) => Some(*handler),
    })
}

fn routed<S: Clone + Send + Sync + 'static>(
    handler: impl Fn(&Handler) -> Option<fn(MethodFilter) -> MethodRouter<S>>,
) -> Router<S> {
    PAGES.iter().fold(Router::new(), |router, page| match handler(&page.handler) {
        Some(handler) => {
            page.paths().fold(router, |router, path| router.route(path, handler(page.method.filter())))
        }
        None => router,
    })
}

#[cfg(test)]
mod tests;
