//! `meridian latency import`: logs become measurements, and no client address is kept.

use super::Config;
use super::lines::{self, Faults, Line};
use super::written::Written;
use crate::latency::aggregate::Aggregate;
use crate::latency::log_line::{LineFault, LogFormat};
use crate::latency::measurements::HEADER;
use crate::latency::resolvers::{self, ClientRow, Clients};
use crate::reload::prepare;
use crate::sys::clock::epoch_secs;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Formats and examples.
pub(super) const HELP: &str = "\
Formats, and the line that makes each:
  nginx    log_format rtt '$msec $remote_addr $tcpinfo_rtt';
  haproxy  log-format \"%Ts %ci %[fc_rtt(us)]\"
  envoy    %START_TIME(%s)% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%
             %COMMON_DURATION(DS_CX_BEG:DS_HS_END:us)%, in one line, of listeners of TLS 1.3
  caddy    the JSON access log, with a field rtt_ms or rtt_us that a module appends
  csv      a first line with the columns time, address or prefix, pop, rtt_ms or rtt_us,
           samples, resolver
  json     objects with these keys, one a line
  beacon   combined log of a collector whose query names RTTs in ms: /rtt?fra=23&ams=41
Files may be gzip. `-` is standard input. Lines of nginx, haproxy, envoy and caddy have no PoP: name
it by --pop.

Examples:
  meridian latency import --format nginx --pop fra --output fra.csv /var/log/nginx/rtt.log*
  meridian latency import --format json --resolvers-output clients.csv --output rtt.csv edges.json
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
    /// File of the clients behind each resolver, made of lines with a column or key `resolver`
    #[arg(long, value_name = "FILE")]
    resolvers_output: Option<PathBuf>,
    /// Logs
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Deployment: its PoPs.
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
    /// Samples that name a resolver, if a file of them is written.
    of_resolvers: u64,
    faults: Faults<LineFault>,
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
        let of_resolvers = self.resolvers_output.as_deref();
        let clients = of_resolvers.map(|path| Written::create(Some(path), resolvers::HEADER)).transpose()?;
        let mut pass = Pass {
            aggregate: Aggregate::default(),
            counts: Counts::default(),
            default_pop: self.pop.as_deref(),
            index,
            rows: Written::create(self.output.as_deref(), HEADER)?,
            pops: &pops,
            clients: clients.map(|file| (Clients::default(), file)),
        };
        // Each log of CSV names its columns anew.
        let mut format = self.format.clone();
        pass.counts.lines = lines::each(&self.logs, "lines", |line| {
            if line.is_first {
                format.clone_from(&self.format);
            }
            pass.read_line(&mut format, line)
        })?;
        pass.write_samples()?;
        pass.write_clients()?;
        // The report goes to stderr, since standard output may hold the rows.
        eprint!("{}", pass.report());
        match pass.counts.samples {
            0 => Err("no line had a sample".to_owned()),
            _ => pass.end().map(|()| String::new()),
        }
    }
}

/// One reading of all logs.
struct Pass<'a> {
    aggregate: Aggregate,
    counts: Counts,
    default_pop: Option<&'a str>,
    /// PoPs by name.
    index: HashMap<&'a str, u16>,
    rows: Written<'a>,
    pops: &'a [String],
    /// Clients behind resolvers, and their file, if it is asked for.
    clients: Option<(Clients, Written<'a>)>,
}

impl Pass<'_> {
    /// Reads a line, and writes rows once enough are held.
    fn read_line(&mut self, format: &mut LogFormat, line: &Line<'_>) -> Result<(), String> {
        if *format == LogFormat::Csv {
            let (after, is_header) = (format.clone().after_header(&String::from_utf8_lossy(line.octets)))
                .map_err(|sentence| format!("`{}`: {sentence}", line.path.display()))?;
            *format = after;
            if is_header {
                return Ok(());
            }
        }
        if let Err(fault) = self.take_samples(format, line.octets) {
            self.counts.faults.add(fault, line);
        }
        if self.aggregate.is_full() {
            self.write_samples()?;
        }
        if self.clients.as_ref().is_some_and(|(clients, _)| clients.is_full()) {
            self.write_clients()?;
        }
        Ok(())
    }

    fn write_samples(&mut self) -> Result<(), String> {
        let pops = self.pops;
        self.rows.rows(&self.aggregate.take(), |row, text| row.write(&pops[usize::from(row.pop)], text))
    }

    fn write_clients(&mut self) -> Result<(), String> {
        match &mut self.clients {
            Some((clients, file)) => file.rows(&clients.take(), ClientRow::write),
            None => Ok(()),
        }
    }

    /// Takes the samples of a line up to its first fault.
    fn take_samples(&mut self, format: &LogFormat, line: &[u8]) -> Result<(), LineFault> {
        let Pass { aggregate, counts, default_pop, index, clients, .. } = self;
        format.read(line, |sample| {
            let name = sample.pop.or(*default_pop).ok_or(LineFault::UnknownPop)?;
            let pop = *index.get(name).ok_or(LineFault::UnknownPop)?;
            let hour = sample.hour.ok_or(LineFault::BadTime)?;
            // Samples of the future would outlive all others.
            if u64::from(hour) * 3600 > epoch_secs() + 3600 {
                return Err(LineFault::BadTime);
            }
            aggregate.add(sample.prefix, pop, hour, sample.rtt_ms, sample.samples);
            counts.samples += 1;
            if let (Some((clients, _)), Some(resolver)) = (clients.as_mut(), sample.resolver) {
                clients.add(resolver, sample.prefix, hour, sample.samples);
                counts.of_resolvers += 1;
            }
            Ok(())
        })
    }

    /// Puts the files in their places.
    fn end(self) -> Result<(), String> {
        self.rows.end()?;
        self.clients.map_or(Ok(()), |(_, file)| file.end())
    }

    fn report(&self) -> String {
        let Counts { lines, samples, of_resolvers, faults } = &self.counts;
        let mut text = format!("{lines} lines: {samples} samples in {} rows\n", self.rows.count());
        if let Some((_, file)) = &self.clients {
            let rows = file.count();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {of_resolvers} samples name a resolver: {rows} rows of its clients");
        }
        for (fault, count, first) in faults.each() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {count} not used: {} (first {first})", fault.words());
        }
        text
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
