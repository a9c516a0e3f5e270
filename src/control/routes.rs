//! Pages of the control socket, one row each: method, path, class, and whether the admin address
//! has it too. The routers, the class of a request, answers to other methods (405) and the test of
//! `docs/control.md` follow from these rows.

use crate::control::places::Class;
use crate::control::{Shown, api, comparison, explain, metrics, overrides, policies, pops, pushes};
use crate::shared::command::CommandSender;
use axum::Router;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

/// Function that answers, by the state that it needs.
enum Handler {
    /// It shows the state that threads share.
    Shows(fn(MethodFilter) -> MethodRouter<Shown>),
    /// It sends commands to the writer.
    Commands(fn(MethodFilter) -> MethodRouter<CommandSender>),
}

/// A page.
pub struct Page {
    method: Verb,
    /// Path, with `{name}` for one segment and `{*name}` for the rest.
    path: &'static str,
    class: Class,
    /// True if the page changes nothing and costs little, so that the admin address has it too.
    is_read_only: bool,
    handler: Handler,
}

/// Method of a page.
#[derive(Clone, Copy)]
enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    fn word(self) -> &'static str {
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

/// A row: `shows` or `commands`, method, path, class, handler; `both` if the admin address has the
/// page too, else `socket`.
macro_rules! pages {
    ($($kind:ident $method:ident $path:literal $class:ident $where:ident $handler:path;)*) => {
        /// Every page.
        pub static PAGES: &[Page] = &[$(Page {
            method: Verb::$method,
            path: $path,
            class: Class::$class,
            is_read_only: pages!(@where $where),
            handler: Handler::$kind(|filter| on(filter, $handler)),
        }),*];
    };
    (@where both) => { true };
    (@where socket) => { false };
}

pages! {
    Shows Get "/status" Check both api::status;
    Shows Get "/healthz" Check both api::healthz;
    Shows Get "/readyz" Check both api::readyz;
    Shows Get "/metrics" Page both metrics::page;
    Shows Get "/pops" Page both pops::pops;
    Shows Get "/pops/{name}" Page both pops::pop;
    Shows Get "/policies" Page both policies::policies;
    Shows Get "/policies/{*name}" Page both policies::policy;
    Commands Post "/reload" Wait socket api::reload;
    Commands Get "/reload" Page socket api::reload_status;
    Commands Delete "/reload" Verb socket api::cancel_reload;
    Commands Post "/diff" Wait socket comparison::diff;
    Commands Post "/pops/override" Verb socket overrides::change;
    Commands Post "/ledger/acknowledge" Verb socket overrides::acknowledge;
    Commands Post "/probes/push" Verb socket pushes::probe;
    Commands Post "/load/push" Verb socket pushes::load;
    Shows Post "/explain" Page socket explain::explain;
}

impl Page {
    /// Method and path, such as `GET /pops/{name}`.
    pub fn request(&self) -> String {
        format!("{} {}", self.method.word(), self.path.replace("{*", "{"))
    }

    /// True if the path of a request is one of this page's.
    fn is_at(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        for segment in self.path.split('/') {
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
}

/// Class of a request. One that no page takes is refused at once: it counts as a check at the path
/// of a check, else as a verb if it is a POST, else as a page.
pub(crate) fn class_of(method: &Method, path: &str) -> Class {
    let pages = || PAGES.iter().filter(|page| page.is_at(path));
    let taken = pages().find(|page| page.method.is(method));
    let checked = || pages().find(|page| page.class == Class::Check);
    let refused = if method == Method::POST { Class::Verb } else { Class::Page };
    taken.or_else(checked).map_or(refused, |page| page.class)
}

/// Router of the pages of a state among those that are `meant`.
pub(super) fn shows(is_meant: impl Fn(&Page) -> bool) -> Router<Shown> {
    routed(is_meant, |handler| match handler {
        Handler::Shows(handler) => Some(*handler),
        Handler::Commands(_) => None,
    })
}

/// Router of the pages that send commands.
pub(super) fn commands() -> Router<CommandSender> {
    routed(
        |_| true,
        |handler| match handler {
            Handler::Shows(_) => None,
            Handler::Commands(handler) => Some(*handler),
        },
    )
}

fn routed<S: Clone + Send + Sync + 'static>(
    is_meant: impl Fn(&Page) -> bool,
    handler: impl Fn(&Handler) -> Option<fn(MethodFilter) -> MethodRouter<S>>,
) -> Router<S> {
    PAGES.iter().filter(|page| is_meant(page)).fold(Router::new(), |router, page| {
        match handler(&page.handler) {
            Some(handler) => router.route(page.path, handler(page.method.filter())),
            None => router,
        }
    })
}

/// True if the admin address has the page too.
pub(super) fn is_read_only(page: &Page) -> bool {
    page.is_read_only
}

#[cfg(test)]
mod tests;
