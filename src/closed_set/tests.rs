//! Tests of closed sets: members, words and places in order, and texts of pieces.

use super::*;

closed_set! {
    /// A set.
    enum Colour {
        /// Red.
        Red = "red",
        /// Green.
        Green = "green",
        /// Blue.
        Blue = "blue",
    }
}

fn bright() -> impl Iterator<Item = Colour> + Clone {
    Colour::ALL.into_iter().filter(|colour| *colour != Colour::Green)
}

closed_union! {
    /// A union.
    enum Thing {
        /// A stone.
        Stone = "stone",
        /// Paint of one colour.
        Paint(colour: Colour = bright()) = colour.word(),
        /// A tree.
        Tree = "tree",
    }
}

#[test]
fn unions_list_each_member() {
    let words: Vec<&str> = Thing::all().map(Thing::word).collect();
    assert_eq!(words, ["stone", "red", "blue", "tree"]);
    assert_eq!(Thing::Paint(Colour::Blue).index(), 2);
    assert!(Thing::all().enumerate().all(|(index, thing)| thing.index() == index));
}

#[test]
fn members_and_words_are_in_order() {
    assert_eq!(Colour::ALL, [Colour::Red, Colour::Green, Colour::Blue]);
    assert_eq!(Colour::ALL.map(Colour::word), ["red", "green", "blue"]);
    assert_eq!(in_a_row::<_, 4>(&[&Colour::WORDS, &["grey"]]), ["red", "green", "blue", "grey"]);
}

#[test]
fn enumerations_are_english() {
    assert_eq!(const_text!(&enumerated::<3>(&["a"])), "`a`");
    assert_eq!(const_text!(&enumerated::<7>(&["a", "b"])), "`a` and `b`");
    assert_eq!(
        const_text!(&["of ", const_text!(&enumerated::<11>(&["a", "b", "c"]))]),
        "of `a`, `b` and `c`"
    );
}
