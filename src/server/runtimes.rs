//! Runtimes: each part of the server has threads of its own, so that no part waits for the work of
//! another.
//!
//! ```text
//!  tcp         answers over TCP, the portable engine               one thread a core
//!  pages       control socket, admin address                       one thread, and renderers
//!  handshakes  TLS of the admin address                            one thread
//!  probes      checks, load feeds, filters under overload          two threads, and readers of files
//!  writer      the single writer                                   one thread, and reloads and saves
//!  main        signals, the first round, the wait for the end      the thread that started the server
//! ```
//!
//! UDP workers are threads without a runtime (`src/transport/worker.rs`). The thread that waits for
//! signals runs nothing else, so that the server handles SIGTERM while every other thread is busy.

use crate::limits::{PAGE_THREADS, PROBE_BLOCKING_THREADS, WRITER_BLOCKING_THREADS};
use std::io;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// The runtimes of one server.
pub(crate) struct Runtimes {
    /// Signals, and other waits of the thread that started the server.
    pub(crate) main: Runtime,
    /// DNS over TCP.
    pub(crate) tcp: Runtime,
    /// The control socket and the admin address.
    pub(crate) pages: Runtime,
    /// Handshakes of the admin address, whose signatures take a thread for a millisecond each.
    pub(crate) handshakes: Runtime,
    /// Checks, load feeds, and the filters of sockets under overload.
    pub(crate) probes: Runtime,
    /// The writer, its reloads and its saves.
    pub(crate) writer: Runtime,
}

impl Runtimes {
    /// Starts the threads; `main` is that of the caller.
    pub(crate) fn new(main: Runtime) -> io::Result<Runtimes> {
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Runtimes {
            main,
            tcp: start("tcp", cores, 1)?,
            pages: start("pages", 1, PAGE_THREADS)?,
            handshakes: start("handshakes", 1, 1)?,
            probes: start("probes", 2, PROBE_BLOCKING_THREADS)?,
            writer: start("writer", 1, WRITER_BLOCKING_THREADS)?,
        })
    }

    /// Ends the threads of all runtimes within `within` in total. Threads that are blocked longer
    /// are abandoned.
    pub(crate) fn stop(self, within: Duration) {
        let end = Instant::now() + within;
        for runtime in [self.tcp, self.pages, self.handshakes, self.probes, self.writer, self.main] {
            runtime.shutdown_timeout(end.saturating_duration_since(Instant::now()));
        }
    }
}

/// Runtime of the calling thread, which starts no other.
pub(crate) fn main() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn start(name: &str, threads: usize, blocking: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name(name)
        .worker_threads(threads)
        .max_blocking_threads(blocking)
        .build()
}
