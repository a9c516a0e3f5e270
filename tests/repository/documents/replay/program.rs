//! The program over a copy of the sample, on ports of its own.

use crate::support::Tree;
use meridian::testing::answer::Transport;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// The program in a folder of its own.
pub struct Program {
    /// Removed with its files in the end.
    _temporary: TempDir,
    /// Current folder of every command.
    folder: PathBuf,
    server: Option<Server>,
}

/// A running server.
struct Server {
    child: Child,
    dns: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ours alone, by its handle; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.env("NO_COLOR", "1").env_remove("RUST_LOG").env_remove("MERIDIAN_CONFIG");
    command
}

/// Whether the program of this build has a command.
pub fn has_command(name: &str) -> bool {
    let told = binary().args([name, "--help"]).stdin(Stdio::null()).output();
    told.is_ok_and(|told| told.status.success() && String::from_utf8_lossy(&told.stdout).contains("Usage"))
}

impl Program {
    /// The program in an empty folder, without a server.
    pub fn in_empty_folder() -> Result<Program, String> {
        let temporary = tempfile::tempdir().map_err(|e| e.to_string())?;
        Ok(Program { folder: temporary.path().to_owned(), _temporary: temporary, server: None })
    }

    /// A server over a copy of the sample.
    pub fn start() -> Result<Program, String> {
        let mut program = Program::in_empty_folder()?;
        let top = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        for name in ["meridian.yaml", "pops.yaml", "policies.yaml", "zones", "geoip"] {
            copy(&top.join(name), &program.folder.join(name)).map_err(|e| format!("{name}: {e}"))?;
        }
        program.serve()?;
        Ok(program)
    }

    /// Enters a folder below the current one.
    pub fn enter(&mut self, folder: &str) -> Result<(), String> {
        self.folder.push(folder);
        if self.folder.is_dir() { Ok(()) } else { Err(format!("  there is no folder {folder}")) }
    }

    /// Starts the server of the current folder on free ports.
    pub fn serve(&mut self) -> Result<(), String> {
        let server = self.folder.join("meridian.yaml");
        let text = fs::read_to_string(&server).map_err(|e| e.to_string())?;
        // Port 0: the kernel gives a free one, and the server says which.
        let text = text
            .replace(r#"["127.0.0.1:5300", "[::1]:5300"]"#, r#"["127.0.0.1:0"]"#)
            .replace("  admin: ", "  # admin: ");
        assert!(text.contains("127.0.0.1:0"), "the deployment listens where this test expects it");
        fs::write(&server, text).map_err(|e| e.to_string())?;
        let mut child = binary()
            .arg("serve")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut banner = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        while banner.read_line(&mut line).map_err(|e| e.to_string())? > 0 {
            if let ["dns", address, ..] = line.split_whitespace().collect::<Vec<_>>().as_slice()
                && let Ok(dns) = address.parse()
            {
                // Whoever prints to a closed pipe would fail: the rest of the banner is read away.
                std::thread::spawn(move || {
                    let _ = banner.read_to_string(&mut String::new());
                });
                self.server = Some(Server { child, dns });
                return Ok(());
            }
            line.clear();
        }
        let _ = child.kill();
        let _ = child.wait();
        Err("the server ended without saying where it serves".to_owned())
    }

    /// Asks over a socket.
    pub fn ask(&self, packet: &[u8], transport: Transport) -> Result<Vec<u8>, String> {
        let server = self.server.as_ref().ok_or("  no server runs")?;
        match transport {
            Transport::Udp => server.ask_udp(packet),
            Transport::Tcp => server.ask_tcp(packet),
        }
        .map_err(|e| format!("  no answer: {e}"))
    }

    /// Runs a command where the server runs; what it prints, findings first.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let told = binary().args(arguments).current_dir(&self.folder).output().map_err(|e| e.to_string())?;
        Ok(format!("{}{}", String::from_utf8_lossy(&told.stderr), String::from_utf8_lossy(&told.stdout)))
    }

    /// SIGHUP.
    pub fn hangup(&self) -> Result<(), String> {
        let server = self.server.as_ref().ok_or("  no server runs")?;
        let sent = Command::new("kill")
            .args(["-HUP", &server.child.id().to_string()])
            .status()
            .map_err(|e| e.to_string())?;
        if sent.success() { Ok(()) } else { Err("  the signal could not be sent".to_owned()) }
    }

    /// The text of a file.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }

    /// Changes a file.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    /// The files.
    pub fn tree(&self) -> Tree {
        Tree { base: self.folder.clone(), ..Tree::default() }
    }
}

impl Server {
    fn ask_udp(&self, packet: &[u8]) -> std::io::Result<Vec<u8>> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.dns)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send(packet)?;
        let mut answer = vec![0; 65_535];
        let len = socket.recv(&mut answer)?;
        answer.truncate(len);
        Ok(answer)
    }

    fn ask_tcp(&self, packet: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.dns)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[&(packet.len() as u16).to_be_bytes(), packet].concat())?;
        let mut len = [0; 2];
        stream.read_exact(&mut len)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
