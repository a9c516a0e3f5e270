//! The lanes: what carries queries and answers, and the control pages, each kept going by the
//! supervisor.

use super::pages::{self, PageSockets, PagesContext};
use super::sockets::Sockets;
use super::{Engine, Server};
use crate::control;
use crate::reload::running::RestartOnly;
use crate::shared::counters::{CounterBlock, Lane};
use crate::shared::task::Task;
use crate::sys::socket::take_up;
use crate::transport::connection_limit::ConnectionLimit;
#[cfg(feature = "portable")]
use crate::transport::portable::{self, Portable};
use crate::transport::slow_path::{self, SlowPathQueue};
use crate::transport::tcp::{self, TcpContext};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Server {
    /// Begins to answer.
    pub(super) fn start_lanes(
        &mut self,
        sockets: Sockets,
        fixed: &RestartOnly,
        blocks: Blocks,
    ) -> io::Result<()> {
        let context = self.runtimes.tcp.enter();
        let idle = Duration::from_secs(u64::from(fixed.listen.tcp_idle_secs));
        let (queue, far_end) = SlowPathQueue::new();
        let tcp_connections = self.shared.descriptors.shares().tcp as u32;
        let tcp_context = Arc::new(TcpContext {
            shared: Arc::clone(&self.shared),
            block: Arc::clone(&blocks.tcp),
            connection_limit: Arc::new(ConnectionLimit::new(
                tcp_connections,
                fixed.listen.tcp_connections_per_prefix,
            )),
            slow_path: queue.clone(),
            idle,
            stop: self.stop.clone(),
        });
        for listener in sockets.tcp {
            let tcp_context = Arc::clone(&tcp_context);
            let mut first = Some(listener.try_clone()?);
            let serve = move || {
                let listener = take_up(&mut first, || listener.try_clone());
                let tcp_context = Arc::clone(&tcp_context);
                async move {
                    match listener.and_then(tokio::net::TcpListener::from_std) {
                        Ok(listener) => tcp::serve(listener, tcp_context).await,
                        Err(error) => panic!("the listener cannot be taken up again: {error}"),
                    }
                }
            };
            self.tasks.push(self.runtimes.tcp.spawn(self.supervisor.clone().keep(Task::Tcp, serve)));
        }
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
}

/// The counter blocks of a server's lanes.
pub(super) struct Blocks {
    /// One for each UDP worker.
    pub(super) udp: Vec<Arc<CounterBlock>>,
    /// UDP of the portable engine.
    pub(super) shared_udp: Arc<CounterBlock>,
    /// TCP.
    pub(super) tcp: Arc<CounterBlock>,
}

impl Blocks {
    /// Blocks for so many workers.
    pub(super) fn new(workers: usize) -> Blocks {
        Blocks {
            udp: (0..workers)
                .map(|worker| Arc::new(CounterBlock::single_writer(Lane::Udp, worker)))
                .collect(),
            shared_udp: Arc::new(CounterBlock::multi_writer(Lane::Udp, workers)),
            tcp: Arc::new(CounterBlock::multi_writer(Lane::Tcp, workers + 1)),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<CounterBlock>> {
        self.udp.iter().chain([&self.shared_udp, &self.tcp]).cloned().collect()
    }
}
