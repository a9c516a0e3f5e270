//! Load through the program: a feed goes over its target and cells leave, by their hash and no
//! others; it falls, and they come back.

use meridian::testing::steer::pop::PopId;
use meridian::testing::steer::pop_status::Shed;
use meridian::testing::steer::rendezvous::cell_key;
use meridian::testing::wire::hash;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use support::deployment::*;
use support::program::Served;

const ADDRESSES: [&str; 3] = ["198.51.100.10", "198.51.100.20", "198.51.100.30"];
const NAMES: [&str; 3] = ["one", "two", "xxx"];
/// Cells that are asked.
const CELLS: u32 = 192;
/// The longest that shares may take from one end to the other: a step a second.
const SETTLES: Duration = Duration::from_secs(90);

/// PoP `one` before `two` before `xxx`, each with a file that tells its load, of a capacity of 100.
fn three_pops() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let load = "capacity: 100, load: { file: \"{pop}.load\", every: 1s, target: 50%, limit: 90%, gain: 0.2, \
        smoothing: 1 }";
    let load = load.replace("{pop}.load", &format!("{}/{{pop}}.load", deployment.path("").display()));
    let mut pops = "pops:\n".to_owned();
    for (name, address) in NAMES.iter().zip(ADDRESSES) {
        pops.push_str(&format!("  {name}: {{ addresses: [{address}], {load} }}\n"));
    }
    deployment.write("pops.yaml", &pops);
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: 60 }\nrecords:\n  \
         \"@\": { NS: [ns1] }\n  \
         ns1: { A: 192.0.2.53 }\n  www: { steer: web }\npolicies:\n  web: { pops: [one, two, xxx], order: \
         listed, ttl: 5 }\n",
    );
    deployment
}

/// What a feed's file says from now on.
fn carries(deployment: &Deployment, pop: &str, load: u32) {
    deployment.write("new", &format!("{load}\n"));
    std::fs::rename(deployment.path("new"), deployment.path(&format!("{pop}.load")))
        .expect("the folder is ours");
}

/// What each PoP sheds, by the control socket, with the number of the snapshot.
fn sheds(deployment: &Deployment) -> (u64, [Shed; 3]) {
    let told = deployment.page("/pops").json();
    let steps = |share: &Value| (share.as_f64().unwrap_or(0.0) * 256.0).round() as u16;
    let of = |name: &str| {
        let feed = &told["pops"]
            .as_array()
            .expect("PoPs")
            .iter()
            .find(|pop| pop["name"] == name)
            .expect("it is there")["feeds"][0];
        Shed {
            share: steps(&feed["shed_share"]),
            accept: NAMES.iter().map(|name| steps(&feed["accept"][name])).collect(),
        }
    };
    (told["sequence"].as_u64().expect("a number"), NAMES.map(of))
}

fn address_of(cell: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits((20 << 24) + (cell << 12))
}

/// Whom each cell is sent to.
fn answers(process: &Served) -> Vec<usize> {
    let socket = client(process.dns);
    let ask = |cell: u32| {
        let [a, b, c, _] = address_of(cell).octets();
        let packet = with_subnet(query(cell as u16, "www.cdn.example", 1), [a, b, c]);
        let reply = ask_from(&socket, process.dns, &packet);
        let (id, _, addresses) = decode(&reply);
        assert_eq!((u32::from(id), addresses.len()), (cell, 1));
        ADDRESSES.iter().position(|address| *address == addresses[0]).expect("one of ours")
    };
    (0..CELLS).map(ask).collect()
}

/// Whom each cell should be sent to: `one` keeps its own but for those that its share takes, and
/// the first behind it that accepts a cell, and does not shed it itself, has it.
fn expected(sheds: &[Shed; 3]) -> Vec<usize> {
    let seeds = NAMES.map(|name| hash::octets(name.as_bytes()));
    let owner = hash::name(b"\x03www\x03cdn\x07example\0");
    let of = |cell: u32| {
        let key = cell_key(4, u128::from(address_of(cell).to_bits()), owner);
        let takes = |pop: &usize| {
            !sheds[*pop].sheds(|| key, seeds[*pop])
                && sheds[0].hands_to(|| key, seeds[0], PopId(*pop as u16), seeds[*pop])
        };
        if sheds[0].sheds(|| key, seeds[0]) { (1..3).find(takes).unwrap_or(0) } else { 0 }
    };
    (0..CELLS).map(of).collect()
}

/// The world: what clients bring in all, and what each PoP carries besides, in the unit of the
/// capacities.
struct World<'d> {
    deployment: &'d Deployment,
    process: Served,
    clients: u32,
    besides: [u32; 3],
}

impl World<'_> {
    /// Looks until it is as wanted: what each PoP sheds, and whom the cells are sent to. At every
    /// look at which no share changed meanwhile, exactly the right cells are away. Each PoP tells
    /// what its clients of now bring.
    fn until(&self, what: &str, is_wanted: impl Fn(&[Shed; 3], &[usize]) -> bool) -> Vec<usize> {
        let end = Instant::now() + SETTLES;
        loop {
            let (before, shares) = sheds(self.deployment);
            let got = answers(&self.process);
            let (after, still) = sheds(self.deployment);
            for (pop, name) in NAMES.iter().enumerate() {
                let cells = got.iter().filter(|at| **at == pop).count() as u32;
                carries(self.deployment, name, self.clients * cells / CELLS + self.besides[pop]);
            }
            if before == after && shares == still {
                assert_eq!(got, expected(&shares), "{what}: {shares:?}");
                if is_wanted(&shares, &got) {
                    return got;
                }
            }
            assert!(Instant::now() < end, "{what}: {shares:?}, {} away", away(&got).len());
            // Shares take a step a second; looking more often finds nothing.
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn away(answers: &[usize]) -> Vec<u32> {
    (0..CELLS).filter(|cell| answers[*cell as usize] != 0).collect()
}

/// Over the target cells leave by their order to those that have room, until the rest is within the
/// target; the others stay. When the load falls all come back.
#[test]
fn the_right_clients_leave_and_come_back() {
    let deployment = three_pops();
    NAMES.iter().for_each(|name| carries(&deployment, name, 10));
    let mut world =
        World { process: deployment.serve(&[]), deployment: &deployment, clients: 40, besides: [0, 5, 5] };
    assert!(away(&world.until("within its target", |shares, _| shares[0].share == 0)).is_empty());
    world.clients = 85;
    let first = world.until("begins", |shares, got| shares[0].share > 0 && !away(got).is_empty());
    let settled = world.until("settles", |_, got| {
        (got.iter().filter(|at| **at == 0).count() as u32) * world.clients <= 55 * CELLS
    });
    assert!(
        away(&first).len() < away(&settled).len() && away(&settled).len() < CELLS as usize,
        "the others stay"
    );
    let told = deployment.page("/policies").json();
    assert!(told["policies"][0]["members"][0]["sheds"].as_f64().expect("a share") > 0.2, "{told}");
    world.clients = 20;
    assert!(away(&world.until("falls", |shares, _| shares[0].share == 0)).is_empty());
    deployment.events(|events| {
        ["PoP one sheds load", "PoP one sheds no load any more"].iter().all(|text| events.contains(text))
    });
}

/// While everybody is full nobody leaves, and that is an alarm; once the others have room cells
/// leave, and it ends.
#[test]
fn full_neighbours_are_an_alarm_until_they_have_room() {
    let deployment = three_pops();
    carries(&deployment, "one", 85);
    ["two", "xxx"].iter().for_each(|name| carries(&deployment, name, 60));
    let mut world =
        World { process: deployment.serve(&[]), deployment: &deployment, clients: 85, besides: [0, 60, 60] };
    let is_full = || {
        let told = deployment.page("/pops").json();
        let pops = told["pops"].as_array().expect("PoPs");
        pops.iter().any(|pop| pop["name"] == "one" && pop["feeds"][0]["no_room"] == true)
            && told["alarms"].to_string().contains("no PoP takes more clients of PoP one")
    };
    assert!(away(&world.until("full", |_, _| is_full())).is_empty());
    world.besides = [0, 5, 5];
    world.until("has room", |_, got| {
        (got.iter().filter(|at| **at == 0).count() as u32) * world.clients <= 55 * CELLS && !is_full()
    });
    deployment
        .events(|events| ["shedding_no_room", "shedding_has_room"].iter().all(|kind| events.contains(kind)));
}
