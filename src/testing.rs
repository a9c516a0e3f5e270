//! Internals that this package's own tests, benchmarks and fuzz targets need, under their internal
//! paths. No other program may rely on them.

pub mod answer {
    pub use crate::answer::{
        Client, Decided, Disposition, Outcome, QueryContext, Reason, Step, Trace, Transport, respond,
        respond_traced,
    };
    pub mod stages {
        pub use crate::answer::stages::{Plans, Stages};
    }
}
pub mod budget {
    pub use crate::budget::{Budget, Share, Spent};
}
pub mod cli {
    pub mod geoip {
        #[cfg(feature = "geoip-build")]
        pub mod build {
            pub use crate::cli::geoip::build::compile;
        }
    }
    pub mod schema {
        pub mod json {
            pub use crate::cli::schema::json::{all, of};
        }
        pub mod page {
            pub use crate::cli::schema::page::markdown;
        }
        pub mod sample {
            pub use crate::cli::schema::sample::of;
        }
    }
    pub mod verify {
        pub use crate::cli::verify::verify_scopes;
    }
}
pub mod config {
    pub use crate::config::{Deployment, ReadResult, Sources, read_deployment};
    pub mod catalogue {
        pub use crate::config::catalogue::{FILES, FileKind};
    }
    pub mod ledger_file {
        pub use crate::config::ledger_file::{print, read_alone};
    }
}
pub mod control {
    pub mod routes {
        pub use crate::control::routes::{PAGES, Page};
    }
    pub mod catalogue {
        pub use crate::control::catalogue::{CATALOGUE, document};
    }
    pub mod openapi {
        pub use crate::control::openapi::text;
    }
}
pub mod explain {
    pub use crate::explain::{ExplainQuery, Explanation, explain, head};
    pub mod dig {
        pub use crate::explain::dig::{query, render};
    }
}
pub mod finding {
    pub use crate::finding::{At, FileId, Files, Findings, Severity, code};
    pub mod render {
        pub use crate::finding::render::{reports, text};
    }
}
pub mod geo {
    pub mod atlas {
        pub use crate::geo::atlas::Atlas;
    }
    pub mod distance {
        pub use crate::geo::distance::great_circle_m;
    }
    pub mod mmdb {
        pub use crate::geo::mmdb::Database;
    }
    pub mod place {
        pub use crate::geo::place::Coordinates;
    }
    pub mod prefix {
        pub use crate::geo::prefix::Prefix;
    }
    pub mod source_text {
        pub use crate::geo::source_text::HEADER;
    }
    pub mod special {
        pub use crate::geo::special::special_block;
    }
}
pub mod health {
    pub use crate::health::Moment;
    pub mod event {
        pub use crate::health::event::HealthEvent;
    }
    pub mod guard {
        pub use crate::health::guard::Release;
    }
    pub mod health_state {
        pub use crate::health::health_state::{HealthState, ReturningPool, SlotHealth, Verdict};
    }
    pub mod load {
        pub use crate::health::load::{DueFeed, FeedTicket, LoadController, ShedRow};
        pub mod feeds {
            pub use crate::health::load::feeds::{FeedSet, FeedTarget};
        }
        pub mod spec {
            pub use crate::health::load::spec::{Feed, FeedUrl, LoadSpec};
        }
    }
    pub mod monitor {
        pub use crate::health::monitor::Monitor;
    }
    pub mod certificate {
        pub use crate::health::certificate::{Facts, not_after};
    }
    pub mod pem {
        pub use crate::health::pem::certificates;
    }
    pub mod probe_result {
        pub use crate::health::probe_result::ProbeResult;
    }
    pub mod ramp {
        pub use crate::health::ramp::{RampPop, Ramps};
    }
    pub mod saved {
        pub use crate::health::saved::SavedHealth;
    }
    pub mod schedule {
        pub use crate::health::schedule::Ticket;
    }
    pub mod spec {
        pub use crate::health::spec::{
            Check, DnsCheck, ExecCheck, FileCheck, FlapLimits, HttpCheck, HttpMethod, PanicGuard, PushCheck,
            Spec, TcpCheck, TlsCheck, Verify,
        };
    }
    pub mod targets {
        pub use crate::health::targets::{
            Formula, ManualState, PolicyId, PolicyMembers, Pool, PopCapacity, PopId, SlotId, SlotTargets,
            Target, TargetId, TargetSet,
        };
    }
}
pub mod limits {
    pub use crate::limits::{
        CONTROL_CONNECTIONS_MAX, FEED_PAGE_OCTETS_MAX, LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX, PREFETCH_MAX,
        PROBES_AT_ONCE, SERIES_MAX,
    };
}
pub mod live {
    pub use crate::live::{LiveState, Now, Remembered, SavedLoadAndRamps};
    pub mod view {
        pub use crate::live::view::health_of_pops;
    }
}
pub mod probe {
    pub use crate::probe::Prober;
    pub mod dns {
        pub use crate::probe::dns::{DnsReply, query, read};
    }
    pub mod file {
        pub use crate::probe::file::judge;
    }
    pub mod http {
        pub use crate::probe::http::hearing::reply;
    }
    pub mod load {
        pub use crate::probe::load::FeedRequest;
        pub mod number {
            pub use crate::probe::load::number::{first_word, in_json, plain};
        }
        pub mod samples {
            pub use crate::probe::load::samples::sum;
        }
    }
    pub mod runner {
        pub use crate::probe::runner::{read, run};
    }
}
pub mod impact {
    pub use crate::impact::answered::Answered;
    pub use crate::impact::comparison::{Comparison, replay};
    pub use crate::impact::difference::difference;
    pub use crate::impact::flow::{Flow, PolicyChange};
    pub use crate::impact::prediction::{
        ALL_CLIENTS, FeedName, MeasuredLoad, MeasuredLoads, SAMPLES, forecast, predict,
    };
}
pub mod reload {
    pub mod prepare {
        pub use crate::reload::prepare::{read, run};
    }
}
pub mod server {
    pub use crate::server::{Engine, Options, Server};
}
pub mod shared {
    pub mod captured {
        pub use crate::shared::captured::Captured;
    }
    pub mod command {
        pub use crate::shared::command::{
            Command, LoadPush, Origin, OverrideChange, OverrideOutcome, ProbePush, Report,
        };
    }
    pub mod counters {
        pub use crate::shared::counters::{CounterBlock, Dropped, Totals};
    }
    pub mod decisions {
        pub use crate::shared::decisions::Decisions;
    }
    pub mod event {
        pub use crate::shared::event::Event;
    }
    pub mod operator_view {
        pub use crate::shared::operator_view::{InService, PopHealth, ServiceLimit};
    }
    pub mod published {
        pub use crate::shared::published::{Published, ServedSnapshot};
    }
}
pub mod snapshot {
    pub use crate::snapshot::compile::compile;
    pub use crate::snapshot::{ALGORITHM, Digest, FilesDigest, Snapshot};
    pub mod compile {
        pub use crate::snapshot::compile::{Geography, compile, compile_with, geography, status};
    }
    pub mod locate {
        pub use crate::snapshot::locate::{Decision, Evidence, LookupAddress};
    }
    pub mod sizes {
        pub use crate::snapshot::sizes::{parts, tries};
    }
    pub mod steering {
        pub use crate::snapshot::steering::{
            CacheFootprint, Steering, SteeringInputs, compile, compile_within,
        };
    }
}
pub mod steer {
    pub mod choose {
        pub use crate::steer::choose::{Choice, NoChoiceTrace, Resort, sole};
    }
    pub mod ledger {
        pub use crate::steer::ledger::{Action, Selector};
    }
    pub mod pop {
        pub use crate::steer::pop::{AdminState, PopId};
    }
    pub mod preference_list {
        pub use crate::steer::preference_list::AllDown;
    }
    pub mod rendezvous {
        pub use crate::steer::rendezvous::{Score, cell_key};
    }
    pub mod pop_status {
        pub use crate::steer::pop_status::{ALL_CELLS, CandidateTier, PopStatus, Share256, Shed};
    }
    pub mod status {
        pub use crate::steer::status::Status;
    }
    pub mod table {
        pub use crate::steer::table::{NO_SLOT, PolicyTable, REDIRECT, V4, V6};
    }
    pub mod view {
        pub use crate::steer::view::Supposed;
    }
}
pub mod sys {
    pub mod affinity {
        pub use crate::sys::affinity::{allowed, pin};
    }
    pub mod clock {
        pub use crate::sys::clock::cookie_secs;
    }
    #[cfg(target_os = "linux")]
    pub mod datagram {
        pub use crate::sys::datagram::{Batch, Local, send_one};
    }
    pub mod descriptors {
        pub use crate::sys::descriptors::raise;
    }
    pub mod memory {
        pub use crate::sys::memory::{Allocator, Passing, give_back, keep_large_apart, peak, resident};
    }
    #[cfg(feature = "volley")]
    pub mod volley {
        pub use crate::sys::volley::{VOLLEY_MAX, volley};
    }
}
pub mod transport {
    pub mod draw {
        pub use crate::transport::draw::Draws;
    }
    pub mod doq {
        pub mod query {
            pub use crate::transport::doq::query::check;
        }
    }
    pub mod scripted {
        pub use crate::transport::scripted::{Entrance, Lanes, Step, Talk};
    }
    #[cfg(target_os = "linux")]
    pub mod stepped {
        pub use crate::transport::stepped::SteppedWorker;
    }
}
pub mod wire {
    pub mod cookie {
        pub use crate::wire::cookie::{CookieOption, CookieStatus, Secrets};
    }
    pub mod ecs {
        pub use crate::wire::ecs::ClientSubnet;
    }
    pub mod edns {
        pub use crate::wire::edns::{Edns, ResponseOptions};
    }
    pub mod hash {
        pub use crate::wire::hash::{mix, name, octets};
    }
    pub mod name {
        pub use crate::wire::name::Name;
    }
    pub mod query {
        pub use crate::wire::query::{Query, parse};
    }
    pub mod reject {
        pub use crate::wire::reject::Parsed;
    }
    pub mod response {
        pub use crate::wire::response::rrset::Made;
        pub use crate::wire::response::{Origin, OwnerName, Response, Section};
    }
    pub mod proxy_header {
        pub use crate::wire::proxy_header::{Front, ProxyFault, ProxyHeader};
    }
    pub mod tsig {
        pub use crate::wire::tsig::{REFUSAL_OCTETS_MAX, Signature};
    }
    pub mod rr {
        pub use crate::wire::rr::{CLASS_CH, Rcode, RrType};
    }
}
pub mod zone {
    pub mod check {
        pub use crate::zone::check::{check, settle};
    }
    pub mod image {
        pub use crate::zone::image::build;
        pub use crate::zone::image::{Image, Match, Usual};
    }
    pub mod master {
        pub use crate::zone::master::{Included, read};
    }
    pub mod rdata {
        pub use crate::zone::rdata::{from_text, is_valid, names_in, to_text};
    }
    pub mod text {
        pub use crate::zone::text::{ChainMode, Zone};
    }
}
