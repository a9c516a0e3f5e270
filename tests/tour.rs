//! The sample deployment answers clients on six continents from the PoP that is near them.

mod support;

use meridian::cli::explain::{Asked, explain};
use meridian::wire::name::Name;
use meridian::wire::rr::RrType;
use support::{ask, prefix, query, sample};

#[test]
fn a_chained_customer_name_leads_to_the_near_pop() {
    let world = sample();
    let text = explain(
        &world.deployment,
        &world.geography,
        &world.snapshot,
        &Asked {
            name: Name::parse("www.shop.example.", None).unwrap(),
            rtype: RrType::A,
            client: "127.0.0.1".parse().unwrap(),
            ecs: Some(prefix("198.51.100.0/24")),
            down: vec![],
        },
    );
    println!("{text}");
    let (outcome, _) =
        ask(&world.snapshot, &query("www.shop.example.", RrType::A, Some(prefix("198.51.100.0/24"))), "127.0.0.1".parse().unwrap(), 0);
    let (pop, _) = outcome.pop.unwrap();
    assert_eq!(&*world.snapshot.steering.pops[usize::from(pop.0)].name, "iad");
}
