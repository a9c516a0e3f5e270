//! The runner: tickets come back, a hanging target delays no other, and a stop ends everything.

use super::target::{ANY, LONG, get, runtime, serve, target, why};
use meridian::testing::health::spec::{Check, ExecCheck};
use meridian::testing::probe::{Prober, runner};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[test]
fn hanging_targets_delay_no_other() {
    let healthy = serve(|mut stream| {
        super::web::request(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    // Connections wait in its queue, which nobody looks at.
    let hanging: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind(ANY).unwrap()).collect();
    runtime().block_on(async {
        let (give, work) = mpsc::channel(512);
        let (tell, mut told) = mpsc::unbounded_channel();
        let done = move |ticket, outcome| drop(tell.send((ticket, outcome)));
        for ticket in 0..200u64 {
            let to = hanging[ticket as usize % 4].local_addr().unwrap();
            give.send((ticket, target(Check::Http(get()), to, 3_000))).await.unwrap();
        }
        give.send((1_000, target(Check::Http(get()), healthy, LONG))).await.unwrap();
        drop(give);
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner::run(Arc::new(Prober::new()), work, done, stop));
        let (first, outcome) = told.recv().await.unwrap();
        assert_eq!((first, why(&outcome)), (1_000, ""), "the last that came, the first that ended");
        let mut rest = Vec::new();
        while let Some((ticket, outcome)) = told.recv().await {
            assert_eq!(why(&outcome), "no answer within 3 s (waiting for the response)");
            rest.push(ticket);
        }
        rest.sort_unstable();
        assert_eq!(rest, (0..200).collect::<Vec<u64>>());
        task.await.unwrap();
    });
}

#[test]
fn a_stop_ends_what_runs() {
    let hanging = TcpListener::bind(ANY).unwrap();
    runtime().block_on(async {
        let (give, work) = mpsc::channel(16);
        let (tell, mut told) = mpsc::unbounded_channel();
        let done = move |ticket, outcome| drop(tell.send((ticket, outcome)));
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner::run(Arc::new(Prober::new()), work, done, stop.clone()));
        let to = hanging.local_addr().unwrap();
        give.send((1, target(Check::Http(get()), to, 3_600_000))).await.unwrap();
        let command = ["sleep", "3600"].map(Into::into).to_vec();
        give.send((2, target(Check::Exec(ExecCheck { command }), to, 3_600_000))).await.unwrap();
        // The connection stands, so both have been taken up or are about to be.
        hanging.set_nonblocking(true).unwrap();
        let hanging = tokio::net::TcpListener::from_std(hanging).unwrap();
        let (mut stream, _) = hanging.accept().await.unwrap();
        stop.cancel();
        task.await.unwrap();
        assert_eq!(told.recv().await, None, "no outcome is made up");
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        assert!(rest.starts_with(b"GET /") || rest.is_empty(), "and the connection is closed");
    });
}

/// Processor time of this thread so far, in milliseconds (proc(5), fields 14 and 15 in ticks of 10
/// ms).
fn cpu_millis() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

/// Prints what 1,000 HTTP targets every 5 s cost the probing thread:
/// `cargo test --release --test program cost_of -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_thousand_targets() {
    let servers: Vec<_> = (0..8)
        .map(|_| {
            let listener = TcpListener::bind(ANY).unwrap();
            let address = listener.local_addr().unwrap();
            std::thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    let _ = stream.read(&mut [0; 1024]);
                    let _ = stream.write_all(
                        b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: \
                        text/plain\r\nContent-Length: 3\r\n\r\nok\n",
                    );
                }
            });
            address
        })
        .collect();
    runtime().block_on(async {
        let (give, work) = mpsc::channel(64);
        let (tell, mut told) = mpsc::unbounded_channel();
        let done = move |ticket, outcome| drop(tell.send((ticket, outcome)));
        tokio::spawn(runner::run(Arc::new(Prober::new()), work, done, CancellationToken::new()));
        let (begun, cpu) = (Instant::now(), cpu_millis());
        // Spread evenly, as the monitor spreads them.
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        let (runs, mut failed) = (4_000u64, 0);
        for ticket in 0..runs {
            tick.tick().await;
            let mut check = get();
            check.body = Some((*b"ok").into());
            give.send((ticket, target(Check::Http(check), servers[ticket as usize % 8], 2_000)))
                .await
                .unwrap();
            while let Ok((_, outcome)) = told.try_recv() {
                failed += u64::from(outcome.result.is_err());
            }
        }
        drop(give);
        while let Some((_, outcome)) = told.recv().await {
            failed += u64::from(outcome.result.is_err());
        }
        let (wall, cpu) = (begun.elapsed(), cpu_millis() - cpu);
        let percent = cpu as f64 / wall.as_millis() as f64 * 100.0;
        println!(
            "{runs} runs in {:.1} s, {failed} failed: {cpu} ms of one core, {percent:.1} %",
            wall.as_secs_f64()
        );
        assert_eq!(failed, 0);
    });
}
