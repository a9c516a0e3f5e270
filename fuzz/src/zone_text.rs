//! Any octets as zone text: findings that point into the files, records that are valid, and, if
//! nothing is wrong, a zone that compiles. All memory of records and all text that was read, also
//! what templates made, is counted by the budget of the load, which is never overdrawn.

use meridian::testing::budget::Budget;
use meridian::testing::finding::{At, FileId, Findings, code};
use meridian::testing::wire::name::Name;
use meridian::testing::zone::image;
use meridian::testing::zone::master::Included;
use meridian::testing::zone::text::{ChainMode, Zone};
use meridian::testing::zone::{check, master, rdata};

/// Files that the text may include.
const INCLUDED: [(&str, &str); 2] =
    [("part.zone", "a 60 A 192.0.2.1\n  60 TXT x\n"), ("loop.zone", "$INCLUDE loop.zone\n")];

/// Octets that each octet of a text may make.
const OCTETS_GRANTED: usize = 64;

/// Reads the text, checks the zone, and compiles it.
pub fn zone_text(data: &[u8]) {
    let apex = Name::parse("cdn.example.", None).expect("a plain name");
    let mut lengths = vec![data.len()];
    let budget = Budget::default();
    let (octets, steps) = (budget.octets_left(), budget.steps_left());
    let mut include = |path: &str| -> Result<Included, String> {
        let (_, text) = INCLUDED.iter().find(|(name, _)| *name == path).ok_or("no such file")?;
        lengths.push(text.len());
        Ok(Included {
            file: FileId(lengths.len() as u32 - 1),
            text: text.as_bytes().into(),
            is_first: lengths.len() == 2,
        })
    };
    let (mut records, mut findings) = (Vec::new(), Findings::default());
    master::read(data, FileId(0), &apex, &mut include, &budget, &mut records, &mut findings);
    let held: usize = records
        .iter()
        .map(|record| size_of_val(record) + record.owner.as_wire().len() + record.rdata.len())
        .sum();
    // What texts grant is used first; what is held beyond it was drawn from the budget.
    let granted = OCTETS_GRANTED * lengths.iter().take(2).sum::<usize>();
    let (made, worked) = (octets - budget.octets_left(), steps - budget.steps_left());
    assert!(held as u64 <= made + granted as u64, "{held} octets are held, {made} were counted");
    assert!(made <= octets / 4 && worked <= steps / 4, "{made} octets and {worked} steps of one zone");
    let is_told = findings.iter().any(|finding| finding.code == code::TOO_LARGE);
    assert!(is_told || !budget.is_spent(), "a budget that is spent is a finding");
    for record in &records {
        assert!(record.owner.is_at_or_below(&apex), "{} is not in the zone", record.owner);
        assert!(rdata::is_valid(record.rtype, &record.rdata), "{} {:02x?}", record.rtype, record.rdata);
        rdata::to_text(record.rtype, &record.rdata);
    }
    let mut zone =
        Zone { apex, records, steered: Vec::new(), chain: ChainMode::Full, at: At::whole(FileId(0)) };
    check::settle(&mut zone, &mut findings);
    let zones = [zone];
    check::check(&zones, &[], &mut findings);
    for at in findings.iter().flat_map(|f| f.at.into_iter().chain(f.related.iter().map(|(at, _)| *at))) {
        let length = lengths.get(at.file.0 as usize).copied().expect("a file that was read");
        assert!(
            at.start <= at.end && at.end as usize <= length,
            "{at:?} points outside of its file of {length}"
        );
    }
    if !findings.has_errors() {
        image::build(&zones[0]).expect("a zone without errors compiles");
    }
}
