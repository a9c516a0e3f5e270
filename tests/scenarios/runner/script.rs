//! The language of scenarios, read line by line into steps.

use super::Failure;
use super::query::{Ask, number};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A scenario.
pub struct Script {
    /// What it does, in order, each with its line.
    pub steps: Vec<(usize, Step)>,
}

/// One step.
pub enum Step {
    /// A file of the deployment gets another text.
    File { path: String, text: String },
    /// Text is added at the end of a file.
    Add { path: String, text: String },
    /// A piece of a file is replaced.
    Edit { path: String, old: String, new: String },
    /// The deployment is as at the start again.
    Reset,
    /// The deployment must be refused with this finding.
    Refused { code: String, place: Option<String> },
    /// The deployment must load, with this finding among others.
    Told { code: String, place: Option<String> },
    /// The deployment must load, without any finding of this code.
    Untold { code: String },
    /// A question with what is expected of the reply.
    Ask(Box<Ask>, Vec<(usize, Expect)>),
    /// A question from many clients, with what is expected of all replies.
    Spread(Box<Spread>, Vec<(usize, Many)>),
}

/// The same question from every network of a block.
pub struct Spread {
    /// The question.
    pub ask: Ask,
    /// First network.
    pub over: IpAddr,
    /// Length of the block.
    pub len: u8,
    /// Length of the networks.
    pub by: u8,
}

/// What is expected of one reply.
pub enum Expect {
    /// Response code.
    Status(String),
    /// Flags but QR, in any order.
    Flags(Vec<String>),
    /// A record of a section, with `*` for what does not matter.
    Record(usize, Vec<String>),
    /// The section is empty.
    NoRecords(usize),
    /// This many records in a section.
    Count(usize, usize),
    /// ECS scope.
    Scope(u8),
    /// ECS as echoed.
    Ecs(String),
    /// No ECS.
    NoEcs,
    /// An OPT with this payload size, if one is named.
    Opt(Option<u16>),
    /// No OPT.
    NoOpt,
    /// NSID.
    Nsid(String),
    /// An option by its code, in hexadecimal.
    Option(u16, String),
    /// No option of this code.
    NoOption(u16),
    /// The COOKIE option in hexadecimal.
    Cookie(String),
    /// No COOKIE option.
    NoCookie,
    /// Code of the extended error.
    Ede(u16),
    /// One of these PoPs was chosen.
    Pop(Vec<String>),
    /// No PoP was chosen.
    NoPop,
    /// TC is set.
    Truncated,
    /// TC is not set.
    Whole,
    /// Name with letter case, and type.
    Question(String, String),
    /// No question.
    NoQuestion,
    /// Nothing is sent.
    Silence,
}

/// What is expected of many replies.
pub enum Many {
    /// Per cent of the replies that a PoP or an address has.
    Share(String, RangeInclusive<f64>),
    /// Per cent of the clients that have another PoP than in the spread before.
    Moved(RangeInclusive<f64>),
    /// Every client that moved was at one of these before.
    MoversFrom(Vec<String>),
    /// Every client that moved is at one of these now.
    MoversTo(Vec<String>),
}

const SECTIONS: [&str; 3] = ["answer", "authority", "additional"];

/// Reads a scenario.
pub fn parse(text: &str) -> Result<Script, Failure> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let fail = |line: usize, words: String| Failure { line, words };
    match lines.next() {
        Some((_, first)) if first.starts_with("# ") && first.trim_end().ends_with('.') => {}
        _ => return Err(fail(1, "the first line must be `# One sentence.`".to_owned())),
    }
    let mut steps: Vec<(usize, Step)> = Vec::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_end();
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let body = |lines: &mut dyn Iterator<Item = (usize, &str)>| -> Result<String, Failure> {
            let mut text = String::new();
            for (_, line) in lines {
                if line.trim_end() == "end" {
                    return Ok(text);
                }
                text.push_str(line);
                text.push('\n');
            }
            Err(fail(number, "this text has no line `end`".to_owned()))
        };
        let step = match words[..] {
            ["file", path] => Step::File { path: path.to_owned(), text: body(&mut lines)? },
            ["add", path] => Step::Add { path: path.to_owned(), text: body(&mut lines)? },
            ["add", path, "|", ..] => {
                let text = line.split_once('|').map_or("", |(_, text)| text.trim());
                Step::Add { path: path.to_owned(), text: format!("  {text}\n") }
            }
            ["edit", path, "|", ..] => match line.split('|').collect::<Vec<_>>()[..] {
                [_, old, new] => Step::Edit {
                    path: path.to_owned(),
                    old: old.trim().to_owned(),
                    new: new.trim().to_owned(),
                },
                _ => return Err(fail(number, "expected `edit FILE | old | new`".to_owned())),
            },
            ["reset"] => Step::Reset,
            ["refused", code] => Step::Refused { code: code.to_owned(), place: None },
            ["refused", code, place] => {
                Step::Refused { code: code.to_owned(), place: Some(place.to_owned()) }
            }
            ["untold", code] => Step::Untold { code: code.to_owned() },
            ["told", code] => Step::Told { code: code.to_owned(), place: None },
            ["told", code, place] => Step::Told { code: code.to_owned(), place: Some(place.to_owned()) },
            ["ask", ref rest @ ..] => {
                Step::Ask(Box::new(Ask::parse(rest).map_err(|words| fail(number, words))?), Vec::new())
            }
            ["spread", ref rest @ ..] => {
                Step::Spread(Box::new(spread(rest).map_err(|words| fail(number, words))?), Vec::new())
            }
            _ => {
                match steps.last_mut() {
                    Some((_, Step::Ask(_, expected))) => {
                        expected.push((number, expect(&words).map_err(|words| fail(number, words))?))
                    }
                    Some((_, Step::Spread(_, expected))) => {
                        expected.push((number, many(&words).map_err(|words| fail(number, words))?))
                    }
                    _ => {
                        return Err(fail(
                            number,
                            format!("`{}` is no step, and there is no `ask` before it", words[0]),
                        ));
                    }
                }
                continue;
            }
        };
        steps.push((number, step));
    }
    let idle = steps.iter().find(|(_, step)| match step {
        Step::Ask(_, expected) => expected.is_empty(),
        Step::Spread(..) => false,
        _ => false,
    });
    match (steps.is_empty(), idle) {
        (true, _) => Err(fail(1, "the scenario does nothing".to_owned())),
        (_, Some((line, _))) => Err(fail(*line, "nothing is expected of this `ask`".to_owned())),
        _ => Ok(Script { steps }),
    }
}

fn names(words: &str) -> Vec<String> {
    words.split('|').map(str::to_owned).collect()
}

/// `60..75`, or one number.
fn range(word: &str) -> Result<RangeInclusive<f64>, String> {
    let (low, high) = word.split_once("..").unwrap_or((word, word));
    Ok(number::<f64>(low)?..=number::<f64>(high)?)
}

fn spread(words: &[&str]) -> Result<Spread, String> {
    let form = "expected `spread NAME TYPE over PREFIX by LENGTH ...`";
    let [name, rtype, "over", block, "by", by, rest @ ..] = words else { return Err(form.to_owned()) };
    let (over, len) = block.split_once('/').ok_or(form)?;
    let over: IpAddr = over.parse().map_err(|_| form.to_owned())?;
    let ask = Ask::parse(&[&[*name, *rtype], rest].concat())?;
    let spread = Spread { ask, over, len: number(len)?, by: number(by)? };
    if spread.by < spread.len || spread.by - spread.len > 14 {
        Err("at most 16384 networks".to_owned())
    } else {
        Ok(spread)
    }
}

fn many(words: &[&str]) -> Result<Many, String> {
    Ok(match words {
        ["share", who, share] => Many::Share((*who).to_owned(), range(share)?),
        ["moved", share] => Many::Moved(range(share)?),
        ["movers", "from", who] => Many::MoversFrom(names(who)),
        ["movers", "to", who] => Many::MoversTo(names(who)),
        _ => return Err(format!("`{}` is not understood after `spread`", words.join(" "))),
    })
}

fn expect(words: &[&str]) -> Result<Expect, String> {
    let section = |word: &str| SECTIONS.iter().position(|s| *s == word);
    Ok(match words {
        ["status", status] => Expect::Status((*status).to_owned()),
        ["flags", flags @ ..] => Expect::Flags(flags.iter().map(|f| (*f).to_owned()).collect()),
        ["no", "ecs"] => Expect::NoEcs,
        ["no", "opt"] => Expect::NoOpt,
        ["no", "pop"] => Expect::NoPop,
        ["no", "question"] => Expect::NoQuestion,
        ["no", word] if section(word).is_some() => Expect::NoRecords(section(word).unwrap_or_default()),
        ["count", word, count] if section(word).is_some() => {
            Expect::Count(section(word).unwrap_or_default(), number(count)?)
        }
        ["scope", scope] => Expect::Scope(number(scope)?),
        ["ecs", prefix] => Expect::Ecs((*prefix).to_owned()),
        ["opt"] => Expect::Opt(None),
        ["opt", "payload", size] => Expect::Opt(Some(number(size)?)),
        ["nsid", name] => Expect::Nsid((*name).to_owned()),
        ["option", code, octets] => Expect::Option(number(code)?, (*octets).to_owned()),
        ["no", "option", code] => Expect::NoOption(number(code)?),
        ["cookie", octets] => Expect::Cookie((*octets).to_owned()),
        ["no", "cookie"] => Expect::NoCookie,
        ["ede", code] => Expect::Ede(number(code)?),
        ["pop", pops] => Expect::Pop(names(pops)),
        ["truncated"] => Expect::Truncated,
        ["whole"] => Expect::Whole,
        ["question", name, rtype] => Expect::Question((*name).to_owned(), (*rtype).to_owned()),
        ["silence"] => Expect::Silence,
        [word, record @ ..] if section(word).is_some() => {
            if record.len() < 4 {
                return Err(format!("expected `{word} OWNER TTL TYPE DATA`"));
            }
            Expect::Record(
                section(word).unwrap_or_default(),
                record.iter().map(|w| (*w).to_owned()).collect(),
            )
        }
        _ => return Err(format!("`{}` is not understood", words.join(" "))),
    })
}
