//! What is made from the catalogue of keys. `docs/configuration.md` is up to date; the JSON Schemas
//! that the program prints are judged by a validator of another hand: the sample files and the
//! commented samples pass, and what the reader refuses for its form does not.

use boon::{Compiler, SchemaIndex, Schemas};
use meridian::testing::cli::schema::{json, page, sample};
use meridian::testing::config::catalogue::{FILES, FileKind};
use meridian::testing::control::openapi;
use serde_json::Value;
use std::path::Path;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A schema, compiled; a schema that is none fails here.
fn compiled(text: &str) -> (Schemas, SchemaIndex) {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.add_resource("schema.json", serde_json::from_str(text).expect("JSON")).expect("a resource");
    let index = compiler.compile("schema.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
    (schemas, index)
}

/// The fault that the schema of a file finds in a YAML text.
fn fault(schema: &str, yaml: &str) -> Option<String> {
    let (schemas, index) = compiled(schema);
    let value: Value = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    schemas.validate(&value, index).err().map(|error| format!("{error:#}"))
}

fn file(word: &str) -> &'static FileKind {
    FILES.iter().find(|file| file.word == word).expect("a file of the catalogue")
}

/// `docs/configuration.md` is made from the catalogue. After a change:
/// `MERIDIAN_WRITE=1 cargo test --test repository reference`.
#[test]
fn the_reference_is_the_catalogue() {
    let path = top().join("docs/configuration.md");
    let made = page::markdown();
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == made,
        "run `MERIDIAN_WRITE=1 cargo test --test repository reference`"
    );
}

/// The schemas in `schema/` are those that the program prints. After a change:
/// `MERIDIAN_WRITE=1 cargo test --test repository schema`.
#[test]
fn the_schema_files_are_what_the_program_prints() {
    for kind in &FILES {
        let path = top().join("schema").join(format!("{}.schema.json", kind.word));
        let made = json::of(kind);
        if std::env::var_os("MERIDIAN_WRITE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).is_ok_and(|text| text == made),
            "{}: run `MERIDIAN_WRITE=1 cargo test --test repository schema`",
            path.display()
        );
    }
}

/// `schema/openapi.json` is the document that the server gives. After a change:
/// `MERIDIAN_WRITE=1 cargo test --test repository openapi`.
#[test]
fn the_openapi_file_is_what_the_program_prints() {
    let path = top().join("schema/openapi.json");
    let made = openapi::text();
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|text| text == made),
        "run `MERIDIAN_WRITE=1 cargo test --test repository openapi`"
    );
}

/// Every sample file begins with the line from which an editor learns its schema. The schema is in
/// the tree, or where the package puts it; it and the schema of all files accept the file.
#[test]
fn every_sample_names_its_schema_and_passes() {
    // The package, and the container image, put the folder `schema` there.
    let installed = Path::new("/usr/share/meridian/");
    let packaging = std::fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert!(packaging.contains(r#"["schema/*.json", "usr/share/meridian/schema/", "644"]"#));
    let image = std::fs::read_to_string(top().join("deploy/Containerfile")).unwrap();
    assert!(image.contains("/src/schema /usr/share/meridian/schema\n"));
    let mut found = 0;
    for folder in
        ["", "zones", "geoip", "deploy/debian/etc", "deploy/debian/etc/zones", "deploy/debian/etc/geoip"]
    {
        for entry in std::fs::read_dir(top().join(folder)).unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            found += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            let Some(named) = first.strip_prefix("# yaml-language-server: $schema=") else {
                panic!("{}: the first line names no schema", path.display());
            };
            let at = match Path::new(named).strip_prefix(installed) {
                Ok(inside) => top().join(inside),
                Err(_) => path.with_file_name(named),
            };
            let schema = std::fs::read_to_string(&at)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), at.display()));
            for schema in [schema, json::all()] {
                assert_eq!(fault(&schema, &text), None, "{}", path.display());
            }
        }
    }
    assert!(found >= 12, "{found} sample files");
}

/// The files that the package's server makes lie in the folders that the unit makes for it, and the
/// unit says so.
#[test]
fn the_example_of_the_package_fits_the_unit() {
    let unit = std::fs::read_to_string(top().join("deploy/meridian.service")).unwrap();
    let text = std::fs::read_to_string(top().join("deploy/debian/etc/meridian.yaml")).unwrap();
    let example: Value = serde_yaml::from_str(&text).unwrap();
    for (made, folder, key, path) in [
        ("RuntimeDirectory=meridian\n", "/run/meridian/", "control:", &example["listen"]["control"]),
        ("RuntimeDirectory=meridian\n", "/run/meridian/", "pid_file:", &example["pid_file"]),
        ("StateDirectory=meridian\n", "/var/lib/meridian", "state:", &example["state"]),
    ] {
        let path = path.as_str().unwrap_or_else(|| panic!("the example has no `{key}`"));
        assert!(path.starts_with(folder) && unit.contains(made), "{key} {path}");
        assert!(unit.contains(&format!("{key} {path}")), "the unit does not tell `{key} {path}`");
    }
}

/// Also with every key that the sample shows as a comment.
#[test]
fn the_commented_samples_pass() {
    for kind in &FILES {
        assert_eq!(fault(&json::of(kind), &sample::of(kind)), None, "{}", kind.word);
    }
}

/// Each row: a file, its text, and whether the schema takes it.
#[test]
fn what_is_wrong_does_not_pass() {
    let server = "node: { name: n }\nlisten: { dns: \"127.0.0.1:53\" }\npops: p\nzones: z\n";
    let zone = "zone: z.example\nsoa: { mname: a, rname: b }\n";
    let pop = "pops: { fra: { at: { lat: 1, lon: 2 }, addresses: 192.0.2.1 } }\n";
    let rows: &[(&str, String, bool)] = &[
        ("server", server.to_owned(), true),
        ("server", server.replace("pops:", "pop:"), false),
        ("server", server.replace("zones: z\n", ""), false),
        ("server", server.replace("pops: p", "pops: [p, q]"), false),
        ("server", server.replace("{ dns:", "{ threads: 0, dns:"), false),
        ("server", server.replace("{ dns:", "{ threads: many, dns:"), false),
        ("server", "[]".to_owned(), false),
        ("pops", pop.to_owned(), true),
        ("pops", "pops: [fra]".to_owned(), false),
        ("pops", pop.replace("lat: 1", "lat: 91"), false),
        ("pops", pop.replace("addresses", "weight: -1, addresses"), false),
        ("pops", pop.replace("addresses", "weight: 1.5, addresses"), false),
        ("pops", pop.replace("addresses", "state: donw, addresses"), false),
        ("pops", pop.replace("addresses", "state: drain, addresses"), true),
        ("pops", pop.replace("addresses", "adresses"), false),
        ("policies", "policies: { web: { pops: all } }".to_owned(), true),
        ("policies", "policies: { web: { pops: all, ttl: 5m } }".to_owned(), true),
        ("policies", "policies: { web: { pops: all, ttl: soon } }".to_owned(), false),
        ("policies", "policies: { web: { pops: all, order: fastest } }".to_owned(), false),
        ("policies", "policies: { web: { pops: all, band: 10 } }".to_owned(), false),
        ("policies", "policies: { web: { pops: all, rules: [{ wenn: {}, pops: fra }] } }".to_owned(), false),
        (
            "policies",
            "policies: { web: { pops: all, rules: [{ when: { land: DE }, pops: fra }] } }".to_owned(),
            false,
        ),
        ("policies", "policies: { web: { pops: all, answers: 0 } }".to_owned(), false),
        ("networks", "office: [198.18.0.0/24]".to_owned(), true),
        ("networks", "office: { prefixes: 198.18.0.0/24, asn: { a: 1 } }".to_owned(), false),
        ("networks", "office: { country: DE }".to_owned(), false),
        ("zone", zone.to_owned(), true),
        ("zone", zone.replace("zone:", "zon:"), false),
        (
            "zone",
            format!("{zone}records: {{ a: {{ A: [192.0.2.1], TYPE65280: '\\# 0', steer: web }} }}\n"),
            true,
        ),
        ("zone", format!("{zone}records: {{ a: {{ A-: 192.0.2.1 }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ A: {{ x: 1 }} }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ A: nonsense }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ A: [192.0.2.1, mail] }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ A: '\"192.0.2.1\"' }} }}\n"), true),
        ("zone", format!("{zone}records: {{ a: {{ A: '\\# 4 c0000201' }} }}\n"), true),
        ("zone", format!("{zone}records: {{ a: {{ MX: mail }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ mx: 10 mail, type65280: '\\# 0' }} }}\n"), true),
        ("zone", format!("{zone}records: {{ a: {{ SRV: 1 2 x }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ CSYNC: 66 3 }} }}\n"), true),
        ("zone", format!("{zone}records: {{ a: {{ AAA: 192.0.2.1 }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ ANY: x }} }}\n"), false),
        ("zone", format!("{zone}records: {{ a: {{ txt: x, ttl: 5 }} }}\n"), true),
        ("zone", format!("{zone}record: {{}}\n"), false),
        ("zone", zone.replace("mname: a, ", ""), false),
    ];
    for (word, text, is_right) in rows {
        let found = fault(&json::of(file(word)), text);
        assert_eq!(found.is_none(), *is_right, "{word}: {text}\n{found:?}");
    }
}

/// The schema takes every example of record data, which the reader takes too.
#[test]
fn examples_of_record_data_pass() {
    let schema = json::of(file("zone"));
    let read: Value = serde_json::from_str(&schema).expect("JSON");
    let (schemas, index) = compiled(&schema);
    let types = read["$defs"]["owner"]["properties"].as_object().expect("record types");
    let mut count = 0;
    for (name, of_type) in types {
        for example in of_type["examples"].as_array().into_iter().flatten() {
            let zone = serde_json::json!({
                "zone": "z.example",
                "soa": { "mname": "a", "rname": "b" },
                "records": { "x": { (name): example } },
            });
            let found = schemas.validate(&zone, index).err();
            assert!(found.is_none(), "{name} {example}: {:#}", found.expect("a fault"));
            count += 1;
        }
    }
    assert!(count > 40, "{count} examples");
}
