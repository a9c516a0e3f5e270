//! A YAML document as a tree in which every key and value has its place.
//!
//! The tree is built from parser events instead of serde's traits, for three reasons. A serde
//! deserializer stops at its first fault, but an operator wants all of them. It assigns types to
//! scalars too early: here `no` and `012` are text until a number is wanted. And it cannot show
//! both places of a duplicate key.
//!
//! Aliases and merge keys copy a value that is written once. Each file has a [`Share`] of its
//! load's budget for these copies, and returns it if the file is refused.

use crate::budget::{Budget, Share, Spent};
use crate::finding::{At, FileId, Finding, Findings, code};
use crate::limits::{YAML_COPIED_OCTETS_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX};
use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::{HashMap, HashSet};

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Place of the text, or of the first line of a list or map; for an empty value, of the key
    /// before it.
    pub(crate) at: At,
    /// Kind of value, with its contents.
    pub(crate) kind: ValueKind,
    /// True for a scalar in quotes, in a block or with the tag `!!str`, which is a text whatever it
    /// looks like (YAML 1.2.2 section 10.3.2).
    pub(crate) quoted: bool,
}

/// Kind of a value, with its contents.
#[derive(Clone, Debug)]
pub(super) enum ValueKind {
    /// Nothing, `~`, `null`, `Null` or `NULL`.
    Null,
    /// A scalar as written, with quotes and escapes undone.
    Text(Box<str>),
    /// A list.
    List(Vec<Node>),
    /// A map in the order written, without duplicate keys.
    Map(Vec<(Key, Node)>),
}

/// A key of a map with its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its text.
    pub(crate) text: Box<str>,
    /// Its place.
    pub(crate) at: At,
}

/// Octets of memory of a copied value, with the key before it.
const COPY_OCTETS: usize = size_of::<(Key, Node)>();
/// Inverse of the part of a text's grant that its copies may use: the tree itself takes the other
/// three quarters.
const GRANT_DIVISOR: usize = 4;
/// Copied octets that count as one step of work.
const OCTETS_PER_STEP: usize = 8;

/// Takes the cost of a copy of `node` from the budget.
fn spend(share: &mut Share<'_>, node: &Node) -> Result<(), Spent> {
    let mut make = |octets: usize| share.work(octets / OCTETS_PER_STEP).and_then(|()| share.make(octets));
    make(COPY_OCTETS)?;
    match &node.kind {
        ValueKind::Null => Ok(()),
        ValueKind::Text(text) => make(text.len()),
        ValueKind::List(list) => list.iter().try_for_each(|node| spend(share, node)),
        ValueKind::Map(entries) => entries.iter().try_for_each(|(key, node)| {
            share.make(key.text.len())?;
            spend(share, node)
        }),
    }
}

/// Reads one document. Faults become findings; `None` if there is no tree to continue with.
pub(super) fn parse(text: &str, file: FileId, budget: &Budget, out: &mut Findings) -> Option<Node> {
    let mut share = budget.share_of_copies();
    share.grant(text.len() / GRANT_DIVISOR);
    let tree = build(text, file, &mut share, out);
    if tree.is_none() {
        share.give_back();
    }
    tree
}

fn build(text: &str, file: FileId, share: &mut Share<'_>, out: &mut Findings) -> Option<Node> {
    let mut builder =
        Builder { text, file, open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, share, out };
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                let marker = error.marker();
                let at = builder.at_marker(marker.byte_offset(), marker.line(), marker.col());
                let message = format!("this is not well-formed YAML: {}", error.info());
                let finding = Finding::error(code::YAML_SYNTAX, message).at(at, "here");
                builder.out.push(match is_unquoted_wildcard(text, at) {
                    true => finding
                        .help("`*` begins an alias in YAML: write a wildcard in quotes, as `\"*.apps\"`"),
                    false => finding,
                });
                return None;
            }
        };
        if let Err(finding) = builder.take(event, span) {
            builder.out.push(*finding);
            return None;
        }
    }
    Some(builder.root.unwrap_or(Node { at: At::whole(file), kind: ValueKind::Null, quoted: false }))
}

/// True if the line of a place has a word that begins with `*.`, or is a lone asterisk.
fn is_unquoted_wildcard(text: &str, at: At) -> bool {
    let line = text.lines().nth(at.line.saturating_sub(1) as usize).unwrap_or_default();
    line.split([' ', ',', '[', '{', ':']).any(|word| word.starts_with("*.") || word == "*")
}

/// A list or map that is not yet closed.
struct Open {
    at: At,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, places: HashMap<Box<str>, usize>, key: Option<Key> },
}

struct Builder<'t, 'f, 'b> {
    text: &'t str,
    file: FileId,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    share: &'f mut Share<'b>,
    out: &'f mut Findings,
}

type Stop = Box<Finding>;

impl Builder<'_, '_, '_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let at = self.at(span);
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_text = tag.as_deref().is_some_and(|t| t.is_yaml_core_schema_tag("str"));
                self.refuse_tag(tag.is_some() && !is_text, at);
                let quoted = is_text || !matches!(style, ScalarStyle::Plain);
                let empty = !quoted && matches!(&*value, "" | "~" | "null" | "Null" | "NULL");
                let kind = if empty { ValueKind::Null } else { ValueKind::Text(value.into()) };
                self.place(Node { at, kind, quoted }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                self.start(at, anchor, OpenContent::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), at);
                self.start(
                    at,
                    anchor,
                    OpenContent::Map { entries: Vec::new(), places: HashMap::new(), key: None },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let end = at.end.max(open.at.start);
                    let kind = match open.content {
                        OpenContent::List(list) => ValueKind::List(list),
                        OpenContent::Map { entries, .. } => ValueKind::Map(self.merged(entries)),
                    };
                    let at = At { end: self.first_line_end(open.at.start, end), ..open.at };
                    self.place(Node { at, kind, quoted: false }, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(id) => match self.anchors.get(&id) {
                Some(node) => {
                    spend(self.share, node).map_err(|spent| too_many_copies(spent, at))?;
                    // A finding about a copied value points to the anchor, where the fault is.
                    let copy = node.clone();
                    self.place(copy, 0)
                }
                None => Err(Box::new(
                    Finding::error(code::YAML_SYNTAX, "an alias inside its own anchor")
                        .at(at, "refers to itself"),
                )),
            },
            Event::DocumentStart(..) if self.root.is_some() => Err(Box::new(
                Finding::error(code::YAML_SYNTAX, "a second YAML document in one file")
                    .at(at, "starts here")
                    .help("put it into a file of its own, or remove the `---`"),
            )),
            _ => Ok(()),
        }
    }

    fn refuse_tag(&mut self, foreign: bool, at: At) {
        if foreign {
            self.out.push(
                Finding::error(code::BAD_VALUE, "YAML tags (`!name`) mean nothing here")
                    .at(at, "has a tag")
                    .help("remove the tag; a value in quotes is a text"),
            );
        }
    }

    fn start(&mut self, at: At, anchor: usize, content: OpenContent) -> Result<(), Stop> {
        if self.open.len() >= YAML_DEPTH_MAX {
            return Err(Box::new(
                Finding::error(
                    code::TOO_LARGE,
                    format!("lists and maps nested more than {YAML_DEPTH_MAX} deep"),
                )
                .at(at, "too deep"),
            ));
        }
        self.open.push(Open { at, anchor, content });
        Ok(())
    }

    /// Puts a finished node into the open list or map, or at the root.
    fn place(&mut self, mut node: Node, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > YAML_NODES_MAX {
            let message = format!("more than {YAML_NODES_MAX} values in one file");
            return Err(Box::new(
                Finding::error(code::TOO_LARGE, message).at(node.at, "the limit is exceeded here"),
            ));
        }
        if anchor != 0 {
            spend(self.share, &node).map_err(|spent| too_many_copies(spent, node.at))?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(OpenContent::List(list)) => list.push(node),
            Some(OpenContent::Map { entries, places, key }) => match key.take() {
                None => {
                    let text = match node.kind {
                        ValueKind::Text(text) => text,
                        ValueKind::Null => self
                            .text
                            .get(node.at.start as usize..node.at.end as usize)
                            .unwrap_or_default()
                            .into(),
                        ValueKind::List(_) | ValueKind::Map(_) => {
                            self.out.push(
                                Finding::error(
                                    code::BAD_VALUE,
                                    "a key must be plain text, not a list or a map",
                                )
                                .at(node.at, "used as a key"),
                            );
                            Box::from("")
                        }
                    };
                    *key = Some(Key { text, at: node.at });
                }
                Some(name) => match places.get(&name.text) {
                    Some(&first) => {
                        let first = entries.get(first).map_or(name.at, |(key, _)| key.at);
                        self.out.push(
                            Finding::error(
                                code::DUPLICATE_KEY,
                                format!("the key `{}` is written twice", name.text),
                            )
                            .at(name.at, "again here")
                            .related(first, "first written here")
                            .help("remove one of them, or combine their contents under one key"),
                        );
                    }
                    None => {
                        if matches!(node.kind, ValueKind::Null) && node.at.start == node.at.end {
                            node.at = name.at;
                        }
                        places.insert(name.text.clone(), entries.len());
                        entries.push((name, node));
                    }
                },
            },
        }
        Ok(())
    }

    /// Resolves merge keys (`<<: *base`): the map's own keys override merged ones.
    fn merged(&mut self, entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        if !entries.iter().any(|(key, _)| &*key.text == "<<") {
            return entries;
        }
        let (bases, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| &*key.text == "<<");
        let mut named: HashSet<Box<str>> = own.iter().map(|(key, _)| key.text.clone()).collect();
        for (_, base) in bases {
            let maps = match base.kind {
                ValueKind::List(list) => list,
                _ => vec![base],
            };
            for map in maps {
                let ValueKind::Map(entries) = map.kind else {
                    self.out.push(
                        Finding::error(code::BAD_VALUE, "`<<` merges a map, or a list of maps")
                            .at(map.at, "not a map")
                            .help("write `<<: *name` with the anchor of a map"),
                    );
                    continue;
                };
                own.extend(entries.into_iter().filter(|(key, _)| named.insert(key.text.clone())));
            }
        }
        own
    }

    fn at(&self, span: Span) -> At {
        let start = self.octet(span.start.byte_offset());
        let end = self.octet(span.end.byte_offset()).max(start);
        let end = self.first_line_end(start, end);
        At {
            file: self.file,
            line: span.start.line() as u32,
            column: span.start.col() as u32 + 1,
            start,
            end,
        }
    }

    fn at_marker(&self, octet: Option<usize>, line: usize, col: usize) -> At {
        let start = self.octet(octet);
        let step = self
            .text
            .get(start as usize..)
            .and_then(|t| t.chars().next())
            .filter(|c| *c != '\n')
            .map_or(0, char::len_utf8);
        At {
            file: self.file,
            line: line.max(1) as u32,
            column: col as u32 + 1,
            start,
            end: start + step as u32,
        }
    }

    fn octet(&self, offset: Option<usize>) -> u32 {
        offset.unwrap_or(0).min(self.text.len()) as u32
    }

    /// End of a marked range, cut to its first line and without trailing blanks.
    fn first_line_end(&self, start: u32, end: u32) -> u32 {
        let marked = self.text.get(start as usize..end as usize).unwrap_or_default();
        let line = marked.split('\n').next().unwrap_or_default();
        start + line.trim_end().len() as u32
    }
}

fn too_many_copies(spent: Spent, at: At) -> Stop {
    let finding = match spent {
        Spent::ByOthers => Finding::error(code::BUDGET_SPENT, spent.to_string()),
        Spent::Octets | Spent::Steps => Finding::error(
            code::TOO_LARGE,
            format!(
                "aliases would make more of this file than {} MiB beyond its own allowance",
                YAML_COPIED_OCTETS_MAX >> 20
            ),
        ),
    };
    let finding = finding.at(at, "the limit is exceeded here");
    Box::new(finding.help("write the values out, or use fewer and smaller anchors"))
}
