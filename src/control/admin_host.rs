//! The `Host` of requests to the admin address, against DNS rebinding: a page in an operator's
//! browser may give its own name the address of this server, and then read our pages as its own.
//! Such a request names the page's host. Names that no stranger can own are served: addresses,
//! `localhost`, the name of this host, and the names of `listen.admin_hosts`.

use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::wire::name::Name;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Reason of the refusal. The code has the ways out.
const REFUSAL: &str = "the admin address does not serve this host name";

/// Names that are served beside addresses.
#[derive(Debug)]
pub(crate) struct AdminHosts(Vec<Name>);

impl AdminHosts {
    /// The names of the file, that of the host, and `localhost`.
    pub(crate) fn new(listed: &[Name], host_name: Option<&str>) -> AdminHosts {
        let own = ["localhost"].into_iter().chain(host_name).filter_map(name);
        AdminHosts(own.chain(listed.iter().cloned()).collect())
    }

    /// True for a host, with or without port, that is served.
    fn serves(&self, host: &str) -> bool {
        let (host, port) = match host.strip_prefix('[') {
            Some(rest) => {
                let Some((address, port)) = rest.split_once(']') else { return false };
                if address.parse::<Ipv6Addr>().is_err() {
                    return false;
                }
                (None, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => match host.split_once(':') {
                Some((host, port)) => (Some(host), Some(port)),
                None => (Some(host), Some("")),
            },
        };
        if !port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok()) {
            return false;
        }
        let Some(host) = host else { return true };
        host.parse::<Ipv4Addr>().is_ok() || name(host).is_some_and(|host| self.0.contains(&host))
    }

    /// True if a request may be answered. A request without any host is: every browser sends one.
    fn admits(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        // The host of the request line comes before that of the header (RFC 9112 section 3.2.2).
        if let Some(authority) = uri.authority() {
            return self.serves(authority.as_str());
        }
        headers.get_all(HOST).iter().all(|host| host.to_str().is_ok_and(|host| self.serves(host)))
    }
}

/// A host name as a domain name below the root.
fn name(text: &str) -> Option<Name> {
    Name::parse(text, Some(&Name::root())).ok()
}

/// Answers 421 (RFC 9110 section 15.5.20) to a request for another host.
pub(crate) async fn check(State(hosts): State<Arc<AdminHosts>>, request: Request, next: Next) -> Response {
    if hosts.admits(request.uri(), request.headers()) {
        next.run(request).await
    } else {
        refused(ErrorCode::Misdirected, REFUSAL)
    }
}

#[cfg(test)]
mod tests;
