//! Tests of `routes`: the class of each request, and what the admin address has.

use super::*;

#[test]
fn requests_have_classes() {
    let rows = [
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
            (Handler::Shows(_), _) => matches!(page.class, Class::Check | Class::Page),
            (Handler::Commands(_), Verb::Get) => page.class == Class::Page,
            (Handler::Commands(_), Verb::Post | Verb::Delete) => {
                matches!(page.class, Class::Verb | Class::Wait)
            }
        };
        assert!(fits, "{}: {:?}", page.request(), page.class);
    }
}
