//! `meridian latency import`: logs become measurements, and no client address is kept.

use super::Config;
use super::lines::{self, Progress};
use crate::latency::aggregate::Aggregate;
use crate::latency::log_line::{LineFault, LogFormat, Sample};
use crate::latency::measurements::{HEADER, Row};
use crate::reload::prepare;
use crate::sys::clock::epoch_secs;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// Formats and examples.
pub(super) const HELP: &str = "\
Formats, and the line that makes each:
  nginx    log_format rtt '$msec $remote_addr $tcpinfo_rtt';
  haproxy  log-format \"%Ts %ci %[fc_rtt(us)]\"
  envoy    %START_TIME(%s)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %ROUNDTRIP_DURATION%
  caddy    the JSON access log, with a field rtt_ms or rtt_us that a module appends
  csv      a first line with the columns time, address or prefix, pop, rtt_ms or rtt_us, samples
  json     objects with these keys, one a line
  beacon   combined log of a collector whose query names RTTs in ms: /rtt?fra=23&ams=41
Files may be gzip. `-` is standard input. Lines of nginx, haproxy, envoy and caddy have no PoP: name
it by --pop.

Examples:
  meridian latency import --format nginx --pop fra --output fra.csv /var/log/nginx/rtt.log*
  zcat beacons.gz | meridian latency import --format beacon - > beacons.csv";

/// Read RTTs from logs
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// Format of the lines
    #[arg(long, value_name = "FORMAT", value_parser = format_of)]
    format: LogFormat,
    /// PoP of lines that name none
    #[arg(long, value_name = "POP")]
    pop: Option<String>,
    /// File to write; standard output by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Logs
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Where the deployment is: it knows the PoPs.
    #[command(flatten)]
    config: Config,
}

fn format_of(name: &str) -> Result<LogFormat, String> {
    LogFormat::named(name)
        .ok_or_else(|| "formats are nginx, haproxy, envoy, caddy, csv, json, beacon".to_owned())
}

/// Counts of an import.
#[derive(Default)]
struct Counts {
    lines: u64,
    samples: u64,
    rows: u64,
    faults: HashMap<LineFault, Fault>,
}

/// Lines with one fault.
struct Fault {
    count: u64,
    /// File and number of the first.
    first: String,
}

impl Import {
    /// Runs the command.
    pub(super) fn run(self) -> Result<String, String> {
        let pops = pop_names(&self.config)?;
        let index: HashMap<&str, u16> = pops.iter().map(String::as_str).zip(0..).collect();
        if let Some(pop) = &self.pop
            && !index.contains_key(pop.as_str())
        {
            return Err(format!("--pop {pop}: the deployment has no such PoP"));
        }
        let (mut out, shown): (Box<dyn Write>, String) = match &self.output {
            Some(path) => {
                let file =
                    File::create(path).map_err(|e| format!("cannot write `{}`: {e}", path.display()))?;
                (Box::new(file), path.display().to_string())
            }
            None => (Box::new(io::stdout().lock()), "standard output".to_owned()),
        };
        let failed = |error: io::Error| format!("cannot write {shown}: {error}");
        writeln!(out, "{HEADER}").map_err(failed)?;
        let (mut aggregate, mut counts) = (Aggregate::default(), Counts::default());
        let mut progress = Progress::new("lines");
        for log in &self.logs {
            let read = |error: io::Error| format!("cannot read `{}`: {error}", log.display());
            let mut reader = lines::open(log).map_err(read)?;
            let (mut line, mut number, mut format) = (Vec::new(), 0_u64, self.format.clone());
            while lines::next(reader.as_mut(), &mut line).map_err(read)? {
                number += 1;
                counts.lines += 1;
                progress.at(counts.lines, None);
                if line.trim_ascii().is_empty() {
                    continue;
                }
                if format == LogFormat::Csv {
                    let first = String::from_utf8_lossy(&line);
                    let (after, is_header) = format
                        .after_header(&first)
                        .map_err(|sentence| format!("`{}`: {sentence}", log.display()))?;
                    format = after;
                    if is_header {
                        continue;
                    }
                }
                let mut samples = 0;
                let outcome = format.read(&line, |sample| {
                    self.take(&mut aggregate, &index, sample)?;
                    samples += 1;
                    Ok(())
                });
                counts.samples += samples;
                if let Err(fault) = outcome {
                    let first = || format!("{}:{number}", log.display());
                    let fault =
                        counts.faults.entry(fault).or_insert_with(|| Fault { count: 0, first: first() });
                    fault.count += 1;
                }
                if aggregate.is_full() {
                    counts.rows += write_rows(&mut out, &aggregate.take(), &pops).map_err(failed)?;
                }
            }
        }
        progress.end();
        counts.rows += write_rows(&mut out, &aggregate.take(), &pops).map_err(failed)?;
        out.flush().map_err(failed)?;
        drop(out);
        // The report goes to stderr, since standard output may hold the rows.
        eprint!("{}", counts.report());
        match counts.samples {
            0 => Err("no line had a sample".to_owned()),
            _ => Ok(String::new()),
        }
    }

    fn take(
        &self,
        aggregate: &mut Aggregate,
        index: &HashMap<&str, u16>,
        sample: Sample<'_>,
    ) -> Result<(), LineFault> {
        let name = sample.pop.or(self.pop.as_deref()).ok_or(LineFault::UnknownPop)?;
        let pop = *index.get(name).ok_or(LineFault::UnknownPop)?;
        let hour = sample.hour.ok_or(LineFault::BadTime)?;
        // Samples of the future would outlive all others.
        if u64::from(hour) * 3600 > epoch_secs() + 3600 {
            return Err(LineFault::BadTime);
        }
        aggregate.add(sample.prefix, pop, hour, sample.rtt_ms, sample.samples);
        Ok(())
    }
}

/// Names of the PoPs of a deployment, in order.
pub(super) fn pop_names(config: &Config) -> Result<Vec<String>, String> {
    let (deployment, findings, files) = prepare::read(&config.path(), true);
    let Some(deployment) = deployment else {
        crate::cli::print_findings(&findings, &files);
        return Err("the deployment has faults, so its PoPs are not known".to_owned());
    };
    Ok(deployment.pops.iter().map(|pop| pop.name.to_string()).collect())
}

fn write_rows(out: &mut dyn Write, rows: &[Row], pops: &[String]) -> io::Result<u64> {
    let mut text = String::new();
    for row in rows {
        row.write(&pops[usize::from(row.pop)], &mut text);
        if text.len() > 1 << 16 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    out.write_all(text.as_bytes())?;
    Ok(rows.len() as u64)
}

impl Counts {
    fn report(&self) -> String {
        let mut text = format!("{} lines: {} samples in {} rows\n", self.lines, self.samples, self.rows);
        for kind in LineFault::ALL {
            if let Some(fault) = self.faults.get(&kind) {
                // Writing to a string cannot fail.
                let _ =
                    writeln!(text, "  {} not used: {} (first {})", fault.count, kind.words(), fault.first);
            }
        }
        text
    }
}
