//! Processor time of DNS over TLS: answers on open connections, and handshakes.

use crate::start;
use rustls::client::Resumption;
use rustls::{ALL_VERSIONS, ClientConfig};
use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::certificate::{Secure, client, secure, sound};
use support::deployment::{PATIENCE, framed};
use support::machine::median;
use support::report::Report;
use support::servers::{Additions, Kind, Running};
use support::world::Question;
use support::world::ordinary::{Kind as Workload, Ordinary};

/// Connections that ask by turns, and questions that one sends at once: one, because NSD 4.6.1 did
/// not answer four questions of one TLS record within 30 seconds.
const CONNECTIONS: usize = 32;
const PIPELINED: usize = 1;

/// A server with its costs.
struct Measured {
    server: Running,
    clients: Vec<Secure>,
    answer_nanos: Vec<f64>,
    handshake_nanos: Vec<f64>,
    handshakes: Vec<f64>,
}

/// Measures all servers by turns.
pub fn measure((rounds, duration): (usize, Duration), world: &Ordinary, folder: &Path, report: &mut Report) {
    let pair = sound();
    // Full handshakes: a client that comes back with a ticket costs less.
    let mut config = ClientConfig::clone(&client(&[&pair], ALL_VERSIONS, &["dot"]));
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    let more = Additions { tls: Some(&pair), ..Additions::default() };
    let mut all = Vec::new();
    for kind in [Kind::Meridian, Kind::Nsd, Kind::Bind] {
        let at = folder.join(format!("{}-tls", kind.word()));
        let Some(server) = start(kind, world, &at, &more, report) else { continue };
        let clients: Result<Vec<_>> = (0..CONNECTIONS).map(|_| open(&config, server.dot)).collect();
        match clients {
            Ok(clients) => all.push(Measured {
                server,
                clients,
                answer_nanos: Vec::new(),
                handshake_nanos: Vec::new(),
                handshakes: Vec::new(),
            }),
            Err(why) => report.skipped.push((format!("{} over TLS", kind.word()), why.to_string())),
        }
    }
    let questions = world.questions(Workload::Static, 16_384);
    for round in 0..=rounds {
        all.retain_mut(|of| {
            let cost = answers(of, &questions, duration);
            let opened = handshakes(&of.server, &config, &questions, duration);
            match (cost, opened) {
                (Ok(cost), Ok((each, a_second))) => {
                    // The first round warms caches and branch predictors.
                    if round > 0 {
                        of.answer_nanos.push(cost);
                        of.handshake_nanos.push(each);
                        of.handshakes.push(a_second);
                    }
                    true
                }
                (Err(why), _) | (_, Err(why)) => {
                    let word = format!("{} over TLS, in round {round}", of.server.kind.word());
                    report.skipped.push((word, why.to_string()));
                    false
                }
            }
        });
    }
    tell(all, report);
}

fn tell(all: Vec<Measured>, report: &mut Report) {
    let (mut own, mut least) = ([f64::NAN; 2], [f64::INFINITY; 2]);
    for of in all {
        let word = of.server.kind.word();
        let costs = [median(of.answer_nanos), median(of.handshake_nanos)];
        let figures = [
            (format!("{word}: ns an answer over TLS"), costs[0]),
            (format!("{word}: us a connection with its handshake and one answer"), costs[1] / 1000.0),
            (format!("{word}: such connections a second, one after the other"), median(of.handshakes)),
        ];
        report.figures.extend(figures);
        match of.server.kind {
            Kind::Meridian => own = costs,
            _ => least = [least[0].min(costs[0]), least[1].min(costs[1])],
        }
    }
    for (what, place) in [("an answer", 0), ("a connection", 1)] {
        if least[place].is_finite() && own[place].is_finite() {
            let what = format!("{what} over TLS, as a share of that of the cheapest peer");
            report.at_most(&what, own[place] / least[place], 1.0);
        }
    }
}

fn open(config: &Arc<ClientConfig>, at: SocketAddr) -> Result<Secure> {
    let stream = TcpStream::connect(at)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    secure(config, stream)
}

/// Nanoseconds of processor time for one answer on open connections.
fn answers(of: &mut Measured, questions: &[Question], duration: Duration) -> Result<f64> {
    let mut next = questions.iter().cycle();
    let (mut answered, mut asked) = (0_u64, Vec::new());
    let before = of.server.cpu_nanos();
    let started = Instant::now();
    while started.elapsed() < duration {
        for client in &mut of.clients {
            asked.clear();
            for question in next.by_ref().take(PIPELINED) {
                asked.extend(framed(&question.packet));
            }
            client.write_all(&asked)?;
            client.flush()?;
        }
        for client in &mut of.clients {
            for _ in 0..PIPELINED {
                read_answer(client)?;
                answered += 1;
            }
        }
    }
    Ok((of.server.cpu_nanos() - before) as f64 / answered as f64)
}

/// Nanoseconds of processor time for one connection with one answer, and connections a second.
fn handshakes(
    server: &Running,
    config: &Arc<ClientConfig>,
    questions: &[Question],
    duration: Duration,
) -> Result<(f64, f64)> {
    let before = server.cpu_nanos();
    let started = Instant::now();
    let mut opened = 0_u64;
    while started.elapsed() < duration {
        let mut client = open(config, server.dot)?;
        let question = &questions[opened as usize % questions.len()];
        client.write_all(&framed(&question.packet))?;
        client.flush()?;
        read_answer(&mut client)?;
        client.conn.send_close_notify();
        client.flush()?;
        opened += 1;
    }
    let a_second = opened as f64 / started.elapsed().as_secs_f64();
    Ok(((server.cpu_nanos() - before) as f64 / opened as f64, a_second))
}

/// Reads one message, which must be a sound answer.
fn read_answer(client: &mut Secure) -> Result<()> {
    let (mut length, mut message) = ([0; 2], [0; 65_535]);
    client.read_exact(&mut length)?;
    let message = &mut message[..usize::from(u16::from_be_bytes(length))];
    client.read_exact(message)?;
    assert!(message.len() > 12 && message[3] & 0x0f == 0, "no sound answer: {message:?}");
    Ok(())
}
