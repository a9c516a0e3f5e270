//! A UDP worker for benchmarks: its caller runs the loop one turn at a time. A turn runs the same
//! code as a UDP worker of the server, system calls included. Send queries before each turn,
//! because a turn on an empty socket waits until the receive timeout.

use crate::answer::Transport;
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Counters};
use crate::shared::descriptors::Descriptors;
use crate::shared::operator_view::OperatorView;
use crate::shared::published::Published;
use crate::shared::tasks::TaskBoard;
use crate::snapshot::Snapshot;
use crate::sys::socket::{self, Buffers};
use crate::transport::udp::{self, Drops, Kept, WorkerContext};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The worker.
pub struct SteppedWorker {
    worker_context: WorkerContext,
    kept: Kept,
    drops: Drops,
}

impl SteppedWorker {
    /// Opens a socket as the server does. The worker answers from one snapshot, in batches of
    /// `batch` datagrams.
    pub fn open(address: SocketAddr, snapshot: Arc<Snapshot>, batch: usize) -> io::Result<SteppedWorker> {
        let block = Arc::new(CounterBlock::single_writer(Transport::Udp, 0));
        let shared = Shared::new(
            Published::new(snapshot, 1),
            Counters::new(vec![Arc::clone(&block)], Arc::default()),
            OperatorView::default(),
            Arc::new(TaskBoard::new(1)),
            Arc::new(Descriptors::default()),
        );
        let worker_context = WorkerContext {
            socket: Arc::new(socket::worker(address, Buffers::default())?),
            split: Arc::default(),
            shared: Arc::new(shared),
            block,
            batch,
            workers: 1,
            cpu: None,
            stop: Arc::new(AtomicBool::new(false)),
        };
        Ok(SteppedWorker { worker_context, kept: Kept::new(batch), drops: Drops::default() })
    }

    /// Address of the worker's socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.worker_context.socket.local_addr()
    }

    /// The snapshot in service.
    pub fn published(&self) -> &Published {
        &self.worker_context.shared.published
    }

    /// One turn of the loop. Returns the number of datagrams.
    #[inline(never)]
    pub fn turn(&mut self) -> usize {
        udp::turn(&self.worker_context, &mut self.kept, &mut self.drops)
    }
}
