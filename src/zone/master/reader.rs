//! Entries of zone text become records.

use super::Include;
use super::generate;
use super::lexer::{LexError, Lexer, Token};
use crate::finding::{At, Code, FileId, Finding, Findings, code};
use crate::limits::{FINDINGS_PER_ZONE_MAX, INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX};
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::octets::Octets;
use crate::zone::rdata::{self, RdataError, Word};
use crate::zone::text::Record;

/// Reads one zone, included files and all.
pub(super) struct Reader<'r> {
    apex: &'r Name,
    include: &'r mut Include<'r>,
    records: &'r mut Vec<Record>,
    findings: &'r mut Findings,
    told: usize,
    ttl_default: Option<Ttl>,
    ttl_last: Option<Ttl>,
    generated: u32,
    included: u32,
}

/// What an entry is read against: its file, its text, the origin and the last owner.
pub(super) struct Context<'t> {
    /// Its file.
    pub(crate) file: FileId,
    /// The text of that file.
    pub(crate) text: &'t [u8],
    /// What relative names end with.
    pub(crate) origin: Name,
    /// The last owner, which an entry that begins with a blank has too; `None` if there is none.
    pub(crate) owner: Option<Name>,
}

impl Context<'_> {
    /// The place of a token.
    pub(crate) fn at(&self, token: &Token) -> At {
        token.at(self.file, self.text)
    }

    /// The place of a run of tokens.
    fn run(&self, tokens: &[Token], entry: &[Token]) -> At {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => At { end: last.end.max(first.start), ..self.at(first) },
            // Nothing where something must be: the end of what there is.
            _ => entry.last().map_or(At::whole(self.file), |last| self.at(last)),
        }
    }

    /// A token as it is written.
    pub(crate) fn shown(&self, token: &Token) -> String {
        String::from_utf8_lossy(token.octets(self.text)).into_owned()
    }
}

/// The fields before the data of a record.
pub(super) struct Head {
    /// TTL, if it is written.
    pub(crate) ttl: Option<Ttl>,
    /// Type.
    pub(crate) rtype: RrType,
    /// Index of the first token of the data.
    pub(crate) data: usize,
}

impl<'r> Reader<'r> {
    /// A reader of the zone with this apex, which adds to `records` and `findings`.
    pub(crate) fn new(
        apex: &'r Name,
        include: &'r mut Include<'_>,
        records: &'r mut Vec<Record>,
        findings: &'r mut Findings,
    ) -> Reader<'r> {
        Reader {
            apex,
            include,
            records,
            findings,
            told: 0,
            ttl_default: None,
            ttl_last: None,
            generated: 0,
            included: 0,
        }
    }

    /// Reads a file with an origin of its own; owner and origin end with it (RFC 1035 section 5.1).
    pub(crate) fn file(&mut self, text: &[u8], file: FileId, origin: Name, depth: u32) {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        let mut context = Context { file, text, origin, owner: None };
        loop {
            match lexer.entry(&mut tokens) {
                Ok(None) => return,
                Ok(Some(begins_blank)) => self.entry(&mut context, &tokens, begins_blank, depth),
                Err(error) => self.lex_error(&context, error),
            }
            if self.told >= FINDINGS_PER_ZONE_MAX {
                let finding = Finding::error(
                    code::ZONE_SYNTAX,
                    format!("more than {FINDINGS_PER_ZONE_MAX} faults; the rest of this zone is not read"),
                );
                self.findings.push(finding.at(At::whole(file), ""));
                return;
            }
        }
    }

    /// Adds a finding, and counts it.
    pub(crate) fn tell(&mut self, finding: Finding) {
        self.told += 1;
        self.findings.push(finding);
    }

    fn fault(
        &mut self,
        context: &Context<'_>,
        token: &Token,
        code: Code,
        message: impl Into<String>,
        label: &str,
    ) {
        self.tell(Finding::error(code, message).at(context.at(token), label));
    }

    fn lex_error(&mut self, context: &Context<'_>, error: LexError) {
        let (token, message, label) = match error {
            LexError::OpenQuote(t) => (t, "a quoted string does not end on its line", "begins here"),
            LexError::OpenParenthesis(t) => (t, "a parenthesis is never closed", "opened here"),
            LexError::StrayParenthesis(t) => (t, "a parenthesis is closed that was not opened", "here"),
            LexError::BareBackslash(t) => (t, "nothing follows a backslash", "here"),
        };
        self.fault(context, &token, code::ZONE_SYNTAX, message, label);
    }

    fn entry(&mut self, context: &mut Context<'_>, tokens: &[Token], begins_blank: bool, depth: u32) {
        let first = &tokens[0];
        let word = first.octets(context.text);
        if !begins_blank && !first.quoted && word.first() == Some(&b'$') {
            return self.directive(context, tokens, depth);
        }
        let mut rest = tokens;
        if !begins_blank {
            match Name::parse_octets(word, Some(&context.origin)) {
                Ok(owner) => context.owner = Some(owner),
                Err(error) => {
                    let message = format!("`{}` is not a domain name: {error}", context.shown(first));
                    // The record is read on for its other faults; its owner is not the one before.
                    context.owner = None;
                    self.fault(context, first, code::BAD_NAME, message, "not a name");
                }
            }
            rest = &tokens[1..];
        } else if context.owner.is_none() {
            return self.fault(
                context,
                first,
                code::ZONE_SYNTAX,
                "the first record has no owner",
                "begins with a blank",
            );
        }
        let Some(head) = self.head(context, rest, tokens) else { return };
        let Some(owner) = context.owner.clone() else { return };
        self.record(context, owner, &head, &rest[head.data..], tokens);
    }

    /// TTL and class in either order, then the type.
    pub(crate) fn head(&mut self, context: &Context<'_>, tokens: &[Token], entry: &[Token]) -> Option<Head> {
        let (mut ttl, mut class_seen) = (None, false);
        for (index, token) in tokens.iter().enumerate() {
            let word = token.octets(context.text);
            // `CLASS1` is IN by number (RFC 3597 section 5).
            if !class_seen && (word.eq_ignore_ascii_case(b"IN") || word.eq_ignore_ascii_case(b"CLASS1")) {
                class_seen = true;
                continue;
            }
            if ttl.is_none() && word.first().is_some_and(u8::is_ascii_digit) {
                match ttl_of(word) {
                    Some(read) => ttl = Some(read),
                    None => {
                        let message = format!("`{}` is not a TTL", context.shown(token));
                        self.fault(
                            context,
                            token,
                            code::BAD_TTL,
                            message,
                            "seconds, or as in `1h30m`, at most 2147483647",
                        );
                        return None;
                    }
                }
                continue;
            }
            if [&b"CH"[..], b"HS", b"CS"].iter().any(|class| word.eq_ignore_ascii_case(class)) && !class_seen
            {
                self.fault(
                    context,
                    token,
                    code::ZONE_SYNTAX,
                    format!("class {} is not served", context.shown(token)),
                    "only IN",
                );
                return None;
            }
            let text = std::str::from_utf8(word).unwrap_or("");
            return match RrType::from_text(text) {
                Some(rtype) if !rtype.is_meta() => Some(Head { ttl, rtype, data: index + 1 }),
                Some(_) => {
                    let message =
                        format!("`{text}` asks questions or accompanies messages; it cannot be zone data");
                    self.fault(context, token, code::UNKNOWN_TYPE, message, "not a type of zone data");
                    None
                }
                None => {
                    let finding = Finding::error(
                        code::UNKNOWN_TYPE,
                        format!("`{}` is not a record type", context.shown(token)),
                    )
                    .at(context.at(token), "not known");
                    // Words of other lengths are not compared: one may be as long as the file.
                    let alike = |m: &&str| m.len().abs_diff(text.len()) <= 1;
                    let near = RrType::mnemonics()
                        .filter(alike)
                        .filter(|m| strsim::damerau_levenshtein(m, &text.to_ascii_uppercase()) <= 1)
                        .min();
                    self.tell(match near {
                        Some(near) => finding.help(format!("did you mean `{near}`?")),
                        None => finding.help(
                            "a type without a mnemonic is written as in `TYPE65280 \\# 4 0a000001` \
                             (RFC 3597)",
                        ),
                    });
                    None
                }
            };
        }
        self.tell(
            Finding::error(code::ZONE_SYNTAX, "the record has no type")
                .at(context.run(&[], entry), "the entry ends here"),
        );
        None
    }

    /// Reads the data and adds the record.
    pub(crate) fn record(
        &mut self,
        context: &Context<'_>,
        owner: Name,
        head: &Head,
        data: &[Token],
        entry: &[Token],
    ) {
        let at = context.run(data, entry);
        let read = match (head.rtype, data) {
            // Addresses are the bulk of a large zone.
            (RrType::A, [one]) => v4(one.octets(context.text)).map(|octets| Octets::from(&octets[..])),
            _ => None,
        };
        let read = read.map_or_else(|| self.data(context, head.rtype, data).map(Octets::from), Ok);
        let octets = match read {
            Ok(octets) => octets,
            Err(error) => {
                let code = if error.unsupported { code::UNKNOWN_TYPE } else { code::BAD_RDATA };
                let finding = Finding::error(
                    code,
                    format!("this is not the data of a {} record: {}", head.rtype, error.message),
                )
                .at(at, format!("not {} data", head.rtype));
                return self.tell(error.help.into_iter().fold(finding, Finding::help));
            }
        };
        if !owner.is_at_or_below(self.apex) {
            let first = entry.first().map_or(at, |token| context.at(token));
            return self.tell(
                Finding::error(
                    code::OUT_OF_ZONE,
                    format!("`{owner}` does not belong to the zone `{}`", self.apex),
                )
                .at(first, "outside the zone")
                .help("leave out the final dot if the name is meant to be relative, or mind the `$ORIGIN`"),
            );
        }
        let own_minimum = || octets.last_chunk::<4>().and_then(|m| Ttl::from_secs(u32::from_be_bytes(*m)));
        // RFC 2308 section 4: $TTL; before it (RFC 1035 section 5.1) the last TTL that was written.
        let ttl = head
            .ttl
            .or(self.ttl_default)
            .or(self.ttl_last)
            .or_else(|| own_minimum().filter(|_| head.rtype == RrType::SOA));
        let Some(ttl) = ttl else {
            let first = entry.first().map_or(at, |token| context.at(token));
            let finding = Finding::error(code::BAD_TTL, "the record has no TTL, and none was given before")
                .at(first, "this record");
            return self.tell(finding.help("write `$TTL 3600` at the top of the file"));
        };
        if head.ttl.is_some() || head.rtype == RrType::SOA {
            self.ttl_last = Some(ttl);
        }
        self.records.push(Record { owner, rtype: head.rtype, ttl, rdata: octets, at });
    }

    fn data(&mut self, context: &Context<'_>, rtype: RrType, data: &[Token]) -> Result<Vec<u8>, RdataError> {
        let mut end = None;
        let words: Vec<Word> = data
            .iter()
            .map(|token| {
                // An opening quote stands between the end of one word and the start of the next.
                let attached = token.quoted && end == Some(token.start - 1);
                end = Some(token.end);
                Word::new(token.octets(context.text), token.quoted, attached)
            })
            .collect();
        rdata::from_words(rtype, &words, &context.origin)
    }

    fn directive(&mut self, context: &mut Context<'_>, tokens: &[Token], depth: u32) {
        let name = tokens[0].octets(context.text).to_ascii_uppercase();
        match (&name[..], &tokens[1..]) {
            (b"$ORIGIN", [origin]) => {
                match Name::parse_octets(origin.octets(context.text), Some(&context.origin)) {
                    Ok(read) => context.origin = read,
                    Err(error) => {
                        let message = format!("`{}` is not a domain name: {error}", context.shown(origin));
                        self.fault(context, origin, code::BAD_NAME, message, "not a name");
                    }
                }
            }
            (b"$TTL", [ttl]) => match ttl_of(ttl.octets(context.text)) {
                Some(read) => self.ttl_default = Some(read),
                None => {
                    let message = format!("`{}` is not a TTL", context.shown(ttl));
                    self.fault(
                        context,
                        ttl,
                        code::BAD_TTL,
                        message,
                        "seconds, or as in `1h30m`, at most 2147483647",
                    );
                }
            },
            (b"$INCLUDE", [path]) => self.include(context, path, None, depth),
            (b"$INCLUDE", [path, origin]) => self.include(context, path, Some(origin), depth),
            (b"$GENERATE", rest) => self.generate(context, rest, tokens),
            (b"$ORIGIN" | b"$TTL" | b"$INCLUDE", _) => {
                let message = format!("`{}` has too few or too many words", context.shown(&tokens[0]));
                self.fault(context, &tokens[0], code::ZONE_SYNTAX, message, "this directive");
            }
            _ => {
                let finding = Finding::error(
                    code::ZONE_SYNTAX,
                    format!("`{}` is not a directive", context.shown(&tokens[0])),
                );
                self.tell(
                    finding
                        .at(context.at(&tokens[0]), "not known")
                        .help("there are $ORIGIN, $TTL, $INCLUDE and $GENERATE"),
                );
            }
        }
    }

    fn include(&mut self, context: &mut Context<'_>, path: &Token, origin: Option<&Token>, depth: u32) {
        let written = context.shown(path);
        if depth >= INCLUDE_DEPTH_MAX {
            let message = format!("files include each other more than {INCLUDE_DEPTH_MAX} deep");
            return self.fault(context, path, code::BAD_INCLUDE, message, "a loop?");
        }
        if written.starts_with('/')
            || written.split(['/', '\\']).any(|part| part == "..")
            || written.contains(':')
        {
            let finding =
                Finding::error(code::BAD_INCLUDE, format!("`{written}` lies outside the folder of zones"))
                    .at(context.at(path), "not inside")
                    .help("give a path relative to the folder of zones");
            return self.tell(finding);
        }
        self.included += 1;
        if self.included > INCLUDED_FILES_MAX {
            let message = format!("more than {INCLUDED_FILES_MAX} files are included");
            return self.fault(context, path, code::BAD_INCLUDE, message, "one too many");
        }
        let origin = match origin
            .map(|token| (token, Name::parse_octets(token.octets(context.text), Some(&context.origin))))
        {
            None => context.origin.clone(),
            Some((_, Ok(read))) => read,
            Some((token, Err(error))) => {
                let message = format!("`{}` is not a domain name: {error}", context.shown(token));
                return self.fault(context, token, code::BAD_NAME, message, "not a name");
            }
        };
        match (self.include)(&written) {
            Ok((file, octets)) => self.file(&octets, file, origin, depth + 1),
            Err(why) => self.fault(
                context,
                path,
                code::BAD_INCLUDE,
                format!("`{written}` cannot be included: {why}"),
                "this file",
            ),
        }
    }

    fn generate(&mut self, context: &Context<'_>, tokens: &[Token], entry: &[Token]) {
        if let Err(fault) = generate::run(self, context, tokens, entry) {
            self.tell(fault);
        }
    }

    /// Where records and findings stand, for [`Reader::relocate`].
    pub(crate) fn mark(&self) -> (usize, usize, usize) {
        (self.records.len(), self.findings.mark(), self.findings.len())
    }

    /// Gives everything behind a mark another place; whether there is a finding among it.
    pub(crate) fn relocate(&mut self, (records, findings, told): (usize, usize, usize), at: At) -> bool {
        self.records[records..].iter_mut().for_each(|record| record.at = at);
        self.findings.relocate(findings, at);
        // Also if it was only counted.
        self.findings.len() > told
    }

    /// Counts generated records; false past the limit.
    pub(crate) fn may_generate(&mut self) -> bool {
        self.generated += 1;
        self.generated <= crate::limits::GENERATED_MAX
    }
}

/// Seconds, or numbers with units as BIND writes them (`1w2d3h4m5s`).
pub(super) fn ttl_of(word: &[u8]) -> Option<Ttl> {
    let (mut total, mut number, mut digits) = (0u64, 0u64, false);
    let mut unit_seen = false;
    for octet in word {
        match octet {
            b'0'..=b'9' => {
                number = number.checked_mul(10)?.checked_add(u64::from(octet - b'0'))?;
                digits = true;
            }
            unit if digits => {
                let secs = match unit.to_ascii_lowercase() {
                    b's' => 1,
                    b'm' => 60,
                    b'h' => 3_600,
                    b'd' => 86_400,
                    b'w' => 604_800,
                    _ => return None,
                };
                total = total.checked_add(number.checked_mul(secs)?)?;
                (number, digits, unit_seen) = (0, false, true);
            }
            _ => return None,
        }
    }
    if !digits && !unit_seen {
        return None;
    }
    u32::try_from(total.checked_add(number)?).ok().and_then(Ttl::from_secs)
}

/// Four numbers up to 255 between dots.
fn v4(word: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0u8; 4];
    let (mut at, mut value, mut digits) = (0, 0u16, 0);
    for octet in word {
        match octet {
            b'0'..=b'9' if digits < 3 && !(digits > 0 && value == 0) => {
                value = value * 10 + u16::from(octet - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && at < 3 => {
                octets[at] = u8::try_from(value).ok()?;
                (at, value, digits) = (at + 1, 0, 0);
            }
            _ => return None,
        }
    }
    octets[3] = u8::try_from(value).ok()?;
    (at == 3 && digits > 0).then_some(octets)
}
