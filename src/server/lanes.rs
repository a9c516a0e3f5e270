//! The lanes: start the transports and the control pages, under the supervisor.

#[cfg(target_os = "linux")]
use super::overload::{OverloadLoop, WorkerSocket};
use super::pages::{self, PageSockets, PagesContext};
use super::sockets::Sockets;
use super::streams::{StreamListen, stream_listens};
use super::{Engine, Server};
use crate::answer::Transport;
use crate::control;
use crate::control::admin_host::AdminHosts;
use crate::reload::running::RestartOnly;
use crate::shared::counters::CounterBlock;
use crate::shared::descriptors::Use;
use crate::shared::task::Task;
use crate::sys::host_name::host_name;
use crate::sys::socket::take_up;
use crate::transport::connection_limit::ConnectionLimit;
use crate::transport::doh::DnsOverHttps;
use crate::transport::doq::{self, DnsOverQuic};
use crate::transport::dot::DnsOverTls;
#[cfg(feature = "portable")]
use crate::transport::portable::{self, Portable};
use crate::transport::stream::{self, Carrier, StreamContext};
use crate::transport::tcp::PlainTcp;
use std::io;
use std::net::{TcpListener, UdpSocket};
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
        let runtime = self.runtimes.tcp.handle().clone();
        let context = runtime.enter();
        let mut listeners = sockets.streams;
        for stream in stream_listens(&fixed.listen) {
            let (its, others) =
                listeners.into_iter().partition(|(transport, _)| *transport == stream.transport);
            listeners = others;
            let its = StreamLane { stream, listeners: its, blocks: &blocks };
            let tasks = match stream.transport {
                Transport::Udp => continue,
                Transport::Tcp => self.start_stream(PlainTcp, its)?,
                Transport::Dot => {
                    let carrier = DnsOverTls::new(Arc::clone(&self.shared)).map_err(io::Error::other)?;
                    self.start_stream(carrier, its)?
                }
                Transport::Doh => {
                    let carrier = DnsOverHttps::new(Arc::clone(&self.shared)).map_err(io::Error::other)?;
                    self.start_stream(carrier, its)?
                }
                Transport::Doq => self.start_quic(&sockets.quic, its)?,
            };
            self.tasks.extend(tasks);
        }
        match self.engine {
            #[cfg(feature = "portable")]
            Engine::Hickory => self.start_portable(sockets.udp, Arc::clone(blocks.shared(Transport::Udp)))?,
            Engine::Fast => {
                #[cfg(target_os = "linux")]
                {
                    let pinned = sockets.udp.into_iter().zip(sockets.cpus);
                    self.start_workers(pinned, blocks.udp, fixed.listen.batch)?;
                }
            }
        }
        drop(context);
        let hosts = AdminHosts::new(&fixed.listen.admin_hosts, host_name().as_deref());
        self.start_pages(PageSockets {
            #[cfg(unix)]
            control: sockets.control,
            admin: sockets.admin.map(|listener| (listener, Arc::new(hosts))),
        });
        Ok(())
    }

    /// Starts a UDP worker for each socket, bound to the core beside it.
    #[cfg(target_os = "linux")]
    fn start_workers(
        &mut self,
        sockets: impl Iterator<Item = (UdpSocket, Option<u16>)>,
        blocks: Vec<Arc<CounterBlock>>,
        batch: u16,
    ) -> io::Result<()> {
        let workers = blocks.len() as u32;
        let mut watched = Vec::new();
        for ((socket, cpu), block) in sockets.zip(blocks) {
            let (socket, split) = (Arc::new(socket), Arc::default());
            watched.push(WorkerSocket {
                socket: Arc::clone(&socket),
                block: Arc::clone(&block),
                split: Arc::clone(&split),
            });
            self.workers.threads.start(crate::transport::udp::WorkerContext {
                socket,
                split,
                shared: Arc::clone(&self.shared),
                block,
                batch: usize::from(batch),
                workers,
                cpu,
                stop: Arc::clone(&self.workers.stop),
            })?;
        }
        let (shared, event_log, stop) = (Arc::clone(&self.shared), self.event_log.clone(), self.stop.clone());
        let shed =
            move || OverloadLoop::new(Arc::clone(&shared), event_log.clone(), &watched).run(stop.clone());
        self.tasks.push(self.runtimes.probes.spawn(self.supervisor.clone().keep(Task::Overload, shed)));
        Ok(())
    }

    /// Starts the portable engine, which has one task for all UDP sockets.
    #[cfg(feature = "portable")]
    fn start_portable(&mut self, udp: Vec<UdpSocket>, block: Arc<CounterBlock>) -> io::Result<()> {
        if self.shared.published.snapshot().overload.is_some() {
            tracing::warn!("`overload` has no effect with `--engine hickory`");
        }
        if self.shared.published.snapshot().proxies.is_some() {
            tracing::warn!(
                "`--engine hickory` reads no PROXY headers over UDP: clients behind a balancer get no answers"
            );
        }
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        let clones =
            |of: &[UdpSocket]| -> io::Result<Vec<_>> { of.iter().map(UdpSocket::try_clone).collect() };
        let mut first = Some(clones(&udp)?);
        let serve = move || {
            let handler = Portable { shared: Arc::clone(&shared), udp: Arc::clone(&block) };
            let sockets = take_up(&mut first, || clones(&udp));
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
        Ok(())
    }

    /// Starts the control pages.
    fn start_pages(&mut self, sockets: PageSockets) {
        let shown = control::Shown {
            shared: Arc::clone(&self.shared),
            dns: self.bound.clone(),
            streams: self.streams.clone(),
            engine: self.engine.word(),
            config: Arc::clone(&self.config),
            started: Instant::now(),
            pages: Arc::default(),
        };
        let context = PagesContext {
            shown,
            command_sender: Arc::clone(&self.command_sender),
            event_log: self.event_log.clone(),
            supervisor: self.supervisor.clone(),
            stop: self.stop.clone(),
            handshakes: self.runtimes.handshakes.handle().clone(),
        };
        self.tasks.extend(pages::start(&self.runtimes.pages, context, sockets));
    }

    /// Starts the listeners of one stream transport.
    fn start_stream<C: Carrier>(&self, carrier: C, lane: StreamLane<'_>) -> io::Result<Vec<JoinHandle<()>>> {
        let connections = self.shared.descriptors.shares().of(Use::Stream(C::TRANSPORT)) as u32;
        let context = self.stream_context(carrier, connections, &lane);
        let mut tasks = Vec::new();
        for (_, listener) in lane.listeners {
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
            let kept = self.supervisor.clone().keep(Task::Stream(C::TRANSPORT), serve);
            tasks.push(self.runtimes.tcp.spawn(kept));
        }
        Ok(tasks)
    }

    /// Starts the sockets of DNS over QUIC, whose connections take no descriptors.
    fn start_quic(&self, sockets: &[UdpSocket], lane: StreamLane<'_>) -> io::Result<Vec<JoinHandle<()>>> {
        let carrier = DnsOverQuic::new(Arc::clone(&self.shared), lane.idle())?;
        let context = self.stream_context(carrier, lane.stream.limits.connections, &lane);
        let mut tasks = Vec::new();
        for socket in sockets {
            let (context, socket) = (Arc::clone(&context), socket.try_clone()?);
            let serve = move || {
                let (context, socket) = (Arc::clone(&context), socket.try_clone());
                async move {
                    let served = match socket {
                        Ok(socket) => doq::serve(socket, context).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = served {
                        panic!("DNS over QUIC ended: {error}");
                    }
                }
            };
            let kept = self.supervisor.clone().keep(Task::Stream(Transport::Doq), serve);
            tasks.push(self.runtimes.tcp.spawn(kept));
        }
        Ok(tasks)
    }

    /// Context of the connections of one stream transport, of which there are so many at most.
    fn stream_context<C>(
        &self,
        carrier: C,
        connections: u32,
        lane: &StreamLane<'_>,
    ) -> Arc<StreamContext<C>> {
        let StreamListen { transport, limits, .. } = lane.stream;
        Arc::new(StreamContext {
            carrier,
            shared: Arc::clone(&self.shared),
            block: Arc::clone(lane.blocks.shared(transport)),
            connection_limit: Arc::new(ConnectionLimit::new(connections, limits.per_prefix)),
            idle: lane.idle(),
            stop: self.stop.clone(),
        })
    }
}

/// Sockets, settings and counters of one stream transport.
struct StreamLane<'l> {
    /// Limits.
    stream: StreamListen<'l>,
    /// Listeners, with the transport of each.
    listeners: Vec<(Transport, TcpListener)>,
    /// Counter blocks.
    blocks: &'l Blocks,
}

impl StreamLane<'_> {
    /// Time without a query after which a connection is closed.
    fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.stream.limits.idle_secs))
    }
}

/// Counter blocks of the transports of a server.
pub(super) struct Blocks {
    /// One for each UDP worker.
    pub(super) udp: Vec<Arc<CounterBlock>>,
    /// One for each transport, in order of [`Transport::ALL`]: UDP of the portable engine, and each
    /// stream transport.
    shared: [Arc<CounterBlock>; Transport::ALL.len()],
}

impl Blocks {
    /// Blocks for `workers` UDP workers.
    pub(super) fn new(workers: usize) -> Blocks {
        let shared = |index| Arc::new(CounterBlock::multi_writer(Transport::ALL[index], workers + index));
        Blocks {
            udp: (0..workers)
                .map(|worker| Arc::new(CounterBlock::single_writer(Transport::Udp, worker)))
                .collect(),
            shared: std::array::from_fn(shared),
        }
    }

    /// All blocks.
    pub(super) fn all(&self) -> Vec<Arc<CounterBlock>> {
        self.udp.iter().chain(&self.shared).cloned().collect()
    }

    /// Block that all tasks of a transport share.
    fn shared(&self, transport: Transport) -> &Arc<CounterBlock> {
        &self.shared[transport as usize]
    }
}
