//! The program over a copy of the sample, on ports of its own.

use meridian::testing::answer::Transport;
use std::fs;
use std::path::PathBuf;
use support::Tree;
use support::deployment::{ask_tcp, ask_udp, copy_sample};
use support::program::{self, Process, Served};
use tempfile::TempDir;

/// The program in a folder of its own.
pub struct Program {
    /// Removed with its files in the end.
    _temporary: TempDir,
    /// Current folder of every command.
    folder: PathBuf,
    server: Option<Served>,
}

/// Whether the program of this build has a command.
pub fn has_command(name: &str) -> bool {
    let (status, stdout, _) = program::run(program::meridian(&[name, "--help"]));
    status == 0 && stdout.contains("Usage")
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
        copy_sample(&program.folder);
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
        let mut command = program::meridian(&["serve"]);
        command.current_dir(&self.folder);
        self.server = Some(Served::printed_by(Process::start(command))?);
        Ok(())
    }

    /// Asks over a socket.
    pub fn ask(&self, packet: &[u8], transport: Transport) -> Result<Vec<u8>, String> {
        let server = self.server.as_ref().ok_or("  no server runs")?;
        Ok(match transport {
            Transport::Udp => ask_udp(server.dns, packet),
            Transport::Tcp => ask_tcp(server.dns, packet),
            Transport::Dot | Transport::Doh | Transport::Doq => {
                return Err("`dig` asks over UDP and TCP alone here".to_owned());
            }
        })
    }

    /// Runs a command where the server runs; what it prints, findings first.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = program::meridian(arguments);
        command.current_dir(&self.folder);
        let (_, stdout, stderr) = program::run(command);
        Ok(stderr + &stdout)
    }

    /// SIGHUP.
    pub fn hangup(&self) -> Result<(), String> {
        let server = self.server.as_ref().ok_or("  no server runs")?;
        server.process.signal("HUP");
        Ok(())
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
