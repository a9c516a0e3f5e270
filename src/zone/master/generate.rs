//! `$GENERATE range owner [ttl] [class] type data`: records from a template, as BIND writes them.
//!
//! `range` is `start-stop` or `start-stop/step`. In owner and data `$` stands for the number, `$$`
//! for a dollar, and `${offset,width,base}` for the number plus an offset, padded with zeros to a
//! width, in base `d`, `o`, `x`, `X`, or as reversed nibbles `n`, `N`.

use super::lexer::{Lexer, Token};
use super::reader::{Context, Reader};
use crate::finding::{Finding, code};
use crate::wire::name::Name;

/// Reads the template and adds its records.
pub(super) fn run(
    reader: &mut Reader<'_>,
    context: &Context<'_>,
    tokens: &[Token],
    entry: &[Token],
) -> Result<(), Finding> {
    let wrong = |token: &Token, message: String, label: &str| {
        Finding::error(code::BAD_GENERATE, message).at(context.at(token), label)
    };
    let [range, owner, rest @ ..] = tokens else {
        return Err(wrong(
            &entry[0],
            "`$GENERATE` needs a range, an owner, a type and data".to_owned(),
            "this directive",
        ));
    };
    let Some((start, stop, step)) = range_of(range.octets(context.text)) else {
        let message = format!("`{}` is not a range of numbers", context.shown(range));
        return Err(wrong(range, message, "as in `1-10` or `0-254/2`")
            .help("the start must not be above the stop, the step at least 1"));
    };
    let Some(head) = reader.head(context, rest, entry) else { return Ok(()) };
    let data = &rest[head.data..];
    let mut number = start;
    loop {
        if !reader.may_generate() {
            let message = format!("`$GENERATE` makes more than {} records", crate::limits::GENERATED_MAX);
            return Err(wrong(range, message, "too many"));
        }
        let name = expand(owner.octets(context.text), number).ok_or_else(|| {
            wrong(owner, format!("`{}` is not a template", context.shown(owner)), "as in `host-${0,3,d}`")
        })?;
        let name = Name::parse_octets(&name, Some(&context.origin)).map_err(|error| {
            wrong(owner, format!("this makes a name that is none: {error}"), "for one of its numbers")
        })?;
        // The expanded data is text of its own; its faults are shown at the template.
        let mut text: Vec<u8> = Vec::new();
        for token in data {
            let expanded = expand(token.octets(context.text), number).ok_or_else(|| {
                wrong(token, format!("`{}` is not a template", context.shown(token)), "as in `192.0.2.$`")
            })?;
            let quote: &[u8] = if token.quoted { b"\"" } else { b"" };
            text.extend([quote, &expanded, quote, b" "].concat());
        }
        let mut words = Vec::new();
        let expanded =
            Context { file: context.file, text: &text, origin: context.origin.clone(), owner: None };
        let before = reader.mark();
        if Lexer::new(&text).entry(&mut words).is_ok() {
            reader.record(&expanded, name, &head, &words, &words);
        }
        let template = data.first().or(tokens.last()).unwrap_or(range);
        if reader.relocate(before, context.at(template)) {
            // One number shows the fault; the others would repeat it.
            return Ok(());
        }
        match number.checked_add(step) {
            Some(next) if next <= stop => number = next,
            _ => return Ok(()),
        }
    }
}

fn range_of(word: &[u8]) -> Option<(u32, u32, u32)> {
    let text = std::str::from_utf8(word).ok()?;
    let (range, step) = text.split_once('/').map_or((text, "1"), |(range, step)| (range, step));
    let (start, stop) = range.split_once('-')?;
    let (start, stop, step) = (start.parse().ok()?, stop.parse().ok()?, step.parse().ok()?);
    (start <= stop && step > 0).then_some((start, stop, step))
}

/// The template with the number put in; `None` if a `${...}` is not understood.
fn expand(template: &[u8], number: u32) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(template.len() + 8);
    let mut at = 0;
    while let Some(&octet) = template.get(at) {
        at += 1;
        match octet {
            b'\\' => {
                out.push(octet);
                out.extend(template.get(at));
                at += 1;
            }
            b'$' if template.get(at) == Some(&b'$') => {
                out.push(b'$');
                at += 1;
            }
            b'$' if template.get(at) == Some(&b'{') => {
                let len = template[at..].iter().position(|o| *o == b'}')?;
                out.extend(modified(&template[at + 1..at + len], number)?);
                at += len + 1;
            }
            b'$' => out.extend(number.to_string().into_bytes()),
            _ => out.push(octet),
        }
    }
    Some(out)
}

fn modified(modifier: &[u8], number: u32) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(modifier).ok()?;
    let mut parts = text.split(',');
    let offset: i64 = parts.next()?.trim().parse().ok()?;
    let width: usize = parts.next().map_or(Some(0), |w| w.trim().parse().ok())?;
    let base = parts.next().unwrap_or("d").trim();
    if parts.next().is_some() || width > 255 {
        return None;
    }
    let value = u64::try_from(i64::from(number).checked_add(offset)?).ok()?;
    let digits = match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        // Nibbles from the lowest, with dots, as ip6.arpa wants them.
        "n" | "N" => {
            let nibbles = width.div_ceil(2).max(1);
            let hex = format!("{value:0nibbles$x}");
            let hex = if base == "N" { hex.to_ascii_uppercase() } else { hex };
            hex.chars().rev().map(String::from).collect::<Vec<_>>().join(".")
        }
        _ => return None,
    };
    Some(digits.into_bytes())
}
