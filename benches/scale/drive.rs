//! One size, in a process of its own: loads, reloads, publishes and answers, and prints what each
//! took as JSON.

use crate::deployment::{Questions, Size};
use meridian::testing::answer::stages::Stages;
use meridian::testing::answer::{Client, Disposition, QueryContext, Transport};
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::limits::PREFETCH_MAX;
use meridian::testing::reload::prepare;
use meridian::testing::shared::published::Published;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop_status::PopStatus;
use meridian::testing::steer::status::Status;
use meridian::testing::sys::memory;
use serde_json::json;
use std::fs;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Questions that are asked over and over, as many as the comparison with other servers asks.
const WARM: usize = 16_384;
/// So many that little of what they touch is in a cache: each answer waits for memory.
const COLD: usize = 400_000;
/// Rounds of which the median counts, and their least duration: the kernel counts a thread's time
/// in ticks of 1 to 10 ms.
const ROUNDS: usize = 5;
const ROUND_NANOS: u64 = 200_000_000;
/// Publications of which the median counts.
const PUBLICATIONS: u64 = 21;

/// Time by the wall, and processor time of all threads.
struct Watch(Instant, f64);

impl Watch {
    fn start() -> Watch {
        Watch(Instant::now(), cpu_secs())
    }

    fn read(&self) -> (f64, f64) {
        (self.0.elapsed().as_secs_f64(), cpu_secs() - self.1)
    }
}

/// Processor time of this process: user and system, in seconds, to a hundredth.
fn cpu_secs() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>())
        .unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Processor time of this thread in nanoseconds.
fn thread_nanos() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

fn load(config: &Path, previous: Option<&Arc<Snapshot>>, sequence: u64) -> Snapshot {
    let fresh = prepare::run(config, previous, None, sequence).unwrap_or_else(|refused| {
        panic!("{}", meridian::testing::finding::render::text(&refused.0, &refused.1, false));
    });
    assert!(fresh.findings.is_empty(), "a finding would make a reload compile all anew");
    fresh.snapshot
}

/// Measures the deployment of a folder.
pub fn drive(size: Size, folder: &Path) {
    let config = folder.join("meridian.yaml");
    let watch = Watch::start();
    let snapshot = Arc::new(load(&config, None, 1));
    let (load_secs, load_cpu_secs) = watch.read();
    memory::give_back();
    let resident = memory::resident().unwrap_or(0);
    let peak = memory::peak().unwrap_or(0);
    let sizes = snapshot.sizes();

    let watch = Watch::start();
    drop(load(&config, Some(&snapshot), 2));
    let (reload_secs, _) = watch.read();

    let published = Published::new(Arc::clone(&snapshot), 2);
    let steering = &snapshot.steering;
    // Each is kept, as a worker could, so that what one holds can be seen.
    let mut kept = Vec::new();
    let before = memory::resident().unwrap_or(0);
    let mut publications: Vec<f64> = (0..PUBLICATIONS)
        .map(|number| {
            let mut slots = vec![SlotHealth::default(); steering.slots.len()];
            slots[0].down_v4 = number & 1;
            let watch = Instant::now();
            let pops = snapshot.pops.iter().map(PopStatus::of).collect();
            let health_state = HealthState { slots, ..HealthState::default() };
            let status = Status::new(pops, &steering.slots, &steering.policies, &health_state, Vec::new());
            kept.push(published.publish(Arc::new(snapshot.with_status(status, 3 + number))));
            watch.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    let publication = memory::resident().unwrap_or(0).saturating_sub(before) / PUBLICATIONS;
    drop(kept);
    publications.sort_by(f64::total_cmp);
    let found = json!({
        "load_secs": load_secs,
        "load_cpu_secs": load_cpu_secs,
        "reload_unchanged_secs": reload_secs,
        "resident_octets": resident,
        "peak_octets": peak,
        "publication_octets": publication,
        "publish_micros": publications[publications.len() / 2],
        "static_cpu_nanos": per_query(&snapshot, &size.plain(WARM)),
        "steered_cpu_nanos": per_query(&snapshot, &size.steered(WARM)),
        "static_cold_nanos": per_query(&snapshot, &size.plain(COLD)),
        "steered_cold_nanos": per_query(&snapshot, &size.steered(COLD)),
        "routes_octets": sizes.routes_octets,
        "plans_octets": sizes.preference_list_octets,
        "images_octets": sizes.images_octets,
        "route_leaves": sizes.leaves,
        "plans": sizes.preference_lists,
        "shares_routes": steering.shares_routes,
    });
    println!("{found}");
}

/// Queries that a worker takes from the kernel at once, and reads ahead for.
const BATCH: usize = PREFETCH_MAX;

/// Processor time of one answer in nanoseconds, in batches as a worker thread answers them.
fn per_query(snapshot: &Snapshot, questions: &Questions) -> f64 {
    let resolver = Ipv4Addr::new(192, 0, 2, 53);
    let client = Client { address: resolver.into(), transport: Transport::Udp };
    let (mut stages, mut out) = (Stages::default(), vec![0; 1_232]);
    let mut rounds: Vec<f64> = (0..=ROUNDS)
        .map(|_| {
            let (before, mut spent, mut asked) = (thread_nanos(), 0, 0);
            while spent < ROUND_NANOS {
                for start in (0..questions.count()).step_by(BATCH) {
                    let count = BATCH.min(questions.count() - start);
                    let octets = |index| questions.at(start + index);
                    let plans = stages.read(snapshot, count, octets, |_| resolver.into());
                    for index in start..start + count {
                        let moment = QueryContext { draw: 1, epoch_secs: 0 };
                        stages.respond(
                            (&plans, index - start),
                            snapshot,
                            black_box(questions.at(index)),
                            &client,
                            moment,
                            &mut out,
                        );
                        let outcome = &stages.outcome;
                        assert!(
                            matches!(outcome.disposition, Disposition::Send(_)) && outcome.rcode.0 == 0,
                            "{outcome:?}"
                        );
                    }
                    asked += count;
                }
                spent = thread_nanos() - before;
            }
            spent as f64 / asked as f64
        })
        .skip(1)
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
