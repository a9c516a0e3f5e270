//! Peer of a control connection, as the system records it: the user of the process that connected
//! (SO_PEERCRED), and the login user if `sudo` or `su` changed the user (the audit subsystem's
//! login uid, else SUDO_USER of a process of root).
//!
//! The author in a request is recorded beside the peer, marked as a claim.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use tokio::net::UnixStream;

/// Login uid of a process without a login (proc(5), `loginuid`).
const NO_LOGIN: u32 = u32::MAX;

/// Most octets of a process environment that are searched.
const ENVIRONMENT_OCTETS_MAX: usize = 128 << 10;

/// Peer of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Name of the user, or `uid N` if the system has no name.
    user: String,
    /// Name of the login user, if it differs from `user`.
    login: Option<String>,
}

impl Peer {
    /// Peer of a connection; `None` if the system does not report it.
    #[cfg(unix)]
    pub(crate) fn of(stream: &UnixStream) -> Option<Peer> {
        let credentials = stream.peer_cred().ok()?;
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = name_of(credentials.uid(), &users);
        let process = credentials.pid().map(|pid| format!("/proc/{pid}"));
        let login = process.and_then(|process| login(&process, credentials.uid(), &users));
        Some(Peer { login: login.filter(|login| *login != user), user })
    }

    /// Peer that is known by something else than a user of this system.
    pub(crate) fn named(name: String) -> Peer {
        Peer { user: name, login: None }
    }

    /// Author of a change: the peer, and the author in the request.
    pub(crate) fn author(peer: Option<&Peer>, claimed: Option<&str>) -> String {
        let known = match peer {
            None => "a user that the system does not name".to_owned(),
            Some(Peer { user, login: None }) => user.clone(),
            Some(Peer { user, login: Some(login) }) => format!("{user} (login {login})"),
        };
        let login = peer.and_then(|peer| peer.login.as_deref());
        match claimed.map(str::trim).filter(|claimed| !claimed.is_empty() && Some(*claimed) != login) {
            None => known,
            Some(claimed) => format!("{known}, claims to be {claimed}"),
        }
    }
}

/// Login user of a process; `None` if the system has no record.
#[cfg(unix)]
fn login(process: &str, uid: u32, users: &str) -> Option<String> {
    let noted = fs::read_to_string(format!("{process}/loginuid")).ok();
    let noted = noted.and_then(|text| text.trim().parse().ok()).filter(|uid| *uid != NO_LOGIN);
    if let Some(uid) = noted {
        return Some(name_of(uid, users));
    }
    if uid != 0 {
        return None;
    }
    // Any user can set its own environment, so only the environment of root is trusted.
    let environment = fs::read(format!("{process}/environ")).ok()?;
    let environment = environment.get(..environment.len().min(ENVIRONMENT_OCTETS_MAX))?;
    let values = environment.split(|octet| *octet == 0);
    let user = values.filter_map(|value| value.strip_prefix(b"SUDO_USER=".as_slice())).next()?;
    let user = std::str::from_utf8(user).ok()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    (!user.is_empty() && user.len() <= 64 && user.chars().all(is_name)).then(|| user.to_owned())
}

/// Name of a user in the text of `/etc/passwd`.
#[cfg(unix)]
fn name_of(uid: u32, users: &str) -> String {
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(all(test, unix))]
mod tests;
