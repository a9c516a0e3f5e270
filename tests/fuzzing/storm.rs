//! Strangers' packets over loopback: whatever comes, the next honest question is answered.

use meridian::testing::server::Engine;
use support::deployment::*;

/// Packets sent. A longer run:
/// `MERIDIAN_STORM_PACKETS=1000000 cargo test --release --test fuzzing storm`.
const PACKETS: u64 = 100_000;
/// Packets between two honest questions; few enough that the kernel's queue holds them.
const VOLLEY: u64 = 50;

/// A generator that gives the same packets on every run (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Random octets, or an honest query with some octets changed, cut or added.
    fn packet(&mut self, honest: &[Vec<u8>]) -> Vec<u8> {
        if self.below(4) == 0 {
            let len = self.below(600);
            return (0..len).map(|_| self.next() as u8).collect();
        }
        let mut packet = honest[self.below(honest.len())].clone();
        for _ in 0..1 + self.below(6) {
            match self.below(4) {
                0 if !packet.is_empty() => packet.truncate(self.below(packet.len())),
                1 => packet.push(self.next() as u8),
                _ if !packet.is_empty() => {
                    let at = self.below(packet.len());
                    packet[at] = self.next() as u8;
                }
                _ => {}
            }
        }
        packet
    }
}

#[test]
fn the_next_question_is_answered() {
    let packets = support::number("MERIDIAN_STORM_PACKETS").unwrap_or(PACKETS);
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let server = sample.start(Engine::Fast);
    let address = server.dns()[0];
    let mut honest: Vec<Vec<u8>> =
        ["www.shop.example", "global.edge.cdn.example", "missing.cdn.example", "www.lab.cdn.example"]
            .iter()
            .flat_map(|name| [1, 28, 16, 255].map(|rtype| query(7, name, rtype)))
            .collect();
    let with_ecs: Vec<Vec<u8>> = honest
        .iter()
        .map(|plain| {
            let mut packet = plain.clone();
            packet.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100]);
            packet[11] = 1;
            packet
        })
        .collect();
    honest.extend(with_ecs);
    let socket = client(address);
    let mut seeded = Seeded(1);
    let mut sent = 0;
    let mut reply = [0; 65_535];
    while sent < packets {
        for _ in 0..VOLLEY.min(packets - sent) {
            socket.send_to(&seeded.packet(&honest), address).expect("the client sends");
            sent += 1;
        }
        // The canary has an ID that no reply to the volley is waited for with.
        let canary = query(sent as u16, "ns1.cdn.example", 1);
        socket.send_to(&canary, address).expect("the client sends");
        loop {
            let (length, _) = socket.recv_from(&mut reply).expect("the canary is answered");
            assert!(length <= 1_232, "no reply is longer than what we advertise");
            assert!(length >= 12 && reply[2] & 0x80 != 0, "every reply is a response");
            if reply[..2] == canary[..2] && length > canary.len() && reply[12..canary.len()] == canary[12..] {
                assert_eq!(decode(&reply[..length]).2, ["203.0.113.53"]);
                break;
            }
        }
    }
    let totals = server.shared().counters.fold(meridian::testing::answer::Transport::Udp);
    assert_eq!(totals.dropped(meridian::testing::shared::counters::Dropped::Panic), 0, "no panic was caught");
}
