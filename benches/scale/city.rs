//! A database of the size of a City database, from a seed: networks of both families, each in one
//! of many places. Written here octet by octet (MaxMind DB File Format 2.0), since the writer of
//! `geoip build` takes minutes for five million networks.

use support::dice::Dice;

/// Countries of the database.
const COUNTRIES: usize = 240;
/// Share of networks that are IPv6: one of so many.
const V6_EVERY: usize = 5;

/// A place: its country, and where it is.
#[derive(Clone, Copy)]
pub struct Spot {
    pub country: usize,
    pub lat: f64,
    pub lon: f64,
}

/// Two letters for a country; those of no real one among them, but not AP and EU, which databases
/// have for whole regions and which no rule may name.
pub fn code(country: usize) -> String {
    let country = match country {
        15 | 124 => COUNTRIES + country,
        country => country,
    };
    let letter = |n: usize| char::from(b'A' + n as u8);
    format!("{}{}", letter(country / 26), letter(country % 26))
}

/// Places that crowd around the middle of their country.
pub fn spots(places: usize, dice: &mut Dice) -> Vec<Spot> {
    let degrees =
        |dice: &mut Dice, least: f64, most: f64| least + (most - least) * dice.below(1_000_000) as f64 / 1e6;
    let middles: Vec<(f64, f64)> =
        (0..COUNTRIES).map(|_| (degrees(dice, -50.0, 65.0), degrees(dice, -175.0, 175.0))).collect();
    let spot = |country: usize, dice: &mut Dice| {
        let (lat, lon) = middles[country];
        Spot { country, lat: lat + degrees(dice, -4.0, 4.0), lon: lon + degrees(dice, -4.0, 4.0) }
    };
    (0..places).map(|place| spot(place % COUNTRIES, dice)).collect()
}

/// The file. Neighbours are often of one country, as networks of one provider are.
pub fn database(networks: usize, places: &[Spot], dice: &mut Dice) -> Vec<u8> {
    let (data, offsets) = data(places);
    let mut tree = Tree::default();
    let (v6, mut run, mut country) = (networks / V6_EVERY, 0, 0);
    let mut place = |dice: &mut Dice| {
        if run == 0 {
            (run, country) = (1 + dice.below(48), dice.below(COUNTRIES));
        }
        run -= 1;
        country + COUNTRIES * dice.below(places.len() / COUNTRIES)
    };
    // From 1.0.0.0 on, past 10/8 and 127/8; what else is special is found in real databases too.
    let mut at: u64 = 1 << 24;
    for _ in 0..networks - v6 {
        let length = [24, 24, 24, 24, 24, 24, 23, 23, 22, 21][dice.below(10)];
        let size = 1u64 << (32 - length);
        at = at.next_multiple_of(size);
        for block in [10u64, 127] {
            if at >> 24 == block {
                at = (block + 1) << 24;
            }
        }
        assert!(at < 224 << 24, "IPv4 does not hold as many networks");
        tree.insert(u128::from(at), 96 + length, offsets[place(dice)]);
        at += size;
    }
    for number in 0..v6 {
        let start = 0x2a00u128 << 112 | (number as u128) << (128 - 40);
        tree.insert(start, 40, offsets[place(dice)]);
    }
    tree.file(&data)
}

/// The search tree; a record of a node is 0 for nothing, a node's number, or an offset of data with
/// the top bit.
struct Tree {
    nodes: Vec<[u32; 2]>,
}

const DATA: u32 = 1 << 31;

impl Default for Tree {
    fn default() -> Tree {
        Tree { nodes: vec![[0; 2]] }
    }
}

impl Tree {
    fn insert(&mut self, start: u128, length: u8, offset: u32) {
        let mut node = 0usize;
        for depth in 0..length {
            let side = (start >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                self.nodes[node][side] = offset | DATA;
                return;
            }
            if self.nodes[node][side] == 0 {
                self.nodes[node][side] = self.nodes.len() as u32;
                self.nodes.push([0; 2]);
            }
            node = self.nodes[node][side] as usize;
        }
    }

    fn file(self, data: &[u8]) -> Vec<u8> {
        let count = self.nodes.len() as u32;
        let mut file = Vec::with_capacity(self.nodes.len() * 8 + data.len() + 256);
        for record in self.nodes.iter().flatten() {
            let record = match *record {
                0 => count,
                record if record & DATA != 0 => count + 16 + (record & !DATA),
                node => node,
            };
            file.extend(record.to_be_bytes());
        }
        file.extend([0; 16]);
        file.extend(data);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        map(&mut file, 9);
        for (key, value) in [
            ("binary_format_major_version", 2u16),
            ("binary_format_minor_version", 0),
            ("ip_version", 6),
            ("record_size", 32),
        ] {
            text(&mut file, key);
            file.extend([0xa2]);
            file.extend(value.to_be_bytes());
        }
        text(&mut file, "node_count");
        file.extend([0xc4]);
        file.extend(count.to_be_bytes());
        text(&mut file, "build_epoch");
        file.extend([0x08, 0x02]);
        file.extend(1_760_000_000u64.to_be_bytes());
        text(&mut file, "database_type");
        text(&mut file, "Scale-City");
        text(&mut file, "description");
        map(&mut file, 0);
        text(&mut file, "languages");
        file.extend([0x00, 0x04]);
        file
    }
}

/// The data section, and where each place stands in it.
fn data(places: &[Spot]) -> (Vec<u8>, Vec<u32>) {
    let mut data = Vec::new();
    let continents = ["AF", "AS", "EU", "NA", "OC", "SA"];
    let offsets = places.iter().enumerate().map(|(number, place)| {
        let at = data.len() as u32;
        map(&mut data, 4);
        text(&mut data, "continent");
        map(&mut data, 1);
        text(&mut data, "code");
        text(&mut data, continents[place.country % continents.len()]);
        text(&mut data, "country");
        map(&mut data, 1);
        text(&mut data, "iso_code");
        text(&mut data, &code(place.country));
        text(&mut data, "location");
        map(&mut data, 2);
        for (key, degrees) in [("latitude", place.lat), ("longitude", place.lon)] {
            text(&mut data, key);
            data.push(0x68);
            data.extend(degrees.to_be_bytes());
        }
        text(&mut data, "subdivisions");
        // A list of one map.
        data.extend([0x01, 0x04]);
        map(&mut data, 1);
        text(&mut data, "iso_code");
        text(&mut data, &format!("{}", number % 90 + 10));
        at
    });
    let offsets = offsets.collect();
    (data, offsets)
}

fn map(to: &mut Vec<u8>, entries: u8) {
    to.push(0xe0 | entries);
}

fn text(to: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 29);
    to.push(0x40 | text.len() as u8);
    to.extend(text.as_bytes());
}
