//! Tests of `routes`: the class of each request, and what the admin address has.

use super::*;

#[test]
fn requests_have_classes() {
    let rows = [
        (Method::GET, "/v1/readyz", Class::Check),
        (Method::GET, "/", Class::Page),
        (Method::GET, "/page/page.css", Class::Page),
        (Method::GET, "/v1/pops/fra", Class::Page),
        (Method::GET, "/v1/events", Class::Stream),
        (Method::GET, "/v1/policies/cdn.example./web", Class::Page),
        (Method::POST, "/v1/overrides", Class::Verb),
        (Method::POST, "/v1/reload", Class::Wait),
        (Method::GET, "/readyz", Class::Check),
        (Method::HEAD, "/readyz", Class::Check),
        (Method::GET, "/healthz", Class::Check),
        (Method::GET, "/metrics", Class::Page),
        (Method::GET, "/pops/fra", Class::Page),
        (Method::GET, "/policies/cdn.example./web", Class::Page),
        (Method::POST, "/explain", Class::Page),
        (Method::POST, "/reload", Class::Wait),
        (Method::POST, "/diff", Class::Wait),
        (Method::GET, "/reload", Class::Page),
        (Method::DELETE, "/reload", Class::Verb),
        (Method::POST, "/pops/override", Class::Verb),
        (Method::POST, "/probes/push", Class::Verb),
        // No page takes these.
        (Method::PUT, "/healthz", Class::Check),
        (Method::GET, "/diff", Class::Page),
        (Method::POST, "/metrics", Class::Verb),
        (Method::POST, "/hooks", Class::Verb),
        (Method::GET, "/other", Class::Page),
    ];
    for (method, path, class) in rows {
        assert_eq!(class_of(&method, path), class, "{method} {path}");
    }
}

/// The admin address has each GET page of the shared state, changes nothing and sends no command.
#[test]
fn the_admin_address_has_the_pages_that_only_read() {
    for page in PAGES {
        let reads = matches!(page.handler, Handler::Shows(_)) && matches!(page.method, Verb::Get);
        assert_eq!(page.is_read_only, reads, "{}", page.request());
    }
}

/// A page that shows state takes the places of checks or pages; one that changes something takes
/// those of verbs or of requests that wait for files.
#[test]
fn classes_fit_the_methods() {
    for page in PAGES {
        let fits = match (&page.handler, page.method) {
            (Handler::Shows(_), _) => matches!(page.class, Class::Check | Class::Page | Class::Stream),
            (Handler::Commands(_), Verb::Get) => page.class == Class::Page,
            (Handler::Commands(_), Verb::Post | Verb::Delete) => {
                matches!(page.class, Class::Verb | Class::Wait)
            }
        };
        assert!(fits, "{}: {:?}", page.request(), page.class);
    }
}

/// The paths of this version begin with it, those of the page for people apart. A page that existed
/// before has its old path too.
#[test]
fn paths_have_a_version() {
    for page in PAGES.iter().filter(|page| page.path != "/" && !page.path.starts_with("/page/")) {
        let mut paths = page.paths();
        let path = paths.next().expect("a path");
        assert!(path.starts_with("/v1/"), "{path}");
        for old in paths {
            let is_kept = old == path.trim_start_matches("/v1") || old == "/pops/override";
            assert!(is_kept, "{old}");
        }
    }
}
