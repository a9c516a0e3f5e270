//! Folding of counters.

use super::*;

/// Blocks of one lane are summed, those of the other are not; unknown response codes share a
/// counter.
#[test]
fn folds_by_lane() {
    let blocks = [
        CounterBlock::single_writer(Transport::Udp, 0),
        CounterBlock::single_writer(Transport::Udp, 1),
        CounterBlock::multi_writer(Transport::Tcp, 2),
    ]
    .map(Arc::new);
    let counters = Counters::new(blocks.to_vec(), Arc::default());
    assert_eq!(counters.worker_count(), 3);
    for block in &blocks {
        block.received(3);
        block.replied(0);
        block.replied(3);
        block.replied(3841);
        block.dropped(Dropped::Cut, 2);
    }
    let udp = counters.fold(Transport::Udp);
    assert_eq!(
        (udp.received, udp.replied(), udp.dropped(Dropped::Cut), udp.dropped(Dropped::Panic)),
        (6, 6, 4, 0)
    );
    assert_eq!(udp.replies().collect::<Vec<_>>(), [(Some(0), 2), (Some(3), 2), (None, 2)]);
    let tcp = counters.fold(Transport::Tcp);
    assert_eq!((tcp.received, tcp.replied()), (3, 3));
}

/// Each reason has its own name.
#[test]
fn words_differ() {
    let mut words: Vec<_> = Dropped::ALL.iter().map(|d| d.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Dropped::ALL.len());
}

/// Each type with a counter has its slot; neighbouring types have the slot of all others.
#[test]
fn types_have_slots() {
    for (index, rtype) in TYPES.iter().enumerate() {
        assert_eq!(usize::from(SLOT_OF_TYPE[usize::from(rtype.0)]), index);
    }
    assert_eq!(SLOT_OF_TYPE.iter().filter(|slot| usize::from(**slot) < TYPES.len()).count(), TYPES.len());
}
