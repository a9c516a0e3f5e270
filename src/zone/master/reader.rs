//! Turns entries of zone text into records.

use super::Include;
use super::lexer::{LexError, Lexer, Token};
use super::ttl::{TooLong, ttl_of};
use crate::budget::{Share, Spent};
use crate::finding::{At, Code, FileId, Finding, Findings, code};
use crate::limits::{ENTRY_WORDS_MAX, FINDINGS_PER_ZONE_MAX};
use crate::wire::idn;
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::octets::Octets;
use crate::zone::rdata::{self, RdataError, Word};
use crate::zone::text::Record;

/// Octets that a record takes besides its owner and data: the struct, two heap allocations, and its
/// entries in the indexes of the zone checks.
const RECORD_OCTETS: usize = size_of::<Record>() + 128;

/// Reader of one zone with its included files.
pub(super) struct Reader<'r> {
    apex: &'r Name,
    /// Reads included files.
    pub(super) include: &'r mut Include<'r>,
    share: Share<'r>,
    records: &'r mut Vec<Record>,
    findings: &'r mut Findings,
    told: usize,
    /// True if the rest of the zone is skipped: too many faults, or the budget is used up.
    is_over: bool,
    /// TTL from `$TTL`.
    pub(super) ttl_default: Option<Ttl>,
    ttl_last: Option<Ttl>,
    /// Number of records made by templates.
    pub(super) generated: u32,
    /// Number of inclusions, repeated ones counted.
    pub(super) included: u32,
}

/// Context of an entry: its file and text, the origin and the last owner.
pub(super) struct Context<'t> {
    /// File of the entry.
    pub(crate) file: FileId,
    /// Text of that file.
    pub(crate) text: &'t [u8],
    /// Origin, appended to relative names.
    pub(crate) origin: Name,
    /// Last owner, which an entry inherits if it begins with a blank; `None` if there is none.
    pub(crate) owner: Option<Name>,
}

impl Context<'_> {
    /// Place of a token.
    pub(crate) fn at(&self, token: &Token) -> At {
        token.at(self.file, self.text)
    }

    /// Place of a run of tokens.
    pub(crate) fn run(&self, tokens: &[Token], entry: &[Token]) -> At {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => At { end: last.end.max(first.start), ..self.at(first) },
            // The required words are missing: mark the end of the entry.
            _ => entry.last().map_or(At::whole(self.file), |last| self.at(last)),
        }
    }

    /// A token as written.
    pub(crate) fn shown(&self, token: &Token) -> String {
        String::from_utf8_lossy(token.octets(self.text)).into_owned()
    }
}

/// The fields before the data of a record.
pub(super) struct Head {
    /// TTL, if written.
    pub(crate) ttl: Option<Ttl>,
    /// Type.
    pub(crate) rtype: RrType,
    /// Index of the first token of the data.
    pub(crate) data: usize,
}

impl<'r> Reader<'r> {
    /// Makes a reader of the zone with this apex, which adds to `records` and `findings` as much as
    /// `share` allows.
    pub(crate) fn new(
        apex: &'r Name,
        include: &'r mut Include<'_>,
        share: Share<'r>,
        records: &'r mut Vec<Record>,
        findings: &'r mut Findings,
    ) -> Reader<'r> {
        Reader {
            apex,
            include,
            share,
            records,
            findings,
            told: 0,
            is_over: false,
            ttl_default: None,
            ttl_last: None,
            generated: 0,
            included: 0,
        }
    }

    /// Reads a file with an origin of its own, which ends with the file (RFC 1035 section 5.1).
    /// `owner` is the last owner before the file; as in BIND and NSD, the file's first record may
    /// inherit it.
    pub(crate) fn file(
        &mut self,
        text: &[u8],
        file: FileId,
        (origin, owner): (Name, Option<Name>),
        depth: u32,
    ) {
        if let Err(spent) = self.share.work(text.len()) {
            return self.spent(spent, At::whole(file));
        }
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        let mut context = Context { file, text, origin, owner };
        while !self.is_over {
            match lexer.entry(&mut tokens) {
                Ok(None) => return,
                Ok(Some(begins_blank)) => self.entry(&mut context, &tokens, begins_blank, depth),
                Err(error) => self.lex_error(&context, error),
            }
            if self.told >= FINDINGS_PER_ZONE_MAX && !self.is_over {
                self.is_over = true;
                let finding = Finding::error(
                    code::ZONE_SYNTAX,
                    format!("more than {FINDINGS_PER_ZONE_MAX} faults; the rest of this zone is not read"),
                );
                self.findings.push(finding.at(At::whole(file), ""));
            }
        }
    }

    /// Ends the reading of the zone because the budget of the load is used up.
    pub(crate) fn spent(&mut self, spent: Spent, at: At) {
        self.refuse(spent, at, "the limit is exceeded here; the rest of this zone is not read");
    }

    /// Ends the reading of the zone and drops its records if the reader owes budget: other texts
    /// had used up the budget, and a lending budget gave credit ([`Share::owes`]).
    pub(crate) fn settle(&mut self, file: FileId) {
        if self.share.owes() {
            self.refuse(Spent::ByOthers, At::whole(file), "the zones before this one leave too little");
        }
    }

    /// Drops the records, and returns their budget.
    fn refuse(&mut self, spent: Spent, at: At, label: &str) {
        self.is_over = true;
        // Free the zone's memory for other zones. Keep an SOA and an NS record, so that no finding
        // reports them as missing.
        let mut kept = [RrType::SOA, RrType::NS].to_vec();
        self.records.retain(|record| {
            let place = kept.iter().position(|rtype| record.rtype == *rtype && record.owner == *self.apex);
            place.map(|place| kept.swap_remove(place)).is_some()
        });
        self.records.shrink_to_fit();
        self.share.give_back();
        let code = if spent == Spent::ByOthers { code::BUDGET_SPENT } else { code::TOO_LARGE };
        self.tell(Finding::error(code, spent.to_string()).at(at, label).help(
            "`$GENERATE` and repeated inclusions multiply a text; split the zone, or use fewer of them",
        ));
    }

    /// Grants the budget of a text of `octets` octets.
    pub(crate) fn grant(&mut self, octets: usize) {
        self.share.grant(octets);
    }

    /// Counts work other than reading each file once.
    pub(crate) fn work(&mut self, steps: usize) -> Result<(), Spent> {
        self.share.work(steps)
    }

    /// Checks that the zone's part of the budget allows this much more work.
    pub(crate) fn foresee(&self, steps: usize) -> Result<(), Spent> {
        self.share.foresee(steps)
    }

    /// True if the rest of the zone is skipped.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Records and counts a finding.
    pub(crate) fn tell(&mut self, finding: Finding) {
        self.told += 1;
        self.findings.push(finding);
    }

    /// Reports an error at a token.
    pub(crate) fn fault(
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
            LexError::OpenQuote(t) => (t, "a quoted string has no end".to_owned(), "begins here"),
            LexError::OpenParenthesis(t) => (t, "a parenthesis is never closed".to_owned(), "opened here"),
            LexError::StrayParenthesis(t) => {
                (t, "a closing parenthesis has no opening one".to_owned(), "here")
            }
            LexError::BareBackslash(t) => (t, "nothing follows a backslash".to_owned(), "here"),
            LexError::TooManyWords(t) => {
                (t, format!("more than {ENTRY_WORDS_MAX} words in one record"), "one too many")
            }
        };
        self.fault(context, &token, code::ZONE_SYNTAX, message, label);
    }

    /// A quoted string may extend over a line end (RFC 1035 section 5.1), but mostly a quote was
    /// forgotten.
    fn warn_of_lines(&mut self, context: &Context<'_>, tokens: &[Token]) {
        if let Some(token) = tokens.iter().find(|token| token.spans_lines) {
            self.findings.push(
                Finding::warning(code::ZONE_SYNTAX, "a quoted string extends over the end of its line")
                    .at(context.at(token), "begins here")
                    .help("the string contains the line ends; was a quote forgotten?"),
            );
        }
    }

    fn entry(&mut self, context: &mut Context<'_>, tokens: &[Token], begins_blank: bool, depth: u32) {
        self.warn_of_lines(context, tokens);
        let first = &tokens[0];
        let word = first.octets(context.text);
        if !begins_blank && !first.quoted && word.first() == Some(&b'$') {
            return self.directive(context, tokens, depth);
        }
        let mut rest = tokens;
        if !begins_blank {
            // A record with an invalid owner is read on for its other faults; it does not inherit
            // the last owner.
            context.owner = self.name(context, first);
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

    /// Reads a name relative to the origin, or reports a finding.
    pub(crate) fn name(&mut self, context: &Context<'_>, token: &Token) -> Option<Name> {
        let octets = token.octets(context.text);
        match Name::parse_octets(octets, Some(&context.origin)) {
            Ok(name) => Some(name),
            Err(error) => {
                let message = format!("`{}` is not a domain name: {error}", context.shown(token));
                let finding = Finding::error(code::BAD_NAME, message).at(context.at(token), "not a name");
                let text = std::str::from_utf8(octets).unwrap_or_default();
                self.tell(idn::help(error, text).into_iter().fold(finding, Finding::help));
                None
            }
        }
    }

    /// Reads a TTL, or reports a finding.
    pub(crate) fn ttl(&mut self, context: &Context<'_>, token: &Token) -> Option<Ttl> {
        let shown = || format!("`{}`", context.shown(token));
        match ttl_of(token.octets(context.text)) {
            Some(Ok(ttl)) => Some(ttl),
            Some(Err(TooLong)) => {
                let message = format!("the TTL {} is more than 2147483647 seconds", shown());
                self.findings.push(
                    Finding::warning(code::BAD_TTL, message)
                        .at(context.at(token), "treated as 0 (RFC 2181 section 8)"),
                );
                Ttl::from_secs(0)
            }
            None => {
                let message = format!("{} is not a TTL", shown());
                let label = "seconds, or as in `1h30m`, at most 2147483647";
                self.fault(context, token, code::BAD_TTL, message, label);
                None
            }
        }
    }

    /// Reads TTL and class in either order, then the type.
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
                ttl = Some(self.ttl(context, token)?);
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
                    let message = format!(
                        "`{text}` is a type of questions or message metadata; it cannot be zone data"
                    );
                    self.fault(context, token, code::UNKNOWN_TYPE, message, "not a type of zone data");
                    None
                }
                None => {
                    self.unknown_type(context, token, text);
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

    /// Reports a word that is not a record type.
    fn unknown_type(&mut self, context: &Context<'_>, token: &Token, word: &str) {
        let message = format!("`{}` is not a record type", context.shown(token));
        let finding = Finding::error(code::UNKNOWN_TYPE, message).at(context.at(token), "not known");
        // Compare only words of similar length: one word may be as long as the file.
        let alike = |m: &&str| m.len().abs_diff(word.len()) <= 1;
        let near = RrType::mnemonics()
            .filter(alike)
            .filter(|m| strsim::damerau_levenshtein(m, &word.to_ascii_uppercase()) <= 1)
            .min();
        self.tell(match (RrType::generic_only(word), near) {
            (Some(known), _) => finding.help(known.generic_help()),
            (None, Some(near)) => finding.help(format!("did you mean `{near}`?")),
            (None, None) => finding
                .help("a type without a mnemonic is written as in `TYPE65280 \\# 4 0a000001` (RFC 3597)"),
        });
    }

    /// Reads the data, and adds the record.
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
            // Fast path: addresses are the bulk of a large zone.
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
            // BIND and Knot also load such a zone without the record.
            self.findings.push(
                Finding::warning(
                    code::OUT_OF_ZONE,
                    format!("`{owner}` is outside the zone `{}`; the record is ignored", self.apex),
                )
                .at(first, "outside the zone")
                .help("remove the final dot if the name is meant to be relative, or check the `$ORIGIN`"),
            );
            return;
        }
        let Some(ttl) = self.ttl_of_record(head, &octets) else {
            let first = entry.first().map_or(at, |token| context.at(token));
            let finding = Finding::error(code::BAD_TTL, "the record has no TTL, and none was given before")
                .at(first, "this record");
            return self.tell(finding.help("write `$TTL 3600` at the top of the file"));
        };
        if head.ttl.is_some() || head.rtype == RrType::SOA {
            self.ttl_last = Some(ttl);
        }
        if let Err(spent) = self.share.make(RECORD_OCTETS + owner.as_wire().len() + octets.len()) {
            return self.spent(spent, at);
        }
        self.records.push(Record { owner, rtype: head.rtype, ttl, rdata: octets, at });
    }

    /// TTL of a record: as written, else from `$TTL` (RFC 2308 section 4), else the last TTL
    /// written (RFC 1035 section 5.1), else for an SOA record its minimum.
    fn ttl_of_record(&self, head: &Head, data: &[u8]) -> Option<Ttl> {
        let minimum = || data.last_chunk::<4>().and_then(|m| Ttl::from_secs(u32::from_be_bytes(*m)));
        let written = head.ttl.or(self.ttl_default).or(self.ttl_last);
        written.or_else(|| minimum().filter(|_| head.rtype == RrType::SOA))
    }

    fn data(&mut self, context: &Context<'_>, rtype: RrType, data: &[Token]) -> Result<Vec<u8>, RdataError> {
        let mut end = None;
        let words: Vec<Word> = data
            .iter()
            .map(|token| {
                // An opening quote lies between the end of one word and the start of the next.
                let attached = token.quoted && end == Some(token.start - 1);
                end = Some(token.end);
                Word::new(token.octets(context.text), token.quoted, attached)
            })
            .collect();
        rdata::from_words(rtype, &words, &context.origin)
    }

    /// Present numbers of records and findings, for [`Reader::relocate`].
    pub(crate) fn mark(&self) -> (usize, usize, usize) {
        (self.records.len(), self.findings.mark(), self.told)
    }

    /// Moves all records and findings since a mark to another place; true if there are findings.
    pub(crate) fn relocate(&mut self, (records, findings, told): (usize, usize, usize), at: At) -> bool {
        self.records.iter_mut().skip(records).for_each(|record| record.at = at);
        self.findings.relocate(findings, at);
        self.told > told
    }
}

/// Parses four numbers up to 255, separated by dots.
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
