//! A server on another host: its URL, and the proof that the client shows.

use crate::health::pem;
use crate::limits::KEEP_ALIVE_SECS;
use crate::sys::socket;
use hyper::http::Uri;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::io::Write;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

/// Time limit of the connection and of its handshake.
const CONNECT: Duration = Duration::from_secs(10);

/// Options that name a server on another host.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RemoteOptions {
    /// The admin address of a server, instead of a control socket: https://HOST:PORT, or
    /// http://HOST:PORT for what only reads
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// File with the token for the server, alone or behind its name as in the server's file
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// Certificates that sign that of the server, in PEM; by default those of the system
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
    /// Certificate of this client, in PEM, instead of a token
    #[arg(long, value_name = "FILE", requires_all = ["server", "key"])]
    certificate: Option<PathBuf>,
    /// Private key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// A server on another host.
pub(crate) struct Remote {
    /// URL as given.
    pub(crate) url: String,
    /// Value of `Host`.
    pub(crate) host: String,
    name: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    /// Token to send.
    pub(crate) token: Option<String>,
}

/// Stream to a server on another host.
pub(crate) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl RemoteOptions {
    /// True for a server on another host that gets no proof, so that it answers only what anyone
    /// may read.
    pub(crate) fn is_unproven(&self) -> bool {
        self.server.is_some() && self.token_file.is_none() && self.certificate.is_none()
    }

    /// The server that the options name; `None` if they name none. The error is a sentence.
    pub(crate) fn remote(&self) -> Result<Option<Remote>, String> {
        let Some(url) = &self.server else { return Ok(None) };
        let wrong = || format!("`{url}` is not a URL such as https://node.example:8053");
        let parsed: Uri = url.parse().map_err(|_| wrong())?;
        let authority = parsed.authority().ok_or_else(wrong)?;
        let is_tls = match parsed.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let has_more = !matches!(parsed.path(), "" | "/") || parsed.query().is_some();
        if has_more || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let is_proven = self.token_file.is_some() || self.certificate.is_some();
        if is_proven && !is_tls {
            return Err("a token or a certificate is sent over https alone".to_owned());
        }
        Ok(Some(Remote {
            url: url.clone(),
            host: authority.as_str().to_owned(),
            name: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            tls: if is_tls { Some(self.settings()?) } else { None },
            token: self.token_file.as_deref().map(token).transpose()?,
        }))
    }

    /// Settings of TLS.
    fn settings(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(path) => {
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
                }
            }
            // A certificate of the system that cannot be read signs nothing.
            None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            return Ok(Arc::new(builder.with_no_client_auth()));
        };
        let shown = key.display();
        let private = PrivateKeyDer::from_pem_slice(&secret(key)?)
            .map_err(|_| format!("`{shown}` holds no private key in PEM that can be read"))?;
        let config = builder.with_client_auth_cert(certificates(certificate)?, private);
        config.map(Arc::new).map_err(|error| format!("`{}` and `{shown}`: {error}", certificate.display()))
    }
}

impl Remote {
    /// Connects. The error is a sentence.
    pub(crate) async fn connect(&self) -> Result<Stream, String> {
        let connecting = async {
            let stream = TcpStream::connect((self.name.as_str(), self.port)).await;
            let stream = stream.map_err(|error| error.to_string())?;
            // Ends the wait for a host that is gone. A stream without it works as well.
            let _ = socket::keep_alive(&stream, Duration::from_secs(KEEP_ALIVE_SECS));
            let Some(tls) = &self.tls else { return Ok(Either::Left(stream)) };
            let name = ServerName::try_from(self.name.clone()).map_err(|error| error.to_string())?;
            let connected = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
            connected.map(|stream| Either::Right(Box::new(stream))).map_err(|error| format!("TLS: {error}"))
        };
        tokio::time::timeout(CONNECT, connecting)
            .await
            .unwrap_or_else(|_| Err("the server does not accept the connection".to_owned()))
    }
}

/// Token of a file: the last word of its first line that is no comment.
fn token(path: &Path) -> Result<String, String> {
    let text = String::from_utf8(secret(path)?).unwrap_or_default();
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let token = lines.filter(|line| !line.is_empty()).find_map(|line| line.split_whitespace().last());
    let is_sendable = |token: &&str| token.bytes().all(|octet| octet.is_ascii_graphic());
    token.filter(is_sendable).map(str::to_owned).ok_or_else(|| format!("`{}` has no token", path.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = pem::certificates(&read(path)?).map_err(|why| format!("`{}` {why}", path.display()))?;
    Ok(read.into_iter().map(CertificateDer::from).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
}

/// Octets of a file with a secret, with a note on stderr if others can read it.
fn secret(path: &Path) -> Result<Vec<u8>, String> {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o006 != 0) {
        let shown = path.display();
        let note =
            format!("note: every user of this machine may read or write `{shown}`: use `chmod o= {shown}`");
        let _ = writeln!(std::io::stderr(), "{note}");
    }
    read(path)
}
