//! Cost of one answer: parsing, static data, a name that does not exist, a steered name with
//! ECS, and a chain over two zones with ECS. `cargo bench --bench core`.

use criterion::{Criterion, criterion_group, criterion_main};
use meridian::testing::answer::stages::{Plans, Stages};
use meridian::testing::answer::{Client, QueryContext, Transport};
use meridian::testing::wire::query::{Query, parse};
use meridian::testing::wire::reject::Parsed;
use meridian::testing::wire::rr::RrType;
use std::hint::black_box;
use support::{prefix, query, sample};

fn core(criterion: &mut Criterion) {
    let world = sample();
    let ecs = Some(prefix("198.51.100.0/24"));
    let client = Client { address: [192, 0, 2, 77].into(), transport: Transport::Udp };
    let mut out = vec![0; 1232];
    let steered = query("global.edge.cdn.example.", RrType::A, ecs);
    criterion.bench_function("parse", |b| {
        let mut query = Query::default();
        b.iter(|| matches!(parse(black_box(&steered), black_box(&mut query)), Parsed::Query));
    });
    for (what, packet) in [
        ("answer static", query("status.cdn.example.", RrType::A, None)),
        ("answer NXDOMAIN", query("none.cdn.example.", RrType::A, None)),
        ("answer steered with ECS", steered.clone()),
        (
            "answer steered with ECS, IPv6",
            query("global.edge.cdn.example.", RrType::AAAA, Some(prefix("2001:db8:1000::/48"))),
        ),
        ("answer chain with ECS", query("images.shop.example.", RrType::A, ecs)),
    ] {
        let (mut draw, mut stages, none) = (0, Stages::default(), Plans::default());
        criterion.bench_function(what, |b| {
            b.iter(|| {
                draw += 1;
                stages.respond(
                    (&none, 0),
                    &world.snapshot,
                    black_box(&packet),
                    &client,
                    QueryContext { draw, epoch_secs: 0 },
                    &mut out,
                );
                stages.outcome
            });
        });
    }
}

criterion_group!(benches, core);
criterion_main!(benches);
