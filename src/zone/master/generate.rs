//! `$GENERATE range owner [ttl] [class] type data`: records from a template, as in BIND's manual.
//!
//! `range` is `start-stop` or `start-stop/step`. In owner and data, `$` stands for the number, and
//! `\$` or `$$` for a dollar sign. `${offset,width,base}` stands for the number plus an offset,
//! padded with zeros to a width, in base `d`, `o`, `x` or `X`. Base `n` or `N` writes nibbles from
//! the lowest on, each followed by a dot if the width has room. Data in one quoted string is the
//! text between the quotes, in which `\"` stands for a quote.
//!
//! A template is split into parts once. The records of each number are counted before the next is
//! made; a template that is bound to exceed its limit ends at its first number.

use super::lexer::{Lexer, Token};
use super::reader::{Context, Head, Reader};
use crate::finding::{At, Finding, code};
use crate::limits::{GENERATED_MAX, TEMPLATE_OCTETS_MAX};
use crate::wire::name::Name;
use std::ops::ControlFlow;

/// Steps of work that each record costs in addition to its octets.
const RECORD_STEPS: usize = 64;
/// Widest field: as many digits as the longest name has octets.
const WIDTH_MAX: usize = 255;

/// Reads the template and adds its records.
pub(super) fn run(
    reader: &mut Reader<'_>,
    context: &Context<'_>,
    tokens: &[Token],
    entry: &[Token],
) -> Result<(), Finding> {
    let [range, owner, rest @ ..] = tokens else {
        let message = "`$GENERATE` needs a range, an owner, a type and data".to_owned();
        return Err(wrong(context, &entry[0], message, "this directive"));
    };
    let Some(numbers) = range_of(range.octets(context.text)) else {
        let message = format!("`{}` is not a range of numbers", context.shown(range));
        return Err(wrong(context, range, message, "write a range as in `1-10` or `0-254/2`")
            .help("the start must not be above the stop, the step at least 1"));
    };
    let Some(head) = reader.head(context, rest, entry) else { return Ok(()) };
    let template = Template::cut(context, owner, &rest[head.data..], tokens.last().unwrap_or(range))?;
    let mut room = Room::default();
    for number in numbers.all() {
        reader.generated += 1;
        if reader.generated > GENERATED_MAX {
            let message = format!("`$GENERATE` makes more than {GENERATED_MAX} records");
            return Err(wrong(context, range, message, "too many"));
        }
        if template.add(reader, &head, number, &mut room)?.is_break() {
            return Ok(());
        }
        if number == numbers.start && template.foresee(reader, &numbers).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Owner and data of a template, cut into parts.
struct Template<'c, 't> {
    context: &'c Context<'c>,
    owner: &'t Token,
    owner_parts: Vec<Part>,
    /// First token of the data, at which faults of expanded data are shown.
    data: &'t Token,
    /// Place of this token, which is counted from the start of its line.
    place: At,
    data_parts: Vec<Part>,
}

/// Octets and words of one expansion, whose memory the next one uses again.
#[derive(Default)]
struct Room {
    name: Vec<u8>,
    text: Vec<u8>,
    words: Vec<Token>,
}

impl<'c, 't> Template<'c, 't> {
    /// Cuts owner and data. `last` is the last token of the directive.
    fn cut(
        context: &'c Context<'c>,
        owner: &'t Token,
        data: &'t [Token],
        last: &'t Token,
    ) -> Result<Template<'c, 't>, Finding> {
        let fault = |token: &Token, label: &str| {
            let message = format!("`{}` is not a template", context.shown(token));
            wrong(context, token, message, label)
        };
        let (mut owner_parts, mut data_parts) = (Vec::new(), Vec::new());
        cut(owner.octets(context.text), &mut owner_parts)
            .ok_or_else(|| fault(owner, "as in `host-${0,3,d}`"))?;
        for token in data {
            data_text(token, data.len() == 1, context.text, &mut data_parts)
                .ok_or_else(|| fault(token, "as in `192.0.2.$`"))?;
        }
        let data = data.first().unwrap_or(last);
        Ok(Template { context, owner, owner_parts, data, place: context.at(data), data_parts })
    }

    /// Adds the record of a number. Breaks after a finding, because the other numbers would repeat
    /// it.
    fn add(
        &self,
        reader: &mut Reader<'_>,
        head: &Head,
        number: u32,
        room: &mut Room,
    ) -> Result<ControlFlow<()>, Finding> {
        let Template { context, owner, data, place, .. } = self;
        let Room { name, text, words } = room;
        for (parts, made, token) in [(&self.owner_parts, &mut *name, owner), (&self.data_parts, text, data)] {
            expand(parts, number, made).map_err(|why| {
                wrong(context, token, format!("{why}, for the number {number}"), "this template")
            })?;
        }
        if let Err(spent) = reader.work(RECORD_STEPS + name.len() + text.len()) {
            reader.spent(spent, *place);
            return Ok(ControlFlow::Break(()));
        }
        let made = Name::parse_octets(name, Some(&context.origin)).map_err(|error| {
            let message = format!("this expands to an invalid name: {error}");
            wrong(context, owner, message, "for one of its numbers")
        })?;
        // The expanded data has no place in a file, so its faults are shown at the template.
        let mut lexer = Lexer::new(text);
        let one_line = lexer.entry(words).is_ok() && matches!(lexer.entry(&mut Vec::new()), Ok(None));
        if !one_line {
            let message = "this expands to data that is not one line of words".to_owned();
            return Err(wrong(context, data, message, "for one of its numbers"));
        }
        let expanded = Context { file: context.file, text, origin: context.origin.clone(), owner: None };
        let before = reader.mark();
        reader.record(&expanded, made, head, words, words);
        if reader.relocate(before, *place) || reader.is_over() {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Breaks if the records of all numbers are bound to exceed the limit, at the first number.
    fn foresee(&self, reader: &mut Reader<'_>, numbers: &Numbers) -> ControlFlow<()> {
        let Numbers { start, stop, step } = numbers;
        let left = ((stop - start) / step).min(GENERATED_MAX.saturating_sub(reader.generated));
        let least = self.owner_parts.iter().chain(&self.data_parts).map(Part::least).sum::<usize>();
        match reader.foresee(left as usize * (RECORD_STEPS + least)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(spent) => {
                reader.spent(spent, self.place);
                ControlFlow::Break(())
            }
        }
    }
}

fn wrong(context: &Context<'_>, token: &Token, message: String, label: &str) -> Finding {
    Finding::error(code::BAD_GENERATE, message).at(context.at(token), label)
}

/// Numbers of a range.
struct Numbers {
    start: u32,
    stop: u32,
    step: u32,
}

impl Numbers {
    fn all(&self) -> impl Iterator<Item = u32> + use<> {
        (self.start..=self.stop).step_by(self.step as usize)
    }
}

fn range_of(word: &[u8]) -> Option<Numbers> {
    let text = std::str::from_utf8(word).ok()?;
    let (range, step) = text.split_once('/').map_or((text, "1"), |(range, step)| (range, step));
    let (start, stop) = range.split_once('-')?;
    let (start, stop, step) = (start.parse().ok()?, stop.parse().ok()?, step.parse().ok()?);
    (start <= stop && step > 0).then_some(Numbers { start, stop, step })
}

/// A part of a template.
enum Part {
    Text(Vec<u8>),
    Number { offset: i64, width: usize, base: Base },
}

impl Part {
    /// Fewest octets to which the part expands, for any number.
    fn least(&self) -> usize {
        match self {
            Part::Text(text) => text.len(),
            // A nibble field may be narrower than its width.
            Part::Number { base: Base::Nibbles { .. }, .. } => 1,
            Part::Number { width, .. } => (*width).max(1),
        }
    }
}

#[derive(Clone, Copy)]
enum Base {
    Decimal,
    Octal,
    Hex { upper: bool },
    Nibbles { upper: bool },
}

/// Splits one word of data into parts; with `is_alone`, the word is all of the data.
fn data_text(token: &Token, is_alone: bool, text: &[u8], parts: &mut Vec<Part>) -> Option<()> {
    let octets = token.octets(text);
    if !token.quoted {
        cut(octets, parts)?;
    } else if is_alone {
        cut(&without_quotes(octets), parts)?;
    } else {
        push(b'"', parts);
        cut(octets, parts)?;
        push(b'"', parts);
    }
    push(b' ', parts);
    Some(())
}

/// Inside of a quoted string with `\"` undone; other escapes stay for the record.
fn without_quotes(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets.iter().copied();
    while let Some(octet) = rest.next() {
        match (octet, rest.clone().next()) {
            (b'\\', Some(b'"')) => out.extend(rest.next()),
            (b'\\', Some(kept)) => {
                out.extend([octet, kept]);
                rest.next();
            }
            _ => out.push(octet),
        }
    }
    out
}

fn push(octet: u8, parts: &mut Vec<Part>) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(octet),
        _ => parts.push(Part::Text(vec![octet])),
    }
}

/// Splits a template into parts; `None` if it is too long or has an invalid `${...}`.
fn cut(template: &[u8], parts: &mut Vec<Part>) -> Option<()> {
    if template.len() > TEMPLATE_OCTETS_MAX {
        return None;
    }
    let mut at = 0;
    while let Some(&octet) = template.get(at) {
        at += 1;
        match (octet, template.get(at)) {
            (b'\\', Some(&kept)) => {
                push(octet, parts);
                push(kept, parts);
                at += 1;
            }
            (b'$', Some(b'$')) => {
                push(b'$', parts);
                at += 1;
            }
            (b'$', Some(b'{')) => {
                let len = template[at..].iter().position(|o| *o == b'}')?;
                parts.push(modified(&template[at + 1..at + len])?);
                at += len + 1;
            }
            (b'$', _) => parts.push(Part::Number { offset: 0, width: 0, base: Base::Decimal }),
            _ => push(octet, parts),
        }
    }
    Some(())
}

fn modified(modifier: &[u8]) -> Option<Part> {
    let text = std::str::from_utf8(modifier).ok()?;
    let mut parts = text.split(',');
    let offset = i64::from(parts.next()?.trim().parse::<i32>().ok()?);
    let width: usize = parts.next().map_or(Some(0), |w| w.trim().parse().ok())?;
    let base = match parts.next().unwrap_or("d").trim() {
        "d" => Base::Decimal,
        "o" => Base::Octal,
        "x" => Base::Hex { upper: false },
        "X" => Base::Hex { upper: true },
        "n" => Base::Nibbles { upper: false },
        "N" => Base::Nibbles { upper: true },
        _ => return None,
    };
    (parts.next().is_none() && width <= WIDTH_MAX).then_some(Part::Number { offset, width, base })
}

/// Expands the parts for a number.
fn expand(parts: &[Part], number: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.clear();
    for part in parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Number { offset, width, base } => {
                // BIND computes in 32 bits: a negative number keeps its sign in decimal, and is
                // written as its two's complement in other bases.
                let value = i64::from(number) + offset;
                let bits = u32::try_from(value)
                    .or_else(|_| i32::try_from(value).map(i32::cast_unsigned))
                    .map_err(|_| "the number plus the offset does not fit 32 bits")?;
                digits(value, bits, *width, *base, out);
            }
        }
        if out.len() > TEMPLATE_OCTETS_MAX {
            return Err("the template expands to more than a record can hold");
        }
    }
    Ok(())
}

fn digits(value: i64, bits: u32, width: usize, base: Base, out: &mut Vec<u8>) {
    let text = match base {
        Base::Decimal => format!("{value:0width$}"),
        Base::Octal => format!("{bits:0width$o}"),
        Base::Hex { upper: false } => format!("{bits:0width$x}"),
        Base::Hex { upper: true } => format!("{bits:0width$X}"),
        Base::Nibbles { upper } => return nibbles(bits, width, upper, out),
    };
    out.extend(text.into_bytes());
}

/// Nibbles from the lowest on, with dots, for ip6.arpa. The width counts digits and dots, so that
/// an even width ends with a dot.
fn nibbles(mut bits: u32, mut width: usize, upper: bool, out: &mut Vec<u8>) {
    loop {
        let digit = char::from_digit(bits & 15, 16).unwrap_or('0');
        out.push(if upper { digit.to_ascii_uppercase() } else { digit } as u8);
        bits >>= 4;
        width = width.saturating_sub(1);
        if width > 0 || bits != 0 {
            out.push(b'.');
            width = width.saturating_sub(1);
        }
        if width == 0 && bits == 0 {
            return;
        }
    }
}
