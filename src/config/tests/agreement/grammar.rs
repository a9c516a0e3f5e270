//! Random files from the catalogue: YAML in flow style, and the JSON value that a YAML 1.2 reader
//! makes of it.

use crate::config::catalogue::{Absent, FileKind, KeySection, Others, Shape, TOGETHER, Together};
use serde_json::{Map, Value, json};

/// A value in both forms.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) yaml: String,
    pub(super) json: Value,
}

fn made(yaml: impl Into<String>, json: Value) -> Made {
    Made { yaml: yaml.into(), json }
}

/// Valid texts, by their description in the catalogue.
const TEXTS: &[(&str, &[&str])] = &[
    ("a path", &["pops.yaml"]),
    ("a domain name", &["ns1.z.example."]),
    ("a PoP", &["fra", "ams"]),
    ("`address:port`", &["127.0.0.1:5300", "[::1]:5300"]),
    ("an ISO 3166-1 code", &["DE", "NO"]),
    ("an ISO 3166-2 code", &["DE-BE", "US-CA"]),
    ("`AS` and a number", &["AS64500", "as7"]),
    ("a word", &["eu", "south"]),
    ("a tag", &["eu"]),
    ("a policy", &["nearest", "web"]),
    ("a service", &["default", "video"]),
    ("a network", &["office", "branch"]),
    ("a probe", &["base"]),
    ("an IP address", &["203.0.113.7", "2001:db8:7::1"]),
    ("a prefix or address", &["198.18.1.0/24", "2001:db8:ff2::/48"]),
    // Many, because a prefix may stand under one key only.
    (
        "a prefix, an address or a network",
        &[
            "office",
            "198.18.2.0/24",
            "198.18.3.0/24",
            "198.18.4.0/24",
            "198.18.5.0/24",
            "198.18.6.0/24",
            "198.18.7.1",
            "198.18.7.2",
            "198.18.7.3",
            "198.18.7.4",
            "2001:db8:ff3::/48",
            "2001:db8:ff4::/48",
            "2001:db8:ff5::1",
            "2001:db8:ff5::2",
        ],
    ),
    ("base64", &["AAT+DQAA"]),
    ("a date", &["2090-01-31"]),
    ("a URL with an IP address", &["http://203.0.113.15/load"]),
    ("a JSON pointer", &["/load/now", "/a~1b"]),
    ("the name of a metric", &["requests_per_second"]),
    ("an address, or `address:port`", &["203.0.113.15", "203.0.113.15:80"]),
    ("a range such as `300-399`", &["300-399", "204"]),
    ("a host name", &["probe.cdn.example"]),
    ("a record type", &["A", "SOA"]),
    ("record data", &["192.0.2.1", "192.0.2.2"]),
    ("a text", &["ok"]),
    ("1 to 128 octets", &["n"]),
    ("1 to 255 octets, or `off`", &["frankfurt", "off", "a b"]),
    ("the name of a user", &["meridian", "www-data"]),
    ("a sentence", &["a test looks"]),
];

/// Keys whose value refers to an object, with valid texts.
const REFERENCES: &[(&str, &str)] = &[
    ("policies", "policies.yaml"),
    ("zones", "zones/"),
    ("folder", "zones/"),
    ("databases", "geoip/places.mmdb"),
    ("networks", "geoip/networks.yaml"),
    ("secrets", "cookies.secrets"),
    ("certificate", "tls.pem"),
    ("key", "tls.pem"),
    ("tokens", "admin.tokens"),
    ("client_ca", "tls.pem"),
    ("ca", "probes-ca.pem"),
    ("zone", "z.example."),
    ("answer", "203.0.113.7"),
    ("admin", "127.0.0.1:8053"),
    ("dot", "127.0.0.1:8853"),
    ("doh", "127.0.0.1:8443"),
    ("doq", "127.0.0.1:8853"),
    ("subdivision", "DE-BE"),
    ("country", "DE"),
];

pub(super) struct Grammar {
    state: u64,
    depth: usize,
    /// One in `rate` values is mutated.
    rate: u64,
}

impl Grammar {
    pub(super) fn new(seed: u64) -> Grammar {
        let mut grammar = Grammar { state: seed ^ 0x9e37_79b9_7f4a_7c15, depth: 0, rate: 0 };
        grammar.rate = [12, 60, 60, 400][grammar.below(4)] as u64;
        grammar
    }

    pub(super) fn file(mut self, kind: &FileKind) -> Made {
        self.section(kind.root)
    }

    /// SplitMix64.
    fn below(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn mutates(&mut self) -> bool {
        self.below(self.rate as usize) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn section(&mut self, section: &'static KeySection) -> Made {
        self.depth += 1;
        let mut keys: Vec<&str> = Vec::new();
        let optional = [2, 4, 8][self.below(3)];
        for entry in section.entries {
            let is_required = entry.absent == Absent::Required || (section.id, entry.key) == ("zone", "soa");
            let wanted = if is_required { !self.mutates() } else { self.below(optional) == 0 };
            if wanted && self.depth < 12 {
                keys.push(entry.key);
            }
        }
        if !self.mutates() {
            self.relate(section.id, &mut keys);
            // `listen.dot` and its like, which another map has, need it.
            if section.id == "server" && !keys.contains(&"tls") {
                keys.push("tls");
            }
        }
        let mut entries: Vec<(String, Made)> = Vec::new();
        for entry in section.entries.iter().filter(|entry| keys.contains(&entry.key)) {
            let value = self.value(entry.shape, entry.key);
            entries.push((entry.key.to_owned(), value));
        }
        match &section.others {
            Others::None => {}
            Others::Named(shape) => {
                for name in ["office", "branch"] {
                    entries.push((name.to_owned(), self.value(shape, "")));
                }
            }
            Others::Records if keys.contains(&"steer") => {}
            Others::Records => {
                let data = self.value(&Shape::List(&Shape::Text("record data")), "");
                entries.push(("A".to_owned(), data));
            }
        }
        if self.mutates() {
            let value = self.mutant(None);
            entries.push(("bogus-key".to_owned(), value));
        }
        self.depth -= 1;
        map(entries)
    }

    /// Satisfies the relations between keys.
    fn relate(&mut self, id: &str, keys: &mut Vec<&'static str>) {
        for relation in TOGETHER.iter().filter(|(of, _)| *of == id).flat_map(|(_, relations)| *relations) {
            match relation {
                Together::ExactlyOne(of) => {
                    let one = *self.pick(of);
                    keys.retain(|key| !of.contains(key));
                    keys.push(one);
                }
                Together::AtMostOne(of) => {
                    let one = *self.pick(of);
                    keys.retain(|key| !of.contains(key) || *key == one);
                }
                Together::Some(of) if !keys.iter().any(|key| of.contains(key)) => keys.push(of[0]),
                Together::Excludes(key, others) if keys.contains(key) => {
                    keys.retain(|key| !others.contains(key));
                }
                Together::Needs(key, other) if keys.contains(key) && !keys.contains(other) => {
                    keys.push(other);
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, shape: &'static Shape, key: &str) -> Made {
        if self.mutates() {
            let right = self.right(shape, key);
            let is_text = matches!(shape, Shape::Text(_) | Shape::AnyText(_));
            return if is_text { self.no_scalar(right) } else { self.mutant(Some(right)) };
        }
        self.right(shape, key)
    }

    fn right(&mut self, shape: &'static Shape, key: &str) -> Made {
        match shape {
            Shape::Text(what) | Shape::AnyText(what) | Shape::Pattern(what, _) => {
                if let Some((_, text)) = REFERENCES.iter().find(|(of, _)| *of == key) {
                    return self.text(text);
                }
                if key == "path" || key == "https" || key == "http" {
                    return self.text(if what.contains("URL") {
                        "http://203.0.113.15/load"
                    } else {
                        "/healthz"
                    });
                }
                let (_, texts) = TEXTS.iter().find(|(of, _)| of == what).unwrap_or_else(|| panic!("{what}"));
                let text = *self.pick(texts);
                self.text(text)
            }
            Shape::Integer(least, most) => self.integer(*least, *most),
            Shape::Number(least, most) => {
                let value = match self.mutates() {
                    true => *self.pick(&[least - 1.0, most + 1.0]),
                    false => *self.pick(&[*least, *most, (least + most) / 2.0]),
                };
                made(format!("{value:?}"), json!(value))
            }
            Shape::Positive(most) => {
                let value = match self.mutates() {
                    true => *self.pick(&[0.0, -1.0, most * 2.0]),
                    false => *self.pick(&[1.5, 400.0, *most]),
                };
                made(format!("{value:?}"), json!(value))
            }
            Shape::Percent(least, most) => {
                let right = *self.pick(&[*least, *most, (least + most) / 2]);
                let value = if self.mutates() { most + 1 } else { right };
                let blank = *self.pick(&["", "", " "]);
                self.text(&format!("{value}{blank}%"))
            }
            Shape::Portion => match self.below(4) {
                0 => made("0.5", json!(0.5)),
                1 => made("1", json!(1)),
                2 => self.text("33.5 %"),
                _ => self.text("50%"),
            },
            Shape::Time(least, most) => self.time(*least, *most),
            Shape::Seconds(least, most) => self.time(u64::from(*least) * 1_000, u64::from(*most) * 1_000),
            Shape::Switch => match self.below(3) {
                0 => {
                    let (yaml, value) = *self.pick(&[("true", true), ("False", false), ("TRUE", true)]);
                    made(yaml, json!(value))
                }
                _ => {
                    let word = *self.pick(&["on", "off", "yes", "no"]);
                    self.text(word)
                }
            },
            Shape::Choice(words) => {
                let word = *self.pick(words);
                self.text(word)
            }
            Shape::Either(shapes) => {
                let shape = &shapes[self.below(shapes.len())];
                self.value(shape, key)
            }
            Shape::List(member) | Shape::AnyList(member) => {
                let mut members = Vec::new();
                for _ in 0..[1, 1, 2, 3][self.below(4)] {
                    members.push(self.value(member, key));
                }
                // Lists contain each member once.
                let mut seen: Vec<Value> = Vec::new();
                members.retain(|member| {
                    let is_new = !seen.contains(&member.json);
                    seen.push(member.json.clone());
                    is_new
                });
                match members.as_slice() {
                    [only] if self.below(2) == 0 && !only.json.is_array() => only.clone(),
                    _ => list(members),
                }
            }
            Shape::Map(section) => self.section(section),
            Shape::Names(what, value) => {
                let names: &[&str] = match *what {
                    "PoP" => &["fra", "ams"],
                    "owner" => &["@", "ns1", "www"],
                    "policy" => &["web", "nearest"],
                    "probe" => &["web", "ping"],
                    "header" => &["X-Probe"],
                    "label" => &["vhost"],
                    _ => &["video"],
                };
                let mut entries = Vec::new();
                for name in names {
                    let wrong = self.mutates().then(|| *self.pick(&["-x", "a b", "Fra", "x/y"]));
                    entries.push((wrong.unwrap_or(name).to_owned(), self.value(value, "")));
                }
                entries.dedup_by(|a, b| a.0 == b.0);
                if *what == "probe" {
                    entries.push(("base".to_owned(), made("{ icmp: {} }", json!({ "icmp": {} }))));
                }
                map(entries)
            }
        }
    }

    fn integer(&mut self, least: i64, most: i64) -> Made {
        let is_wrong = self.mutates();
        let value = match self.below(12) {
            0 => least,
            1 => most,
            2..=6 if is_wrong => least - 1,
            2..=11 if is_wrong => most + 1,
            _ => least.max(0) + self.below(((most - least.max(0)).clamp(0, 1_000) + 1) as usize) as i64,
        };
        match self.below(10) {
            0 if value >= 0 => made(format!("{value:#x}"), json!(value)),
            1 if value >= 0 => made(format!("{value:#o}"), json!(value)),
            2 => made(format!("{value}.0"), json!(value as f64)),
            3 => made(format!("{value}e0"), json!(value as f64)),
            4 if value >= 0 => made(format!("+{value}"), json!(value)),
            5 if value >= 0 => made(format!("00{value}"), json!(value)),
            _ => made(value.to_string(), json!(value)),
        }
    }

    fn time(&mut self, least_ms: u64, most_ms: u64) -> Made {
        let mut ms = *self.pick(&[least_ms, most_ms, 1_000, 5_000, 60_000, 86_400_000, most_ms + 1_000]);
        let (mut unit, mut factor) = *self.pick(&crate::config::UNITS);
        let mut blank = *self.pick(&["", "", " ", "  "]);
        if !self.mutates() {
            ms = ms.clamp(least_ms, most_ms);
            blank = blank.get(..1).unwrap_or_default();
            if !ms.is_multiple_of(factor) || unit == "ms" {
                (unit, factor) = if ms.is_multiple_of(1_000) { ("s", 1_000) } else { ("ms", 1) };
            }
        }
        match self.below(3) {
            0 if ms.is_multiple_of(1_000) => made((ms / 1_000).to_string(), json!(ms / 1_000)),
            _ => self.text(&format!("{}{blank}{unit}", ms / factor)),
        }
    }

    /// A text that no reader takes for another type: quoted, or plain.
    fn text(&mut self, text: &str) -> Made {
        let is_plain = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        match is_plain && self.below(2) == 0 {
            true => made(text, json!(text)),
            false => made(json!(text).to_string(), json!(text)),
        }
    }

    /// Replaces a text by another type, or by an empty text.
    fn no_scalar(&mut self, right: Made) -> Made {
        match self.below(7) {
            0 => made("", Value::Null),
            1 => made("~", Value::Null),
            2 => made("NULL", Value::Null),
            3 => list(vec![right]),
            4 => made("[]", json!([])),
            5 => made("{}", json!({})),
            _ => made("\"\"", json!("")),
        }
    }

    /// Replaces a value.
    fn mutant(&mut self, right: Option<Made>) -> Made {
        let many = "1".repeat(309);
        match self.below(22) {
            0 => made("", Value::Null),
            1 => made("null", Value::Null),
            2 => made("Null", Value::Null),
            3 => made("[]", json!([])),
            4 => made("{}", json!({})),
            5 => list(right.into_iter().collect()),
            6 => made("[~]", json!([null])),
            7 => made("false", json!(false)),
            8 => made("off", json!("off")),
            9 => made("no", json!("no")),
            10 => made("1e3", json!(1_000.0)),
            11 => made("0x10", json!(16)),
            12 => made("0o17", json!(15)),
            13 => made("\"7\"", json!("7")),
            14 => made("-1", json!(-1)),
            15 => made("1.5", json!(1.5)),
            16 => made("10s", json!("10s")),
            17 => made("1_000", json!("1_000")),
            18 => made("'True'", json!("True")),
            19 => made("!!str 5", json!("5")),
            // The nearest double.
            20 => made(many.clone(), json!(many.parse::<f64>().unwrap_or(f64::MAX))),
            _ => made("\"\"", json!("")),
        }
    }
}

fn list(members: Vec<Made>) -> Made {
    let yaml: Vec<&str> = members.iter().map(|member| &*member.yaml).collect();
    let json = members.iter().map(|member| member.json.clone()).collect();
    // A flow list cannot have an empty member.
    let yaml: Vec<&str> = yaml.into_iter().map(|yaml| if yaml.is_empty() { "~" } else { yaml }).collect();
    made(format!("[{}]", yaml.join(", ")), Value::Array(json))
}

fn map(entries: Vec<(String, Made)>) -> Made {
    let yaml: Vec<String> =
        entries.iter().map(|(key, value)| format!("{}: {}", json!(key), value.yaml)).collect();
    let json: Map<String, Value> = entries.into_iter().map(|(key, value)| (key, value.json)).collect();
    made(format!("{{ {} }}", yaml.join(", ")), Value::Object(json))
}
