//! `meridian serve`.

use crate::cli::{Config, Format, colour, log, print, print_findings};
use crate::finding::{Files, Finding, code, render};
use crate::limits::{LOG_FLUSH_SECS, STOP_SECS};
use crate::server::{Engine, Options, OwnProcess, Server};
use crate::sys::log_queue::LogQueue;
use clap::ValueEnum;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signals:
  SIGHUP            reload the files; bad files change nothing
  SIGTERM, SIGINT   finish running answers and stop

Examples:
  meridian serve
  meridian serve --config site/meridian.yaml --log json
  meridian serve --engine hickory")]
pub(crate) struct Serve {
    #[command(flatten)]
    config: Config,
    /// Engine that carries the packets
    #[arg(long, value_enum, default_value_t = EngineArgument::default())]
    engine: EngineArgument,
    /// Format of the log on stderr
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineArgument {
    /// Batches of datagrams on threads of their own (Linux)
    Fast,
    /// hickory's server, on every system that Rust supports
    #[cfg(feature = "portable")]
    Hickory,
}

impl Default for EngineArgument {
    fn default() -> EngineArgument {
        #[cfg(any(target_os = "linux", not(feature = "portable")))]
        return EngineArgument::Fast;
        #[cfg(not(any(target_os = "linux", not(feature = "portable"))))]
        EngineArgument::Hickory
    }
}

impl Serve {
    /// Serves until a signal stops it.
    pub(crate) fn run(self) -> ExitCode {
        let log = match log::start(self.log) {
            Ok(log) => log,
            Err(error) => {
                let finding = Finding::error(code::OWN_FAULT, format!("the log cannot start: {error}"));
                print_findings(&finding.into(), &Files::default());
                return ExitCode::FAILURE;
            }
        };
        // Flushes also the last line of a panic of this thread.
        let _flushed = FlushedAtEnd(log.clone());
        // Orphans of probe programs become children of this process.
        crate::sys::children::adopt();
        let engine = match self.engine {
            EngineArgument::Fast => Engine::Fast,
            #[cfg(feature = "portable")]
            EngineArgument::Hickory => Engine::Hickory,
        };
        let own_process = Some(OwnProcess(log.clone()));
        let options = Options { config: self.config.path(), engine, log_dropped: log.dropped(), own_process };
        match Server::start(&options) {
            Ok(mut server) => {
                let (findings, files) = server.findings();
                let findings = render::text(findings, files, colour::on_stderr());
                if !findings.is_empty() {
                    log.text(&findings);
                }
                // On a thread of its own, because a reader of stdout that has stopped must not
                // delay signals.
                let banner = server.banner();
                let _ = std::thread::Builder::new().name("banner".to_owned()).spawn(move || print(&banner));
                let is_fault = server.wait();
                // A disk that hangs, or a fault, must not keep the process alive: the state that
                // the next start needs is saved by now, or cannot be.
                #[allow(clippy::disallowed_methods)] // it waits for the time limit of the stop
                let cut_off = || {
                    std::thread::sleep(Duration::from_secs(STOP_SECS));
                    tracing::error!("the server did not stop within {STOP_SECS} s, and is cut off");
                    std::thread::sleep(Duration::from_millis(100));
                    std::process::exit(1);
                };
                let _ = std::thread::Builder::new().name("cut-off".to_owned()).spawn(cut_off);
                server.stop();
                if is_fault { ExitCode::FAILURE } else { ExitCode::SUCCESS }
            }
            Err(refusal) => {
                log.flush(Duration::from_secs(LOG_FLUSH_SECS));
                print_findings(&refusal.0, &refusal.1);
                ExitCode::FAILURE
            }
        }
    }
}

/// Flushes the log at every end of the command, for at most [`LOG_FLUSH_SECS`].
struct FlushedAtEnd(LogQueue);

impl Drop for FlushedAtEnd {
    fn drop(&mut self) {
        self.0.flush(Duration::from_secs(LOG_FLUSH_SECS));
    }
}
