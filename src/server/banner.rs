//! The banner: text that a server prints after its start.

use super::{Server, descriptors};
use std::fmt::Write;

impl Server {
    /// Addresses and settings of the server, for the operator who started it.
    pub fn banner(&self) -> String {
        let snapshot = self.shared.published.snapshot();
        let mut text = format!("meridian {} serves as {}\n", env!("CARGO_PKG_VERSION"), snapshot.node_name());
        for address in &self.bound {
            let _ = writeln!(text, "  dns       {address} (UDP, TCP)");
        }
        for (transport, address) in &self.streams {
            let _ = writeln!(text, "  {:<9} {address}", transport.word());
        }
        let _ = writeln!(text, "  control   {}", self.control().display());
        if let Some(admin) = self.admin {
            let scheme = if snapshot.admin.is_some() { "https" } else { "http" };
            let _ = writeln!(text, "  admin     {scheme}://{admin}");
        }
        let _ = writeln!(text, "  engine    {}", self.engine.word());
        for line in &self.rights {
            let _ = writeln!(text, "  rights    {line}");
        }
        for line in &self.lanes {
            let _ = writeln!(text, "  udp       {line}");
        }
        let _ = writeln!(text, "  files     {}", descriptors::words(self.shared.descriptors.shares()));
        for line in snapshot.summary().to_string().lines() {
            let _ = writeln!(text, "  {line}");
        }
        let (digest, files) = (snapshot.digest(), snapshot.files_digest());
        let _ = writeln!(text, "  snapshot  {}, digest {digest}, files {files}", snapshot.sequence());
        text
    }
}
