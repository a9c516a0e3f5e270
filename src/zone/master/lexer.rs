//! Splits zone text into entries of tokens with their places (RFC 1035 section 5.1).
//!
//! An entry is a line, or several lines held together by parentheses. A line ends with LF, CR LF or
//! CR. Comments begin with a semicolon. Quotes protect blanks, semicolons and line ends; a
//! backslash protects the octet behind it. Tokens are ranges of the text; nothing is copied here.
//!
//! An unclosed quote would swallow the rest of the text, so the lexer then continues after the line
//! of that quote. No other quote follows, so this happens once, and the time stays linear.

use crate::finding::{At, FileId};
use crate::limits::ENTRY_WORDS_MAX;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// First octet, behind an opening quote.
    pub(crate) start: u32,
    /// One past the last octet, before a closing quote.
    pub(crate) end: u32,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Offset of the start of that line.
    pub(crate) line_start: u32,
    /// True if the token was quoted.
    pub(crate) quoted: bool,
    /// True if the token extends over a line end, as only a quoted string can.
    pub(crate) spans_lines: bool,
}

impl Token {
    /// The token's octets.
    pub(crate) fn octets<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The token's place.
    pub(crate) fn at(&self, file: FileId, text: &[u8]) -> At {
        // Count characters, not octets: skip the continuation octets of UTF-8.
        let before = &text[self.line_start as usize..self.start as usize];
        let column = before.iter().filter(|octet| **octet & 0xc0 != 0x80).count() as u32 + 1;
        At { file, line: self.line, column, start: self.start, end: self.end.max(self.start) }
    }
}

/// Reason why an entry ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LexError {
    /// A quoted string without an end; the token is its opening quote.
    OpenQuote(Token),
    /// A parenthesis that is never closed.
    OpenParenthesis(Token),
    /// A closing parenthesis without an opening one.
    StrayParenthesis(Token),
    /// A backslash at the end of a line or of the text.
    BareBackslash(Token),
    /// More words than any record has; the token is the first beyond the limit.
    TooManyWords(Token),
}

/// Reader of entries.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of a text of less than 4 GiB.
    pub(crate) fn new(text: &'a [u8]) -> Lexer<'a> {
        // Some editors write a byte order mark.
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Lexer { text, at, line: 1, line_start: at }
    }

    /// Fills `tokens` with the next non-empty entry. `Some(true)`: the entry begins with a blank.
    /// `None`: the text has ended. After an error, the next call continues after the line.
    pub(crate) fn entry(&mut self, tokens: &mut Vec<Token>) -> Result<Option<bool>, LexError> {
        loop {
            tokens.clear();
            let Some(first) = self.text.get(self.at) else { return Ok(None) };
            let begins_blank = matches!(first, b' ' | b'\t');
            match self.tokens(tokens) {
                Ok(()) if tokens.is_empty() => {}
                Ok(()) => return Ok(Some(begins_blank)),
                Err(error) => {
                    self.skip_line();
                    return Err(error);
                }
            }
        }
    }

    fn tokens(&mut self, tokens: &mut Vec<Token>) -> Result<(), LexError> {
        // Parentheses group lines; nested ones have no further meaning.
        let (mut depth, mut outermost) = (0u32, self.here(0));
        loop {
            let Some(&octet) = self.text.get(self.at) else {
                return if depth == 0 { Ok(()) } else { Err(LexError::OpenParenthesis(outermost)) };
            };
            match octet {
                b'\n' | b'\r' => {
                    self.next_line();
                    if depth == 0 {
                        return Ok(());
                    }
                }
                b' ' | b'\t' => self.at += 1,
                b';' => {
                    while self.text.get(self.at).is_some_and(|o| !matches!(o, b'\n' | b'\r')) {
                        self.at += 1;
                    }
                }
                b'(' => {
                    if depth == 0 {
                        outermost = self.here(1);
                    }
                    depth += 1;
                    self.at += 1;
                }
                b')' => {
                    if depth == 0 {
                        return Err(LexError::StrayParenthesis(self.here(1)));
                    }
                    depth -= 1;
                    self.at += 1;
                }
                _ if tokens.len() >= ENTRY_WORDS_MAX => return Err(LexError::TooManyWords(self.here(1))),
                b'"' => tokens.push(self.quoted()?),
                _ => tokens.push(self.word()?),
            }
        }
    }

    fn word(&mut self) -> Result<Token, LexError> {
        let mut token = self.here(0);
        loop {
            match self.text.get(self.at) {
                Some(b'\\') => {
                    if matches!(self.text.get(self.at + 1), None | Some(b'\n' | b'\r')) {
                        return Err(LexError::BareBackslash(self.here(1)));
                    }
                    self.at += 2;
                }
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        token.end = self.at as u32;
        Ok(token)
    }

    /// Quoted string. It may contain any octet, line ends included, but a quotation mark only
    /// behind a backslash (RFC 1035 section 5.1).
    fn quoted(&mut self) -> Result<Token, LexError> {
        let opening = self.here(1);
        self.at += 1;
        let mut token = Token { quoted: true, ..self.here(0) };
        loop {
            match self.text.get(self.at) {
                None => {
                    (self.at, self.line) = (opening.start as usize, opening.line);
                    self.line_start = opening.line_start as usize;
                    return Err(LexError::OpenQuote(opening));
                }
                Some(b'"') => break,
                Some(b'\n' | b'\r') => self.next_line(),
                Some(b'\\') => match self.text.get(self.at + 1) {
                    // Count a line end also if a backslash precedes it.
                    None | Some(b'\n' | b'\r') => self.at += 1,
                    Some(_) => self.at += 2,
                },
                Some(_) => self.at += 1,
            }
        }
        token.end = self.at as u32;
        token.spans_lines = self.line != token.line;
        self.at += 1;
        Ok(token)
    }

    fn here(&self, len: usize) -> Token {
        let end = (self.at + len).min(self.text.len());
        Token {
            start: self.at as u32,
            end: end as u32,
            line: self.line,
            line_start: self.line_start as u32,
            quoted: false,
            spans_lines: false,
        }
    }

    /// Skips a line end: LF, CR LF or CR.
    fn next_line(&mut self) {
        self.at += if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"\r\n")) { 2 } else { 1 };
        self.line += 1;
        self.line_start = self.at;
    }

    fn skip_line(&mut self) {
        while let Some(&octet) = self.text.get(self.at) {
            if matches!(octet, b'\n' | b'\r') {
                self.next_line();
                return;
            }
            self.at += 1;
        }
    }
}
