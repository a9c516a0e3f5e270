//! The lanes: start the transports and the control pages, under the supervisor.

use super::pages::{self, PageSockets, PagesContext};
use super::sockets::Sockets;
use super::{Engine, Server};
use crate::answer::Transport;
use crate::control;
use crate::reload::running::RestartOnly;
use crate::shared::counters::CounterBlock;
use crate::shared::task::Task;
use crate::sys::socket::take_up;
use crate::transport::connection_limit::ConnectionLimit;
#[cfg(feature = "portable")]
use crate::transport::portable::{self, Portable};
use crate::transport::slow_path::{self, SlowPathQueue};
use crate::transport::stream::{self, Carrier, StreamContext};
use crate::transport::tcp::PlainTcp;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

impl Server {
    /// Starts the transports and the control pages.
    pub(super) fn start_lanes(
        &mut self,
        sockets: Sockets,
        fixed: &RestartOnly,
        blocks: Blocks,
    ) -> io::Result<()> {
        let context = self.runtimes.tcp.enter();
        let (queue, far_end) = SlowPathQueue::new();
        let limits = StreamLimits {
            connections: self.shared.descriptors.shares().tcp as u32,
            per_prefix: fixed.listen.tcp_connections_per_prefix,
            idle_secs: fixed.listen.tcp_idle_secs,
        };
        let streams = self.start_streams(PlainTcp, sockets.tcp, limits, &blocks, &queue)?;
        self.tasks.extend(streams);
        let shared = Arc::clone(&self.shared);
        let serve = move || slow_path::serve(Arc::clone(&far_end), Arc::clone(&shared));
        self.tasks.push(self.runtimes.tcp.spawn(self.supervisor.clone().keep(Task::SlowPath, serve)));
        match self.engine {
            #[cfg(feature = "portable")]
            Engine::Hickory => {
                let (shared, block, stop) = (Arc::clone(&self.shared), blocks.shared_udp, self.stop.clone());
                let clones = |of: &[std::net::UdpSocket]| -> io::Result<Vec<_>> {
                    of.iter().map(std::net::UdpSocket::try_clone).collect()
                };
                let mut first = Some(clones(&sockets.udp)?);
                let serve = move || {
                    let handler = Portable { shared: Arc::clone(&shared), udp: Arc::clone(&block) };
                    let sockets = take_up(&mut first, || clones(&sockets.udp));
                    let stop = stop.clone();
                    async move {
                        let served = match sockets {
                            Ok(sockets) => portable::serve(handler, sockets, stop).await,
                            Err(error) => Err(error),
                        };
                        if let Err(error) = served {
                            panic!("the portable engine ended: {error}");
                        }
                    }
                };
                self.tasks.push(self.runtimes.tcp.spawn(self.supervisor.clone().keep(Task::Portable, serve)));
            }
            Engine::Fast => {
                #[cfg(target_os = "linux")]
                for ((socket, cpu), block) in sockets.udp.into_iter().zip(sockets.cpus).zip(blocks.udp) {
                    self.workers.threads.start(crate::transport::udp::WorkerContext {
                        socket: Arc::new(socket),
                        shared: Arc::clone(&self.shared),
                        block,
                        slow_path: queue.clone(),
                        batch: usize::from(fixed.listen.batch),
                        cpu,
                        stop: Arc::clone(&self.workers.stop),
                    })?;
                }
            }
        }
        let shown = control::Shown {
            shared: Arc::clone(&self.shared),
            dns: self.bound.clone(),
            engine: self.engine.word(),
            config: Arc::clone(&self.config),
            started: Instant::now(),
            pages: Arc::default(),
        };
        drop(context);
        let context = PagesContext {
            shown,
            command_sender: Arc::clone(&self.command_sender),
            event_log: self.event_log.clone(),
            supervisor: self.supervisor.clone(),
            stop: self.stop.clone(),
        };
        let sockets = PageSockets {
            #[cfg(unix)]
            control: sockets.control,
            admin: sockets.admin,
        };
        self.tasks.extend(pages::start(&self.runtimes.pages, context, sockets));
        Ok(())
    }

    /// Starts the listeners of one stream transport.
    fn start_streams<C: Carrier>(
        &self,
        carrier: C,
        listeners: Vec<TcpListener>,
        limits: StreamLimits,
        blocks: &Blocks,
        slow_path: &SlowPathQueue,
    ) -> io::Result<Vec<JoinHandle<()>>> {
        let context = Arc::new(StreamContext {
            carrier,
            shared: Arc::clone(&self.shared),
            block: blocks.of_stream(C::TRANSPORT),
            connection_limit: Arc::new(ConnectionLimit::new(limits.connections, limits.per_prefix)),
            slow_path: slow_path.clone(),
            idle: Duration::from_secs(u64::from(limits.idle_secs)),
            stop: self.stop.clone(),
        });
        let mut tasks = Vec::new();
        for listener in listeners {
            let context = Arc::clone(&context);
            let mut first = Some(listener.try_clone()?);
            let serve = move || {
                let listener = take_up(&mut first, || listener.try_clone());
                let context = Arc::clone(&context);
                async move {
                    match listener.and_then(tokio::net::TcpListener::from_std) {
                        Ok(listener) => stream::serve(listener, context).await,
                        Err(error) => panic!("the listener cannot be reopened: {error}"),
                    }
                }
            };
            tasks.push(self.runtimes.tcp.spawn(self.supervisor.clone().keep(Task::Tcp, serve)));
        }
        Ok(tasks)
    }
}

/// Connection limits of one stream transport.
#[derive(Clone, Copy, Debug)]
struct StreamLimits {
    /// Connections in total.
    connections: u32,
    /// Connections of each client prefix.
    per_prefix: u32,
    /// Seconds after which an idle connection is closed.
    idle_secs: u32,
}

/// Counter blocks of the transports of a server.
pub(super) struct Blocks {
    /// One for each UDP worker.
    pub(super) udp: Vec<Arc<CounterBlock>>,
    /// UDP of the portable engine.
    pub(super) shared_udp: Arc<CounterBlock>,
    /// One for each stream transport.
    streams: Vec<(Transport, Arc<CounterBlock>)>,
}

impl Blocks {
    /// Blocks for `workers` UDP workers.
    pub(super) fn new(workers: usize) -> Blocks {
        let streams = Transport::ALL.into_iter().filter(|transport| transport.is_stream());
        let stream = |(index, transport)| {
            (transport, Arc::new(CounterBlock::multi_writer(transport, workers + 1 + index)))
        };
        Blocks {
            udp: (0..workers)
                .map(|worker| Arc::new(CounterBlock::single_writer(Transport::Udp, worker)))
                .collect(),
            shared_udp: Arc::new(CounterBlock::multi_writer(Transport::Udp, workers)),
            streams: streams.enumerate().map(stream).collect(),
        }
    }

    /// All blocks.
    pub(super) fn all(&self) -> Vec<Arc<CounterBlock>> {
        let streams = self.streams.iter().map(|(_, block)| block);
        self.udp.iter().chain([&self.shared_udp]).chain(streams).cloned().collect()
    }

    /// Block of a stream transport.
    fn of_stream(&self, transport: Transport) -> Arc<CounterBlock> {
        let found = self.streams.iter().find(|(of, _)| *of == transport);
        Arc::clone(&found.expect("every stream transport has a block").1)
    }
}
