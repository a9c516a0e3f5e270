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

/// The admin address changes nothing, and sends no command.
#[test]
fn read_only_pages_only_read() {
    for page in PAGES.iter().filter(|page| page.is_read_only) {
        let reads = matches!(page.handler, Handler::Shows(_)) && matches!(page.method, Verb::Get);
        assert!(reads && matches!(page.class, Class::Check | Class::Page), "{}", page.request());
    }
}
