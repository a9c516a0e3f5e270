//! `meridian size`.

use crate::cli::{Config, Format, json, print, print_findings};
use crate::config::Deployment;
use crate::finding::{Files, Findings};
use crate::geo::atlas::Leaf;
use crate::reload::prepare;
use crate::server::sockets;
use crate::snapshot::compile::{self, Geography};
use crate::snapshot::{Sizes, Snapshot, sizes};
use crate::steer::table::PolicyTable;
use crate::sys::memory;
use crate::sys::socket::Buffers;
use crate::wire::name::write_name;
use crate::zone::text::{Record, Zone};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Arguments of `size`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Octets are those of the tables themselves. `peak of this command` adds the share of the allocator and
of the program; the command loads the deployment once, as the start of a server does. During a reload
the old snapshot is in memory as well. Both share the zones and routes that did not change, so that the
estimate is the cost of a reload that changes everything.

Examples:
  meridian size
  meridian size --config site/meridian.yaml --format json")]
pub(crate) struct SizeCommand {
    #[command(flatten)]
    config: Config,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Content of the report.
struct Told {
    snapshot: Snapshot,
    sizes: Sizes,
    loading: Loading,
    /// Buffers of a UDP socket as asked for, and as this system grants them to a socket that was
    /// opened as a test.
    buffers: (Buffers, Option<Buffers>),
    /// Peak of resident memory of this process after one reload, in octets; 0 if the system does
    /// not report it.
    peak: u64,
}

/// Octets that only exist while a deployment is read and compiled.
struct Loading {
    /// Files as read.
    files: usize,
    /// Records as read.
    records: usize,
    /// Places of all addresses by databases and operator networks.
    places: usize,
}

impl SizeCommand {
    /// Loads the deployment, and prints its sizes.
    pub(crate) fn run(self) -> ExitCode {
        match self.told() {
            Ok(told) => {
                print(&match self.format {
                    Format::Text => told.text(),
                    Format::Json => json(&told.page()),
                });
                ExitCode::SUCCESS
            }
            Err(refused) => {
                print_findings(&refused.0, &refused.1);
                ExitCode::FAILURE
            }
        }
    }

    fn told(&self) -> Result<Told, Box<(Findings, Files)>> {
        let (deployment, mut findings, files) = prepare::read(&self.config.path(), true);
        let Some(deployment) = deployment else { return Err(Box::new((findings, files))) };
        let (geography, found) = compile::geography(&deployment);
        findings.extend(found);
        let Some(geography) = geography else { return Err(Box::new((findings, files))) };
        let (snapshot, found) = compile::compile_with(&deployment, &geography, None, 0);
        findings.extend(found);
        let Some(snapshot) = snapshot else { return Err(Box::new((findings, files))) };
        let loading = Loading::of(&deployment, &geography);
        let buffers = (sockets::buffers(&deployment.listen), sockets::granted(&deployment.listen, None));
        Ok(Told { sizes: snapshot.sizes(), snapshot, loading, buffers, peak: memory::peak().unwrap_or(0) })
    }
}

impl Loading {
    fn of(deployment: &Deployment, geography: &Geography) -> Loading {
        let record = |record: &Record| size_of::<Record>() + record.rdata.len();
        let zone = |zone: &Zone| zone.records.iter().map(record).sum::<usize>();
        let atlas = &geography.atlas;
        Loading {
            files: deployment.inputs.iter().map(|input| input.octets.len()).sum(),
            records: deployment.zones.iter().map(zone).sum(),
            // Leaves twice: those of the databases, and those of the atlas.
            places: 2 * (atlas.v4.len() * size_of::<Leaf<u32>>() + atlas.v6.len() * size_of::<Leaf<u128>>())
                + size_of_val::<[_]>(&atlas.places)
                + size_of_val::<[_]>(&atlas.evidence),
        }
    }

    fn parts(&self) -> [(&'static str, usize); 3] {
        [("files", self.files), ("records", self.records), ("places", self.places)]
    }

    fn octets(&self) -> usize {
        self.parts().iter().map(|(_, octets)| octets).sum()
    }
}

impl Told {
    /// Old snapshot, new snapshot and the octets of reading and compiling.
    fn reload_tables(&self) -> usize {
        2 * self.sizes.octets() + self.loading.octets()
    }

    /// Peak of this process plus an old snapshot, in octets; by the tables alone if the system does
    /// not report the peak.
    fn reload_peak(&self) -> u64 {
        if self.peak == 0 { self.reload_tables() as u64 } else { self.peak + self.sizes.octets() as u64 }
    }

    fn policies(&self) -> impl Iterator<Item = (&PolicyTable, usize, usize)> {
        self.snapshot.steering.policies.iter().map(|policy| {
            let parts = sizes::parts(sizes::tries(policy));
            (policy, parts.iter().map(|part| part.leaves).sum(), parts.iter().map(|part| part.octets).sum())
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, name: &str, octets: u64, about: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{what:<9} {name:<28} {octets:>14} {about}");
        };
        for image in self.snapshot.zones.iter() {
            let about = format!(
                "names {}, RRsets {}, steered {}",
                image.names(),
                image.sets(),
                image.steered_names()
            );
            line("zone", &shown(image.apex()), image.octets() as u64, about.as_str());
        }
        for (policy, leaves, octets) in self.policies() {
            let about = format!(
                "preference lists {} ({} octets), route leaves {leaves}",
                policy.preference_lists.len(),
                sizes::preference_list_octets(policy)
            );
            line("policy", &policy.name, octets as u64, &about);
        }
        for (table, octets) in self.sizes.tables() {
            let about = if table == "routes" { "tables that policies share counted once" } else { "" };
            line("table", table, octets as u64, about);
        }
        line("snapshot", "", self.sizes.octets() as u64, "");
        for (part, octets) in self.loading.parts() {
            line("loading", part, octets as u64, "only while loading");
        }
        line("peak", "of this command", self.peak, "one reload, resident");
        line("peak", "of a reload, estimated", self.reload_peak(), "with the old snapshot beside it");
        let (asked, granted) = &self.buffers;
        for (name, asked, granted) in [
            ("of queries, for a UDP socket", asked.receive, granted.as_ref().map(|granted| granted.receive)),
            ("of answers, for a UDP socket", asked.send, granted.as_ref().map(|granted| granted.send)),
        ] {
            let about = granted.map_or_else(String::new, |granted| {
                format!("of kernel memory asked for, {granted} granted here")
            });
            let _ = writeln!(text, "{:<9} {name:<28} {asked:>14} {about}", "buffer");
        }
        text.lines().map(str::trim_end).fold(String::new(), |all, line| all + line + "\n")
    }

    fn page(&self) -> SizePage<'_> {
        let zones = self.snapshot.zones.iter().map(|image| ZoneSize {
            zone: shown(image.apex()),
            octets: image.octets(),
            names: image.names(),
            rrsets: image.sets(),
            steered: image.steered_names(),
        });
        let policies = self.policies().map(|(policy, leaves, octets)| PolicySize {
            policy: &policy.name,
            routes_octets: octets,
            route_leaves: leaves,
            preference_lists: policy.preference_lists.len(),
            preference_list_octets: sizes::preference_list_octets(policy),
        });
        let buffers = |of: &Buffers| BufferSizes { receive: of.receive, send: of.send };
        SizePage {
            zones: zones.collect(),
            policies: policies.collect(),
            tables: self.sizes.tables().into_iter().collect(),
            snapshot_octets: self.sizes.octets(),
            counts: Counts {
                zones: self.sizes.zones,
                names: self.sizes.names,
                rrsets: self.sizes.sets,
                steered: self.sizes.steered,
                route_leaves: self.sizes.leaves,
                preference_lists: self.sizes.preference_lists,
            },
            loading: self.loading.parts().into_iter().collect(),
            socket_buffers: SocketBuffers {
                asked: buffers(&self.buffers.0),
                granted: self.buffers.1.as_ref().map(buffers),
            },
            peak_octets: self.peak,
            reload_peak_octets_estimated: self.reload_peak(),
        }
    }
}

/// Sizes for programs.
#[derive(Serialize)]
struct SizePage<'s> {
    zones: Vec<ZoneSize>,
    policies: Vec<PolicySize<'s>>,
    /// Octets of each table of the snapshot.
    tables: BTreeMap<&'static str, usize>,
    snapshot_octets: usize,
    counts: Counts,
    /// Octets that exist only while the deployment is loaded.
    loading: BTreeMap<&'static str, usize>,
    socket_buffers: SocketBuffers,
    /// Peak of the resident memory of this command, octets.
    peak_octets: u64,
    reload_peak_octets_estimated: u64,
}

#[derive(Serialize)]
struct ZoneSize {
    zone: String,
    octets: usize,
    names: usize,
    rrsets: usize,
    steered: usize,
}

#[derive(Serialize)]
struct PolicySize<'s> {
    policy: &'s str,
    routes_octets: usize,
    route_leaves: usize,
    preference_lists: usize,
    preference_list_octets: usize,
}

#[derive(Serialize)]
struct Counts {
    zones: usize,
    names: usize,
    rrsets: usize,
    steered: usize,
    route_leaves: usize,
    preference_lists: usize,
}

/// Buffers of one UDP socket, octets.
#[derive(Serialize)]
struct SocketBuffers {
    asked: BufferSizes,
    /// Buffers that this system grants; `None` if it does not report them.
    granted: Option<BufferSizes>,
}

#[derive(Serialize)]
struct BufferSizes {
    receive: usize,
    send: usize,
}

fn shown(wire: &[u8]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_name(&mut text, wire);
    text
}
