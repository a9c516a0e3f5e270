//! Closed sets: enums whose members are listed once, each with its word, and lists and texts that
//! the compiler makes of them.

/// Declares an enum whose members have words. The list of all members, its order and the words come
/// from the one declaration, so that no list can lack a member.
macro_rules! closed_set {
    ($(#[$doc:meta])* $vis:vis enum $id:ident { $($(#[$about:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $id { $($(#[$about])* $name,)* }

        impl $id {
            /// Every word, in order of the declaration.
            pub(crate) const WORDS: [&'static str; [$($word),*].len()] = [$($word),*];
            /// Every member, in order of the declaration.
            pub(crate) const ALL: [$id; $id::WORDS.len()] = [$($id::$name),*];

            /// Word in files, pages, metrics and events.
            pub(crate) const fn word(self) -> &'static str {
                $id::WORDS[self as usize]
            }
        }
    };
}

/// Declares an enum of which some members stand for each member of another set, such as a task for
/// each stream transport. The list of all members and their words come from the one declaration.
macro_rules! closed_union {
    (@each $id:ident $name:ident) => { std::iter::once($id::$name) };
    (@each $id:ident $name:ident $each:expr) => { $each.map($id::$name) };
    ($(#[$doc:meta])* $vis:vis enum $id:ident {
        $($(#[$about:meta])* $name:ident $(($member:ident: $of:ty = $each:expr))? = $word:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $id { $($(#[$about])* $name $(($of))?,)* }

        impl $id {
            /// Every member, in order of the declaration.
            pub(crate) fn all() -> impl Iterator<Item = $id> + Clone {
                std::iter::empty()$(.chain(closed_union!(@each $id $name $($each)?)))*
            }

            /// Word in metrics, pages and events.
            pub(crate) fn word(self) -> &'static str {
                match self { $($id::$name $(($member))? => $word,)* }
            }

            /// Place in the list of all members.
            pub(crate) fn index(self) -> usize {
                $id::all().position(|member| member == self).expect("every member is listed")
            }
        }
    };
}

/// Text of pieces that the compiler knows.
macro_rules! const_text {
    ($pieces:expr) => {{
        const PIECES: &[&str] = $pieces;
        const OCTETS: [u8; $crate::closed_set::octets(PIECES)] = $crate::closed_set::joined(PIECES);
        match std::str::from_utf8(&OCTETS) {
            Ok(text) => text,
            Err(_) => panic!("texts in a row are a text"),
        }
    }};
}

/// Lists in a row as one list of `N` members, of which the first list has at least one.
pub(crate) const fn in_a_row<T: Copy, const N: usize>(lists: &[&[T]]) -> [T; N] {
    let mut all = [lists[0][0]; N];
    let (mut count, mut list) = (0, 0);
    while list < lists.len() {
        let mut member = 0;
        while member < lists[list].len() {
            all[count] = lists[list][member];
            count += 1;
            member += 1;
        }
        list += 1;
    }
    assert!(count == N, "the lists have N members");
    all
}

/// Pieces of an enumeration in Markdown, such as "`a`, `b` and `c`"; `N` is four for each word,
/// less one.
pub(crate) const fn enumerated<const N: usize>(words: &[&'static str]) -> [&'static str; N] {
    let mut pieces = ["`"; N];
    let mut at = 0;
    while at < words.len() {
        pieces[4 * at + 1] = words[at];
        if at + 1 < words.len() {
            pieces[4 * at + 3] = if at + 2 < words.len() { ", " } else { " and " };
        }
        at += 1;
    }
    pieces
}

/// Octets of all pieces.
pub(crate) const fn octets(pieces: &[&str]) -> usize {
    let (mut sum, mut piece) = (0, 0);
    while piece < pieces.len() {
        sum += pieces[piece].len();
        piece += 1;
    }
    sum
}

/// Pieces in a row.
pub(crate) const fn joined<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let mut all = [0; N];
    let (mut count, mut piece) = (0, 0);
    while piece < pieces.len() {
        let mut octet = 0;
        while octet < pieces[piece].len() {
            all[count] = pieces[piece].as_bytes()[octet];
            count += 1;
            octet += 1;
        }
        piece += 1;
    }
    all
}

#[cfg(test)]
mod tests;
