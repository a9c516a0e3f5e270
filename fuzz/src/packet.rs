//! Any datagram, answered by the sample: no panic, and a reply that every reader understands.

use super::sample::{FILES, Replaced};
use hickory_proto::op::Message;
use meridian::testing::answer::stages::Stages;
use meridian::testing::answer::{Client, Disposition, QueryContext, Transport, respond};
use meridian::testing::snapshot::steering::CacheFootprint;
use meridian::testing::snapshot::{Snapshot, compile};
use meridian::testing::wire::cookie::{CookieOption, CookieStatus};
use meridian::testing::wire::edns::Edns;
use meridian::testing::wire::query::{Query, parse};
use meridian::testing::wire::reject::Parsed;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// When every datagram comes, in seconds since 1970: that of RFC 9018 appendix A.1.
const EPOCH_SECS: u32 = 1_559_731_985;

/// Who asks.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));

/// The cookie that the sample gives to a client cookie.
pub fn cookie(client: [u8; 8]) -> [u8; 24] {
    let asked = CookieOption::parse(&client).expect("a client cookie");
    snapshot().cookies.answer(&asked, CLIENT, EPOCH_SECS).expect("the sample has a secret").1
}

/// The sample, compiled.
pub fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let (path, content) = FILES[0];
        let loaded = meridian::testing::config::read_deployment(
            Path::new("meridian.yaml"),
            &Replaced { files: &FILES, path, content },
        );
        let deployment = loaded.deployment.expect("the sample is sound");
        let mut snapshot = compile(&deployment, None, 1).0.expect("the sample compiles");
        // As if the tables were large, so that queries are read ahead.
        Arc::make_mut(&mut snapshot.steering).cache_footprint = CacheFootprint::Far;
        snapshot
    })
}

/// Answers over every transport and checks the reply.
pub fn packet(data: &[u8]) {
    let mut out = [0u8; 65_535];
    let mut stages = Stages::default();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Dot, Transport::Doh, Transport::Doq] {
        let client = Client { address: CLIENT, transport };
        let outcome = respond(
            snapshot(),
            data,
            &client,
            QueryContext { draw: data.len() as u64, epoch_secs: EPOCH_SECS },
            &mut out,
        );
        // A batch answers as one by one.
        let mut room = [0u8; 65_535];
        let moment = QueryContext { draw: data.len() as u64, epoch_secs: EPOCH_SECS };
        let plans = stages.read(snapshot(), 2, |_| data, |_| CLIENT);
        stages.respond((&plans, 1), snapshot(), data, &client, moment, &mut room);
        assert_eq!(stages.outcome, outcome);
        if let Disposition::Send(len) = outcome.disposition {
            assert_eq!(room[..len], out[..len]);
        }
        let mut query = Query::default();
        let parsed = parse(data, &mut query);
        match outcome.disposition {
            Disposition::Silence => assert!(matches!(parsed, Parsed::Silence)),
            Disposition::Send(len) => {
                reply(data, (&parsed, &query), &out[..len], transport);
                // A cookie for a cookie, and for nobody else.
                assert_eq!(outcome.cookie != CookieStatus::None, holds_cookie(&out[..len]));
            }
        }
    }
}

/// Checks a reply to a message that deserves one.
pub fn sound(asked: &[u8], octets: &[u8], transport: Transport) {
    let mut query = Query::default();
    let parsed = parse(asked, &mut query);
    reply(asked, (&parsed, &query), octets, transport);
}

fn reply(asked: &[u8], (parsed, query): (&Parsed<'_>, &Query), reply: &[u8], transport: Transport) {
    let (question, edns) = match parsed {
        Parsed::Query => (query.question(asked), query.edns),
        Parsed::Reject(reject) | Parsed::CookieOnly(reject) => (reject.question, reject.edns),
        Parsed::Silence => panic!("a reply to what deserves none"),
    };
    let word = |at: usize| u16::from_be_bytes([reply[at], reply[at + 1]]);
    assert!(reply.len() >= 12 && reply.len() <= limit(transport, edns.as_ref()), "{} octets", reply.len());
    assert_eq!(reply[..2], asked[..2], "the id is echoed");
    assert_ne!(word(2) & 0x8000, 0, "QR");
    assert_eq!(word(2) & 0x7800, u16::from_be_bytes([asked[2], asked[3]]) & 0x7800, "the opcode is echoed");
    assert_eq!(word(2) & 0x0040, 0, "Z is zero");
    if word(2) & 0x0200 != 0 {
        assert_eq!(transport, Transport::Udp, "the sample fits a stream");
        assert_eq!((word(6), word(8)), (0, 0), "a truncated reply has no records");
    }
    let question = question.octets();
    assert_eq!(usize::from(word(4)), usize::from(!question.is_empty()));
    assert_eq!(reply[12..12 + question.len()], *question, "the question is echoed, letter case too");
    by_domain(reply, edns.is_some());
    by_hickory(asked, parsed, reply, edns.as_ref());
    // A reply is no query: two servers never talk to each other for ever.
    assert!(matches!(parse(reply, &mut Query::default()), Parsed::Silence));
}

fn holds_cookie(reply: &[u8]) -> bool {
    use domain::base::iana::OptionCode;
    use domain::base::opt::UnknownOptData;
    let message = domain::base::Message::from_slice(reply).expect("long enough");
    let Some(opt) = message.opt() else { return false };
    opt.opt()
        .iter::<UnknownOptData<_>>()
        .flatten()
        .any(|option| option.code() == OptionCode::COOKIE && option.data().len() == 24)
}

fn limit(transport: Transport, edns: Option<&Edns>) -> usize {
    match (transport, edns) {
        (Transport::Tcp | Transport::Dot | Transport::Doh | Transport::Doq, _) => 65_535,
        (Transport::Udp, None) => 512,
        (Transport::Udp, Some(edns)) => usize::from(edns.payload.clamp(512, 1232)),
    }
}

fn by_domain(reply: &[u8], has_opt: bool) {
    use domain::base::iana::Rtype;
    use domain::rdata::AllRecordData;
    let message = domain::base::Message::from_slice(reply).expect("long enough");
    let mut opts = 0;
    let mut count = 0;
    for record in message.iter() {
        let (record, _) = record.expect("a record that can be read");
        opts += usize::from(record.rtype() == Rtype::OPT);
        count += 1;
        let rtype = record.rtype();
        record.into_record::<AllRecordData<_, _>>().unwrap_or_else(|e| panic!("{rtype}: {e}"));
    }
    let counts = message.header_counts();
    assert_eq!(
        count,
        u32::from(counts.ancount()) + u32::from(counts.nscount()) + u32::from(counts.arcount())
    );
    assert_eq!(opts, usize::from(has_opt), "OPT if and only if asked with one");
}

fn by_hickory(asked: &[u8], parsed: &Parsed<'_>, reply: &[u8], edns: Option<&Edns>) {
    // It has no client subnet of family 0, which RFC 7871 section 7.1.2 allows with source 0.
    if edns.and_then(|e| e.subnet).is_some_and(|s| s.family() == 0) {
        return;
    }
    let read = Message::from_vec(reply).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(read.edns.is_some(), edns.is_some());
    // What both of us take for a query has the same EDNS in both readings.
    if let (Parsed::Query, Ok(theirs)) = (parsed, Message::from_vec(asked)) {
        assert_eq!(theirs.edns.is_some(), edns.is_some());
    }
}
