//! A YAML document as a tree in which every key and value knows its place.
//!
//! Built from the parser's events and not through serde's traits, for three reasons: a serde
//! deserializer stops at its first fault, while an operator wants all of them; it gives scalars a
//! type before we know which one is meant (`no` and `012` are text here until somebody asks for a
//! number); and it cannot show both places of a key that is written twice.

use crate::finding::{At, FileId, Finding, Findings, code};
use crate::limits::{YAML_COPIES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX};
use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its text, or for lists and maps their first line.
    pub(crate) at: At,
    /// What it is.
    pub(crate) kind: ValueKind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum ValueKind {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar, exactly as written once quotes and escapes are undone.
    Text(Box<str>),
    /// A list.
    List(Vec<Node>),
    /// A map in the order written; no key stands twice.
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

/// Reads one document. Faults become findings; `None` means that there is no tree to go on with.
pub(super) fn parse(text: &str, file: FileId, out: &mut Findings) -> Option<Node> {
    let mut builder = Builder {
        text,
        file,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        copies: 0,
        out,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                let marker = error.marker();
                let at = builder.at_marker(marker.byte_offset(), marker.line(), marker.col());
                builder.out.push(
                    Finding::error(
                        code::YAML_SYNTAX,
                        format!("this is not well-formed YAML: {}", error.info()),
                    )
                    .at(at, "here"),
                );
                return None;
            }
        };
        if let Err(finding) = builder.take(event, span) {
            builder.out.push(*finding);
            return None;
        }
    }
    Some(builder.root.unwrap_or(Node { at: At::whole(file), kind: ValueKind::Null }))
}

/// A list or map that is not closed yet.
struct Open {
    at: At,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, places: HashMap<Box<str>, usize>, key: Option<Key> },
}

struct Builder<'t, 'f> {
    text: &'t str,
    file: FileId,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    /// Values that aliases wrote out, or that are kept for aliases.
    copies: usize,
    out: &'f mut Findings,
}

type Stop = Box<Finding>;

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let at = self.at(span);
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref().is_some_and(|t| !t.is_yaml_core_schema()), at);
                let empty = matches!(style, ScalarStyle::Plain) && matches!(&*value, "" | "~" | "null");
                let kind = if empty { ValueKind::Null } else { ValueKind::Text(value.into()) };
                self.place(Node { at, kind }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref().is_some_and(|t| !t.is_yaml_core_schema()), at);
                self.start(at, anchor, OpenContent::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref().is_some_and(|t| !t.is_yaml_core_schema()), at);
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
                        OpenContent::Map { entries, .. } => ValueKind::Map(merged(entries)),
                    };
                    let at = At { end: self.first_line_end(open.at.start, end), ..open.at };
                    self.place(Node { at, kind }, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(id) => match self.anchors.get(&id) {
                Some(node) => {
                    self.copies += size(node);
                    self.bounded(at)?;
                    // A finding about a copied value points to the anchor, where it would be
                    // mended.
                    let copy = node.clone();
                    self.place(copy, 0)
                }
                None => Err(Box::new(
                    Finding::error(code::YAML_SYNTAX, "an alias inside the value that it stands for")
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
                Finding::error(code::BAD_VALUE, "YAML tags (`!name`) mean nothing here").at(at, "has a tag"),
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

    /// Puts a finished node where it belongs: into the open list or map, or at the root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if anchor != 0 {
            self.copies += size(&node);
        }
        self.bounded(node.at)?;
        if anchor != 0 {
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
                            .help("remove one of them, or bring their contents together under one"),
                        );
                    }
                    None => {
                        places.insert(name.text.clone(), entries.len());
                        entries.push((name, node));
                    }
                },
            },
        }
        Ok(())
    }

    fn bounded(&self, at: At) -> Result<(), Stop> {
        let message = if self.copies > YAML_COPIES_MAX {
            format!("aliases stand for more than {YAML_COPIES_MAX} values in one file")
        } else if self.nodes > YAML_NODES_MAX {
            format!("more than {YAML_NODES_MAX} values in one file")
        } else {
            return Ok(());
        };
        Err(Box::new(Finding::error(code::TOO_LARGE, message).at(at, "the limit is passed here")))
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

    /// The end of a marked stretch, cut to the line on which it starts and without trailing blanks.
    fn first_line_end(&self, start: u32, end: u32) -> u32 {
        let marked = self.text.get(start as usize..end as usize).unwrap_or_default();
        let line = marked.split('\n').next().unwrap_or_default();
        start + line.trim_end().len() as u32
    }
}

/// How many values a node holds, itself among them: aliases count as if written out.
fn size(node: &Node) -> usize {
    1 + match &node.kind {
        ValueKind::List(list) => list.iter().map(size).sum(),
        ValueKind::Map(entries) => entries.iter().map(|(_, node)| size(node)).sum(),
        _ => 0,
    }
}

/// Resolves merge keys (`<<: *base`): what the map itself says wins over what it merges.
fn merged(entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    if !entries
        .iter()
        .any(|(key, node)| &*key.text == "<<" && matches!(node.kind, ValueKind::Map(_) | ValueKind::List(_)))
    {
        return entries;
    }
    let (bases, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| &*key.text == "<<");
    for (_, base) in bases {
        let maps = match base.kind {
            ValueKind::Map(_) => vec![base],
            ValueKind::List(list) => list,
            _ => Vec::new(),
        };
        for map in maps {
            if let ValueKind::Map(entries) = map.kind {
                for (key, node) in entries {
                    if !own.iter().any(|(mine, _)| mine.text == key.text) {
                        own.push((key, node));
                    }
                }
            }
        }
    }
    own
}
