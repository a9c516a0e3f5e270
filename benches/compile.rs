//! Cost of a reload: reading the configuration, geography, routes of all policies, and the image
//! of a zone of 10,000 names. `cargo bench --bench compile`.

use criterion::{Criterion, criterion_group, criterion_main};
use meridian::testing::config;
use meridian::testing::snapshot::{compile, steering};
use meridian::testing::zone::image;
use std::hint::black_box;
use std::path::Path;
use support::{Tree, load, sample};

fn compiling(criterion: &mut Criterion) {
    let world = sample();
    let tree = Tree::sample();
    criterion.bench_function("load the sample", |b| {
        b.iter(|| config::read_deployment(Path::new("meridian.yaml"), black_box(&tree)))
    });
    criterion.bench_function("geography", |b| b.iter(|| compile::geography(black_box(&world.deployment))));
    criterion.bench_function("routes", |b| {
        b.iter(|| {
            steering::compile(steering::SteeringInputs {
                pops: &world.deployment.pops,
                policies: &world.deployment.policies,
                atlas: black_box(&world.geography.atlas),
                site: world.deployment.node.site.as_ref(),
            })
        });
    });
    let mut text =
        "zone: big.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { \
        A: 192.0.2.1 }\n"
            .to_owned();
    for n in 0..10_000 {
        text.push_str(&format!("  h{n}: {{ A: 192.0.2.{}, AAAA: \"2001:db8::{n:x}\" }}\n", n % 256));
    }
    let world = load(&Tree::sample().with("zones/big.example.yaml", text))
        .unwrap_or_else(|findings| panic!("{findings}"));
    let zone =
        world.deployment.zones.iter().find(|z| z.apex.to_string() == "big.example.").expect("just written");
    criterion.bench_function("zone image of 10,000 names", |b| b.iter(|| image::build(black_box(zone))));
}

criterion_group!(benches, compiling);
criterion_main!(benches);
