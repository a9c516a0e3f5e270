//! `meridian.yaml`: the identity of this node, its sockets, and the files of the deployment.

mod access;
pub(crate) mod admin;
pub(crate) mod cookie_secrets;
mod listed;
mod node;
mod overload;
mod process;
mod proxy_protocol;
mod rate_limit;
mod secret_file;
pub(crate) mod tls;

use super::listen::{STREAMS, StreamKeys};
use super::scalar::{choice, integer, is_off, members, name, plain, seconds_within, switch, text};
use super::table::{MapReader, shown};
use super::tree::Node;
use super::zones::choices::OnError;
use super::{Bound, Cpus, Listen, NodeIdentity, Sandbox, StreamLimits};
use crate::finding::{At, Finding, Findings, code};
use crate::limits::{BATCH_DEFAULT, BATCH_MAX, CPU_MAX, SOCKET_OCTETS_MAX, SOCKET_OCTETS_MIN, THREADS_MAX};
use crate::overload::Overload;
use crate::rrl::RateLimit;
use crate::wire::name::Name;
pub(crate) use access::AccessLists;
use admin::AdminFiles;
pub(crate) use proxy_protocol::ProxyList;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tls::Tls;

/// A path as written, with its place.
pub(crate) struct WrittenPath {
    /// Path as written, joined to the folder of the server file.
    pub(crate) path: PathBuf,
    /// Place of the path.
    pub(crate) at: At,
}

/// File that the server file may name.
pub(crate) enum Named {
    /// None: the deployment has no such file.
    No,
    /// Unknown, because the key has a fault.
    Wrong,
    /// This file.
    File(WrittenPath),
}

impl Named {
    fn of(node: Option<&Node>, key: &str, folder: &Path, out: &mut Findings) -> Named {
        let Some(node) = node else { return Named::No };
        path(node, key, folder, out).map_or(Named::Wrong, Named::File)
    }

    /// The file, if one is named.
    pub(crate) fn file(&self) -> Option<&WrittenPath> {
        match self {
            Named::File(written) => Some(written),
            Named::No | Named::Wrong => None,
        }
    }

    /// True if the deployment certainly has no such file.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Named::No)
    }
}

/// Source of the secrets of DNS cookies.
pub(crate) enum Cookies {
    /// Cookies are disabled.
    Off,
    /// The process makes its own secret.
    Own,
    /// Secrets from a file.
    File(WrittenPath),
}

/// The server file.
pub(crate) struct ServerFile {
    /// Identity of this node.
    pub(crate) node: NodeIdentity,
    /// Place of `node.site`, which is checked once the PoPs are known.
    pub(crate) site_at: Option<At>,
    /// Addresses and sockets, and how they are served.
    pub(crate) listen: Listen,
    /// Folder of state that outlasts a restart.
    pub(crate) state: PathBuf,
    /// File for the process ID.
    pub(crate) pid_file: Option<PathBuf>,
    /// True if the first fault of a task ends the process.
    pub(crate) exit_on_fault: bool,
    /// User that the process becomes.
    pub(crate) user: Option<Arc<str>>,
    /// Limits that the process sets for itself.
    pub(crate) sandbox: Sandbox,
    /// Source of the secrets of DNS cookies.
    pub(crate) cookies: Cookies,
    /// Certificate of the encrypted transports.
    pub(crate) tls: Tls,
    /// Files of the access to the admin address over TLS.
    pub(crate) admin: Option<AdminFiles>,
    /// Limits of answers over UDP; `None` is off.
    pub(crate) rate_limit: Option<RateLimit>,
    /// Treatment of an overload of UDP; `None` is off.
    pub(crate) overload: Option<Overload>,
    /// Access lists, with names of networks.
    pub(crate) access: Option<AccessLists>,
    /// Balancers that send PROXY headers, with names of networks.
    pub(crate) proxies: Option<ProxyList>,
    /// GeoIP databases, in order of precedence.
    pub(crate) databases: Vec<WrittenPath>,
    /// True if a database may have far fewer networks than the one in service.
    pub(crate) accept_shrunk: bool,
    /// The file of operator networks.
    pub(crate) networks: Named,
    /// The PoP file.
    pub(crate) pops: Named,
    /// The policy file.
    pub(crate) policies: Named,
    /// The folder of zone files.
    pub(crate) zones: Option<WrittenPath>,
    /// Treatment of faulty zones.
    pub(crate) on_error: OnError,
}

impl ServerFile {
    /// The defaults of a file in `folder`.
    fn empty(folder: &Path) -> ServerFile {
        ServerFile {
            node: NodeIdentity { name: "".into(), id_server: None, version_server: None, site: None },
            site_at: None,
            listen: Listen {
                dns: Vec::new(),
                dot: Vec::new(),
                doh: Vec::new(),
                doq: Vec::new(),
                control: folder.join("state/control.sock"),
                admin: None,
                admin_hosts: Vec::new(),
                threads: None,
                cpus: Cpus::Off,
                socket_affinity: false,
                batch: BATCH_DEFAULT,
                receive_buffer: None,
                send_buffer: None,
                tcp: StreamLimits::default(),
                dot_limits: StreamLimits::default(),
                doh_limits: StreamLimits::default(),
                doq_limits: StreamLimits::default(),
            },
            state: folder.join("state"),
            pid_file: None,
            exit_on_fault: false,
            user: None,
            sandbox: Sandbox::On,
            cookies: Cookies::Own,
            tls: Tls::default(),
            admin: None,
            rate_limit: None,
            overload: None,
            access: None,
            proxies: None,
            databases: Vec::new(),
            accept_shrunk: false,
            networks: Named::No,
            pops: Named::No,
            policies: Named::No,
            zones: None,
            on_error: OnError::default(),
        }
    }
}

/// Reads the server file. Returns a value even after findings, so that the files it names are read
/// and checked in the same run.
pub(crate) fn lower(root: &Node, folder: &Path, out: &mut Findings) -> ServerFile {
    let mut file = ServerFile::empty(folder);
    let Some(mut table) = MapReader::open(root, "the server file", out) else { return file };
    if let Some(node) = table.need("node", out) {
        node::lower(node, &mut file, out);
    }
    if let Some(node) = table.need("listen", out) {
        file.tls.needed_by = lower_listen(node, folder, &mut file.listen, out);
    }
    if let Some(node) = table.take("geoip") {
        lower_geoip(node, folder, &mut file, out);
    }
    file.pops = Named::of(table.take("pops"), "pops", folder, out);
    file.policies = Named::of(table.take("policies"), "policies", folder, out);
    if let Some(node) = table.need("zones", out) {
        lower_zones(node, folder, &mut file, out);
    }
    if let Some(written) = table.take("state").and_then(|node| path(node, "state", folder, out)) {
        file.state = written.path;
    }
    file.pid_file = table
        .take("pid_file")
        .and_then(|node| path(node, "pid_file", folder, out))
        .map(|written| written.path);
    if let Some(exit) = table.take("exit_on_fault").and_then(|node| switch(node, "exit_on_fault", out)) {
        file.exit_on_fault = exit;
    }
    file.user = table.take("user").and_then(|node| process::lower_user(node, out));
    if let Some(node) = table.take("sandbox") {
        file.sandbox = process::lower_sandbox(node, out);
    }
    if let Some(node) = table.take("cookies") {
        lower_cookies(node, folder, &mut file.cookies, out);
    }
    if let Some(node) = table.take("tls") {
        file.tls.at = Some(node.at);
        file.tls.files = tls::lower(node, folder, out);
    }
    file.admin = table.take("admin").and_then(|node| admin::lower(node, folder, out));
    if let Some(node) = table.take("rate_limit") {
        file.rate_limit = rate_limit::lower(node, out);
    }
    file.overload = table.take("overload").and_then(|node| overload::lower(node, out));
    file.access = table.take("access").and_then(|node| access::lower(node, out));
    file.proxies = table.take("proxy_protocol").and_then(|node| proxy_protocol::lower(node, out));
    table.finish(out);
    file
}

/// Reads `listen`. Returns the first key with addresses of an encrypted transport, and its place.
fn lower_listen(
    node: &Node,
    folder: &Path,
    listen: &mut Listen,
    out: &mut Findings,
) -> Option<(&'static str, At)> {
    let mut table = MapReader::open(node, "`listen`", out)?;
    let mut places: Vec<At> = Vec::new();
    // In the order of `Listen::addresses`, by which `places` stand.
    if let Some(node) = table.need("dns", out) {
        lower_addresses((node, "dns", Bound::Dns), listen, |listen| &mut listen.dns, &mut places, out);
    }
    let mut encrypted = None;
    if let Some(node) = table.take("dot") {
        lower_addresses((node, "dot", Bound::Dot), listen, |listen| &mut listen.dot, &mut places, out);
        encrypted = Some(("dot", node.at));
    }
    if let Some(node) = table.take("doh") {
        lower_addresses((node, "doh", Bound::Doh), listen, |listen| &mut listen.doh, &mut places, out);
        encrypted = encrypted.or(Some(("doh", node.at)));
    }
    if let Some(node) = table.take("doq") {
        let key = (node, "doq", Bound::Doq);
        lower_addresses(key, listen, |listen| &mut listen.doq, &mut places, out);
        encrypted = encrypted.or(Some(("doq", node.at)));
    }
    if let Some(written) = table.take("control").and_then(|node| path(node, "control", folder, out)) {
        socket_path(&written, out);
        listen.control = written.path;
    }
    if let Some(node) = table.take("admin") {
        let admin = socket(node, "admin", out);
        if let Some(address) = admin {
            overlaps(listen, &places, (Bound::Admin, address, node.at), out);
        }
        listen.admin = admin;
    }
    for node in table.take("admin_hosts").map(members).unwrap_or_default() {
        listen.admin_hosts.extend(name(node, "admin_hosts", Some(&Name::root()), out));
    }
    listen.threads = table
        .take("threads")
        .filter(|node| plain(node) != Some("auto"))
        .and_then(|node| integer(node, "threads", 1..=i64::from(THREADS_MAX), out))
        .map(|n| n as u16);
    lower_workers(&mut table, listen, out);
    for (keys, limits) in STREAMS.iter().zip(listen.streams_mut()) {
        lower_stream(&mut table, keys, limits, out);
    }
    table.finish(out);
    encrypted
}

/// Reads a list of addresses, each of which must differ from all that were read before.
fn lower_addresses(
    (node, key, bound): (&Node, &str, Bound),
    listen: &mut Listen,
    list: impl Fn(&mut Listen) -> &mut Vec<SocketAddr>,
    places: &mut Vec<At>,
    out: &mut Findings,
) {
    for member in members(node) {
        let Some(address) = socket(member, key, out) else { continue };
        if !overlaps(listen, places, (bound, address, member.at), out) {
            list(listen).push(address);
            places.push(member.at);
        }
    }
    if members(node).is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{key}` lists no address to listen on"))
                .at(node.at, "an empty list"),
        );
    }
}

/// Reads the limits of a stream transport.
fn lower_stream(table: &mut MapReader<'_>, keys: &StreamKeys, limits: &mut StreamLimits, out: &mut Findings) {
    let connections = table.take(keys.connections);
    if let Some(n) = connections.and_then(|node| integer(node, keys.connections, 1..=1_000_000, out)) {
        limits.connections = n as u32;
    }
    limits.connections_at = connections.map(|node| node.at);
    if let Some(n) =
        table.take(keys.per_prefix).and_then(|node| integer(node, keys.per_prefix, 1..=1_000_000, out))
    {
        limits.per_prefix = n as u32;
    }
    if let Some(secs) = table.take(keys.idle).and_then(|node| seconds_within(node, keys.idle, 1..=3_600, out))
    {
        limits.idle_secs = secs;
    }
}

/// Refuses an address that collides with one that was read before: the same address, or a wildcard
/// of the family with the same port. Sockets of the two families are separate. `places` are those
/// of the addresses read before.
fn overlaps(
    listen: &Listen,
    places: &[At],
    (bound, address, at): (Bound, SocketAddr, At),
    out: &mut Findings,
) -> bool {
    let before = listen.addresses().zip(places);
    let clash = before.into_iter().find(|((of, other), _)| {
        let (ip, other_ip) = (address.ip(), other.ip());
        bound.excludes(*of)
            && address.port() != 0
            && address.port() == other.port()
            && ip.is_ipv4() == other_ip.is_ipv4()
            && (ip == other_ip || ip.is_unspecified() || other_ip.is_unspecified())
    });
    let Some(((_, other), first)) = clash else { return false };
    let message = match address == other {
        true => format!("`{address}` is listed twice"),
        false => format!("`{address}` and `{other}` overlap: one of them is the wildcard of its family"),
    };
    out.push(
        Finding::error(code::DUPLICATE_ADDRESS, message)
            .at(at, "cannot be opened too")
            .related(*first, "already opened here")
            .help(
                "list each address once, or the wildcard alone; `dot`, `doh` and `admin` need ports of their \
                 own, and `doq` one that `dns` does not have",
            ),
    );
    true
}

/// Octets of the path of a Unix socket: `sun_path` has 108, the last of which is 0 (unix(7)).
const SOCKET_PATH_MAX: usize = 107;

fn socket_path(written: &WrittenPath, out: &mut Findings) {
    let octets = written.path.as_os_str().len();
    if octets > SOCKET_PATH_MAX {
        let shown = written.path.display();
        out.push(
            Finding::error(
                code::TOO_LARGE,
                format!("the path of the control socket, `{shown}`, has {octets} octets"),
            )
            .at(written.at, format!("a socket's path has at most {SOCKET_PATH_MAX}"))
            .help("use a shorter path, such as `/run/meridian/control.sock`"),
        );
    }
}

/// Reads the settings for the cores and kernel buffers of UDP workers.
fn lower_workers(table: &mut MapReader<'_>, listen: &mut Listen, out: &mut Findings) {
    match table.take("cpus") {
        None => {}
        Some(node) if is_off(node) => listen.cpus = Cpus::Off,
        Some(node) if plain(node) == Some("auto") => listen.cpus = Cpus::Auto,
        Some(node) => listen.cpus = Cpus::List(cpus(node, out)),
    }
    let affinity = table.take("socket_affinity").and_then(|node| switch(node, "socket_affinity", out));
    listen.socket_affinity = affinity.unwrap_or(false);
    if let Some(n) =
        table.take("batch").and_then(|node| integer(node, "batch", 1..=i64::from(BATCH_MAX), out))
    {
        listen.batch = n as u16;
    }
    let octets = SOCKET_OCTETS_MIN as i64..=SOCKET_OCTETS_MAX as i64;
    for (key, buffer) in
        [("receive_buffer", &mut listen.receive_buffer), ("send_buffer", &mut listen.send_buffer)]
    {
        *buffer = table.take(key).and_then(|node| integer(node, key, octets.clone(), out)).map(|n| n as u32);
    }
}

fn cpus(node: &Node, out: &mut Findings) -> Vec<u16> {
    let mut cpus = Vec::new();
    for member in members(node) {
        let Some(cpu) = integer(member, "cpus", 0..=i64::from(CPU_MAX), out).map(|n| n as u16) else {
            continue;
        };
        if cpus.contains(&cpu) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`cpus` names core {cpu} twice"))
                    .at(member.at, "again"),
            );
        } else {
            cpus.push(cpu);
        }
    }
    if members(node).is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, "`cpus` lists no core")
                .at(node.at, "an empty list")
                .help("write `off`, `auto`, or numbers"),
        );
    }
    cpus
}

fn lower_cookies(node: &Node, folder: &Path, cookies: &mut Cookies, out: &mut Findings) {
    if is_off(node) {
        *cookies = Cookies::Off;
        return;
    }
    let Some(mut table) = MapReader::open(node, "`cookies`", out) else { return };
    if let Some(written) = table.need("secrets", out).and_then(|node| path(node, "secrets", folder, out)) {
        *cookies = Cookies::File(written);
    }
    table.finish(out);
}

/// Reads a folder, or a map with the folder and the treatment of faulty zones.
fn lower_zones(node: &Node, folder: &Path, file: &mut ServerFile, out: &mut Findings) {
    if plain(node).is_some() {
        file.zones = path(node, "zones", folder, out);
        return;
    }
    let Some(mut table) = MapReader::open(node, "`zones`", out) else { return };
    file.zones = table.need("folder", out).and_then(|node| path(node, "folder", folder, out));
    let words = [("keep", OnError::Keep), ("refuse", OnError::Refuse)];
    if let Some(on_error) = table.take("on_error").and_then(|node| choice(node, "on_error", &words, out)) {
        file.on_error = on_error;
    }
    table.finish(out);
}

fn lower_geoip(node: &Node, folder: &Path, file: &mut ServerFile, out: &mut Findings) {
    let Some(mut table) = MapReader::open(node, "`geoip`", out) else { return };
    if let Some(node) = table.take("databases") {
        file.databases
            .extend(members(node).iter().filter_map(|member| path(member, "databases", folder, out)));
    }
    if let Some(accept) = table.take("accept_shrunk").and_then(|node| switch(node, "accept_shrunk", out)) {
        file.accept_shrunk = accept;
    }
    file.networks = Named::of(table.take("networks"), "networks", folder, out);
    table.finish(out);
}

fn path(node: &Node, what: &str, folder: &Path, out: &mut Findings) -> Option<WrittenPath> {
    let text = text(node, what, out)?;
    if text.is_empty() || text.contains('\0') {
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{what}` is not a path")).at(node.at, "not a path"),
        );
        return None;
    }
    Some(WrittenPath { path: folder.join(text), at: node.at })
}

fn socket(node: &Node, what: &str, out: &mut Findings) -> Option<SocketAddr> {
    let text = text(node, what, out)?;
    let parsed = text.parse();
    if parsed.is_err() {
        let mut finding =
            Finding::error(code::BAD_ADDRESS, format!("{} is not an address with a port", shown(node)))
                .at(node.at, "not `address:port`");
        finding = match text.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(address)) => finding.help(format!("add the port, as in `{address}:53`")),
            Ok(std::net::IpAddr::V6(address)) => {
                finding.help(format!("add brackets and the port, as in `\"[{address}]:53\"`"))
            }
            Err(_) => finding
                .help("write it as `192.0.2.53:53` or `\"[2001:db8::53]:53\"`; names are not looked up"),
        };
        out.push(finding);
    }
    parsed.ok()
}
