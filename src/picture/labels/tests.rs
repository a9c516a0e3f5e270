//! Labels of crowds of PoPs never overlap, and the first ones stay.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const FRAME: Area = Area { x: 0.0, y: 0.0, width: 1600.0, height: 700.0 };

fn room(points: &[Point]) -> (Room, Vec<Area>) {
    let marks: Vec<Area> = points.iter().map(|at| Area::around(*at, 10.0, 10.0)).collect();
    (Room::new(FRAME, marks.clone()), marks)
}

proptest! {
    /// 300 PoPs, a third of them crowded into a corner of the map.
    #[test]
    fn labels_of_300_pops_do_not_overlap(
        spread in vec((0.0..1600.0, 0.0..700.0, 20.0..120.0), 200),
        crowd in vec((700.0..900.0, 100.0..200.0, 20.0..120.0), 100),
    ) {
        let wishes: Vec<(f64, f64, f64)> = crowd.into_iter().chain(spread).collect();
        let points: Vec<Point> = wishes.iter().map(|&(x, y, _)| Point { x, y }).collect();
        let (mut room, marks) = room(&points);
        let mut placed: Vec<Area> = Vec::new();
        for (at, &(_, _, width)) in points.iter().zip(&wishes) {
            if let Some((area, near)) = room.beside(*at, width, 14.0) {
                prop_assert!(near < DISTANCES.len() && FRAME.holds(&area), "{area:?}");
                prop_assert!(!placed.iter().chain(&marks).any(|other| other.overlaps(&area)), "{area:?}");
                placed.push(area);
            }
        }
        prop_assert!(placed.len() > 50, "{} labels", placed.len());
    }
}

/// The label whose turn is first stays, and a label without room is dropped.
#[test]
fn labels_drop_by_priority() {
    let at = Point { x: 800.0, y: 350.0 };
    let (mut room, _) = room(&[at; 100]);
    let near: Vec<Option<usize>> =
        (0..100).map(|_| room.beside(at, 60.0, 14.0).map(|(_, near)| near)).collect();
    assert_eq!(near[0], Some(0));
    assert_eq!(near[99], None);
    let first_dropped = near.iter().position(Option::is_none).expect("there is no room for 100");
    assert!(first_dropped > 4 && near[first_dropped..].iter().all(Option::is_none), "{near:?}");
}
