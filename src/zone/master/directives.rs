//! `$ORIGIN`, `$TTL`, `$INCLUDE` (RFC 1035 section 5.1, RFC 2308 section 4), and BIND's
//! `$GENERATE`.

use super::Included;
use super::generate;
use super::lexer::Token;
use super::reader::{Context, Reader};
use crate::finding::{Finding, code};
use crate::limits::{INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX};

impl Reader<'_> {
    /// Executes an entry that begins with `$`.
    pub(crate) fn directive(&mut self, context: &mut Context<'_>, tokens: &[Token], depth: u32) {
        let name = tokens[0].octets(context.text).to_ascii_uppercase();
        match (&name[..], &tokens[1..]) {
            (b"$ORIGIN", [origin]) => {
                if let Some(read) = self.name(context, origin) {
                    context.origin = read;
                }
            }
            (b"$TTL", [ttl]) => self.ttl_default = self.ttl(context, ttl).or(self.ttl_default),
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
                        .help("the directives are $ORIGIN, $TTL, $INCLUDE and $GENERATE"),
                );
            }
        }
    }

    fn include(&mut self, context: &mut Context<'_>, path: &Token, origin: Option<&Token>, depth: u32) {
        let shown = context.shown(path);
        if depth >= INCLUDE_DEPTH_MAX {
            let message = format!("files are included more than {INCLUDE_DEPTH_MAX} levels deep");
            return self.fault(context, path, code::BAD_INCLUDE, message, "a loop?");
        }
        let Ok(written) = std::str::from_utf8(path.octets(context.text)) else {
            let message = format!("`{shown}` cannot be included: the path is not UTF-8 text");
            return self.fault(context, path, code::BAD_INCLUDE, message, "this file");
        };
        if written.starts_with('/')
            || written.split(['/', '\\']).any(|part| part == "..")
            || written.contains(':')
        {
            let finding =
                Finding::error(code::BAD_INCLUDE, format!("`{shown}` is outside the folder of zones"))
                    .at(context.at(path), "outside")
                    .help("give a path relative to the folder of zones");
            return self.tell(finding);
        }
        self.included += 1;
        if self.included > INCLUDED_FILES_MAX {
            let message = format!("more than {INCLUDED_FILES_MAX} files are included");
            return self.fault(context, path, code::BAD_INCLUDE, message, "one too many");
        }
        let origin = match origin {
            None => context.origin.clone(),
            Some(token) => match self.name(context, token) {
                Some(read) => read,
                None => return,
            },
        };
        match (self.include)(written) {
            Ok(Included { file, text, is_first }) => {
                if is_first {
                    self.grant(text.len());
                }
                self.file(&text, file, (origin, context.owner.clone()), depth + 1);
            }
            Err(why) => self.fault(
                context,
                path,
                code::BAD_INCLUDE,
                format!("`{shown}` cannot be included: {why}"),
                "this file",
            ),
        }
    }

    fn generate(&mut self, context: &Context<'_>, tokens: &[Token], entry: &[Token]) {
        if let Err(fault) = generate::run(self, context, tokens, entry) {
            self.tell(fault);
        }
    }
}
