//! `meridian serve`.

use crate::cli::{Config, Format, log, print, print_findings};
use crate::server::{Engine, Options, Server};
use clap::ValueEnum;
use std::process::ExitCode;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signals:
  SIGHUP            read the files anew; bad files change nothing
  SIGTERM, SIGINT   finish running answers and stop

Examples:
  meridian serve
  meridian serve --config site/meridian.yaml --log json
  meridian serve --engine hickory")]
pub(crate) struct Serve {
    #[command(flatten)]
    config: Config,
    /// Who carries the packets
    #[arg(long, value_enum, default_value_t = EngineArgument::default())]
    engine: EngineArgument,
    /// How the log on stderr is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineArgument {
    /// Batches of datagrams on threads of their own (Linux)
    Fast,
    /// hickory's server, wherever Rust runs
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
        log::start(self.log);
        let engine = match self.engine {
            EngineArgument::Fast => Engine::Fast,
            #[cfg(feature = "portable")]
            EngineArgument::Hickory => Engine::Hickory,
        };
        match Server::start(&Options { config: self.config.path(), engine }) {
            Ok(mut server) => {
                let (findings, files) = server.findings();
                print_findings(findings, files);
                print(&server.banner());
                server.wait();
                server.stop();
                ExitCode::SUCCESS
            }
            Err(refusal) => {
                print_findings(&refusal.0, &refusal.1);
                ExitCode::FAILURE
            }
        }
    }
}
