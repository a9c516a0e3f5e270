//! Cost of latency maps: an import of logs, builds of maps, the second one on top of the first, and
//! the load of a deployment, by distance and by the map.
//!
//! ```console
//! # 20,000 networks, 40 PoPs and 200,000 log lines, some seconds
//! $ cargo bench --bench latency -- run
//! # a million networks, 200 PoPs and five million log lines
//! $ cargo bench --bench latency -- run --full
//! # the same with a hundred million log lines, which take 7 GB of disk
//! $ cargo bench --bench latency -- run --full --lines 100000000
//! ```
//!
//! Prints one row for each command: processor time (user and system) and the most resident memory,
//! both of the whole process, from reading the deployment to the finished file. Networks are /24
//! at places around 300 cities, three in ten of them with samples to their eight nearest PoPs.
//! Figures are read every 20 ms, so they miss at most the last 20 ms. Needs Linux.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};
use support::dice::Dice;
use support::program::{self, Process};
use support::{ServerFile, Tree, machine};

const USAGE: &str = "usage: cargo bench --bench latency -- run [--full] [--lines N]";
/// Seconds since 1970 of the first sample.
const BEGIN: u64 = 1_764_230_400;
/// Ticks of the kernel in a second, for `/proc/PID/stat`.
const TICKS: f64 = 100.0;

/// Size of a run.
struct Size {
    networks: usize,
    places: usize,
    pops: usize,
    log_lines: usize,
}

const SMALL: Size = Size { networks: 20_000, places: 3_000, pops: 40, log_lines: 200_000 };
const FULL: Size = Size { networks: 1_000_000, places: 120_000, pops: 200, log_lines: 5_000_000 };

/// Latitude and longitude in degrees.
type Place = (f64, f64);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let size = match words[..] {
        ["run"] => SMALL,
        ["run", "--full"] => FULL,
        ["run", "--full", "--lines", number] => {
            Size { log_lines: number.parse().expect("a number of lines"), ..FULL }
        }
        // `cargo bench` runs every benchmark without arguments.
        _ => return eprintln!("{USAGE}"),
    };
    let folder = tempfile::tempdir().expect("a folder");
    write(&size, folder.path());
    println!("{}, {}; {}", machine::processor(), machine::kernel(), machine::date());
    println!(
        "{} networks at {} places, {} PoPs, {} log lines",
        size.networks, size.places, size.pops, size.log_lines
    );
    let import = ["latency", "import", "--format", "nginx", "--pop", "p000", "--output", "rtt.csv", "log"];
    let first = ["latency", "build", "--epoch", "1764230400", "--output", "a.mmdb", "rows.csv"];
    let again =
        [&first[..4], &["--previous", "a.mmdb", "--explore", "0.5", "--output", "b.mmdb", "rows.csv"]];
    println!("{:<28}{:>10}{:>10}{:>10}", "command", "CPU s", "wall s", "MiB");
    run(folder.path(), "import", &import);
    run(folder.path(), "build", &first);
    run(folder.path(), "build --previous --explore", &again.concat());
    // `check` reads, compiles and lints, so the two rows differ by what the map costs.
    for (order, databases) in [("nearest", "[places.mmdb]"), ("latency", "[places.mmdb, a.mmdb]")] {
        steer(order, databases).write(folder.path());
        run(folder.path(), &format!("check, order: {order}"), &["check"]);
    }
}

/// Server file and zone of one policy over all PoPs.
fn steer(order: &str, databases: &str) -> Tree {
    let more = format!("geoip: {{ databases: {databases} }}\n");
    Tree::of(ServerFile { more: &more, ..ServerFile::default() }).with(
        "zones/made.example.yaml",
        format!(
            "zone: made.example.\nsoa: {{ mname: ns, rname: h }}\nrecords:\n  \"@\": {{ NS: ns }}\n  \
             ns: {{ A: 192.0.2.1 }}\n  www: {{ steer: web }}\npolicies:\n  web: {{ pops: all, order: \
             {order} }}\n"
        ),
    )
}

/// Runs a command in the folder, and prints its cost.
fn run(folder: &Path, name: &str, arguments: &[&str]) {
    let begun = Instant::now();
    let config = folder.join("meridian.yaml");
    let mut command = program::meridian_over(&config, arguments);
    command.current_dir(folder);
    let mut process = Process::start(command);
    let (mut cpu_secs, mut memory_kib) = (0.0_f64, 0_u64);
    let status = loop {
        if let Some(status) = process.status() {
            break status;
        }
        let file =
            |name: &str| fs::read_to_string(format!("/proc/{}/{name}", process.pid())).unwrap_or_default();
        let stat = file("stat");
        // Fields 14 and 15, counted behind the name in parentheses.
        let times = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().skip(11).take(2);
        cpu_secs = cpu_secs.max(times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS);
        let status = file("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        memory_kib = memory_kib.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{name}: {status}\n{}", process.stderr());
    let wall_secs = begun.elapsed().as_secs_f64();
    println!("{name:<28}{cpu_secs:>10.1}{wall_secs:>10.1}{:>10}", memory_kib >> 10);
}

/// Writes a deployment, measurements and a log.
fn write(size: &Size, folder: &Path) {
    let dice = &mut Dice(7);
    let cities: Vec<Place> =
        (0..300).map(|_| (dice.between(-50.0, 65.0), dice.between(-170.0, 170.0))).collect();
    let near = |dice: &mut Dice| {
        let (lat, lon) = *dice.pick(&cities);
        (lat + dice.between(-4.0, 4.0), lon + dice.between(-5.0, 5.0))
    };
    let pops: Vec<Place> = (0..size.pops).map(|_| near(dice)).collect();
    let places: Vec<Place> = (0..size.places).map(|_| near(dice)).collect();
    let mut list = "pops:\n".to_owned();
    for (pop, (lat, lon)) in pops.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(
            list,
            "  p{pop:03}: {{ at: {{ lat: {lat:.4}, lon: {lon:.4} }}, addresses: [203.0.113.{pop}] }}"
        );
    }
    steer("nearest", "[places.mmdb]").with("pops.yaml", list).write(folder);
    let (mut source, mut rows) = (create(folder, "places.csv"), create(folder, "rows.csv"));
    line(
        &mut source,
        "# epoch: 1764230400\nprefix,continent,country,subdivision,latitude,longitude,asn,city",
    );
    line(&mut rows, "prefix,pop,hour,samples,rtt_ms");
    let mut nearest: Vec<Vec<(usize, f64)>> = vec![Vec::new(); places.len()];
    for number in 0..size.networks {
        let place = dice.below(places.len());
        let ((lat, lon), network) = (places[place], network(number));
        line(&mut source, &format!("{network}/24,,,,{lat:.4},{lon:.4},,"));
        if dice.below(10) >= 3 {
            continue;
        }
        if nearest[place].is_empty() {
            nearest[place] = eight_nearest(places[place], &pops);
        }
        let last_mile_ms = dice.between(1.0, 20.0);
        for (pop, km) in &nearest[place] {
            let (samples, rtt_ms) = (1 + dice.below(30), 3.0 + km * 0.021 + last_mile_ms);
            line(&mut rows, &format!("{network}/24,p{pop:03},2025-11-27T08:00:00Z,{samples},{rtt_ms:.1}"));
        }
    }
    let mut log = create(folder, "log");
    for number in 0..size.log_lines {
        let [a, b, c, _] = network(dice.below(size.networks)).octets();
        let (second, rtt_us) = (BEGIN + number as u64 / 1_400, 2_000 + dice.below(88_000));
        line(&mut log, &format!("{second}.000 {a}.{b}.{c}.{} {rtt_us}", number % 250));
    }
    for mut file in [source, rows, log] {
        file.flush().expect("the disk has room");
    }
    let mut command = program::meridian(&["geoip", "build", "places.csv", "places.mmdb"]);
    command.current_dir(folder);
    let (status, _, stderr) = program::run(command);
    assert_eq!(status, 0, "{stderr}");
}

/// The eight nearest PoPs, with their distance in km on a plane, which is enough for a benchmark.
fn eight_nearest((lat, lon): Place, pops: &[Place]) -> Vec<(usize, f64)> {
    let km = |pop: &Place| 111.0 * (pop.0 - lat).hypot((pop.1 - lon) * lat.to_radians().cos());
    let mut all: Vec<(usize, f64)> = pops.iter().map(km).enumerate().collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all.truncate(8);
    all
}

/// A /24 that is nowhere special.
fn network(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(11, 0, 0, 0)) + ((number as u32) << 8))
}

fn create(folder: &Path, name: &str) -> BufWriter<File> {
    BufWriter::new(File::create(folder.join(name)).expect("the folder is ours"))
}

fn line(file: &mut BufWriter<File>, text: &str) {
    writeln!(file, "{text}").expect("the disk has room");
}
