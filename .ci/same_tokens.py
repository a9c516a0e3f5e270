#!/usr/bin/env python3
"""Proof that a commit changes no Rust token but those that its kind allows.

  .ci/same_tokens.py prove [--format] [REV ...]       prove commits, else all that name a kind
  .ci/same_tokens.py apply [--table FILE] --batch N   apply one batch to the working tree
  .ci/same_tokens.py --self-test

A commit names its kind in a trailer: `Tokens: format`, `Tokens: rename 3 4`, `Tokens: move`,
`Tokens: move 5` or `Tokens: visibility`. A commit with the subject of batch N needs no trailer:
its kind is `rename N`. A commit is compared with its first parent. The exit status is 1 if a
commit differs, 2 if the work cannot be done.

The table (.ci/renames.tsv) has rows of kind, scope, old, new and note, separated by tabs. A line
`# batch: SUBJECT` begins batch 1, 2, 3 and so on; any other line with `#` is a comment.
  file   A file or folder has another path. The row with the longest old path holds.
  path   A sequence of tokens becomes another one, in code and in `use` paths written flat.
  ident  An identifier or lifetime becomes another one.
  word   A string literal of a rename or move may differ if the word rows of the batch (plain
         replacement, in order) make the new value of the old one.
The scope is globs on the old path with commas between them; `**` crosses folders; `*` alone or `-`
is every file. Path rows come first, in order, then ident rows; a batch renames a token once, so
that the rows A to B and B to A exchange two names. If a new name is also an old name in the same
file, `prove` prints `merges: NAME in FILE`, unless the note contains `merge`. `apply` does not
change comments and strings; run `cargo fmt` after it.

Every proof ignores:
  - white space and comments, doc comments too (`#[doc = "..."]` is compared);
  - how a string is written: escapes, a backslash at a line end, raw or plain; values are compared;
  - a comma before `)`, `]`, `}` or `>`, before the `{` or `;` that ends a `where` clause, and at
    the end of closure parameters. It compares the comma of a one-tuple (the only comma in a `(`
    that follows no name, `)`, `]`, `>`, `?` or `name!`), of `$(...)` and of a macro_rules pattern;
  - the comma after a block that is the body of a match arm;
  - braces around the body of a match arm, or of a closure that ends before `,` `;` `)` `]` `}`,
    if they hold one expression and no `;`. An expression that begins with a block ends with it;
  - the `;` of a `return`, `break` or `continue` that ends a block;
  - the order and grouping of adjacent `use` items, and the order of adjacent `mod x;` items; paths,
    names, visibility and attributes are compared. `use a::{self}` counts as `use a`;
  - the space between the characters of an operator, except `&&` and `||`.
visibility also ignores `pub`, `pub(...)`, `use`, and the attributes `allow` and `expect`.
move compares the items of both trees as multisets (functions, types, constants, macros, each
member of an `impl` with its header), whichever file or inline module holds them. It ignores `use`,
`mod x;` and `pub`; it prints a note if `#[cfg(...)]` of a module is lost or new. In a path of
several segments it drops leading `crate`, `self`, `super`, package names and module names (file
stems and folders of either tree), and then all but the last two segments.

No proof sees these; the compiler, the tests or a reader must find them:
  - a name that now means another item of the same name: by an import, by the file that a `mod`
    names, by a merge of two names, or (move, visibility) because an import or a `mod` is lost;
  - doc comments that a derive reads (help texts), `line!()` and `module_path!()`, and macros that
    tell raw strings from plain ones, or see a last comma or the braces of a body;
  - files that are not Rust, and whether a new text in a string is right.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict

TOKEN = re.compile(r"""
    (?P<skip>(?:\s+|//[^\n]*)+) | (?P<block>/\*)
  | (?P<string>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])') | (?P<lifetime>'(?:r\#)?[^\W\d]\w*)
  | (?P<number>0[xob]\w+ | \d[\d_]*(?:\.\d[\d_]*|\.(?![.\w]))?(?:[eE][+-]?_*\d[\d_]*)?\w*)
  | (?P<ident>(?:r\#)?[^\W\d]\w*) | (?P<punct>::|->|=>|\.\.|&&|\|\||[^\w\s"'])""", re.X | re.S)
ESCAPE = re.compile(r"\\(?:u\{([\da-fA-F_]+)\}|x([\da-fA-F]{2})|\n[ \t\r\n]*|(.))", re.S)
PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
STARTS = {"#", "pub", "use", "mod"}
# What stands before the first `|` of a closure, or before the `(` of a tuple.
BEFORE_CLOSURE = set("( [ { , ; = => & && | || ! : .. return move in else break match if while "
                     "async static const mut".split())
BEFORE_TUPLE = set("in return match if while let mut move as dyn ref yield break where for impl "
                   "const static else unsafe".split())
BLOCKS = set("{ if match loop while for unsafe async const".split())
ITEMS = set("# fn struct enum union trait impl mod use pub type static extern let macro_rules"
            .split())
# What a commit of a kind may change beside its form.
DROPS = {"format": (), "rename": (), "visibility": ("use", "pub", "lints"),
         "move": ("use", "mod", "pub")}


class Fault(Exception):
    """A reason why the work cannot be done."""


def value(literal):
    """The token of a string literal: `"`, its kind (s, b or c), and its value."""
    kind, raw, hashes = re.match(r'([bc]?)(r?)(#*)"', literal).groups()
    body = literal[len(kind + raw + hashes) + 1:len(literal) - 1 - len(hashes)]
    body = body.replace("\r\n", "\n")
    octets = (lambda text: text.encode().decode("latin-1")) if kind else str

    def one(found):
        code, octet, other = found.groups()
        if code:
            return octets(chr(int(code.replace("_", ""), 16)))
        return chr(int(octet, 16)) if octet else PLAIN.get(other, other or "")
    return '"' + (kind or "s") + (octets(body) if raw else ESCAPE.sub(one, octets(body)))


def lex(source, name="table"):
    """The tokens of a source text, without comments: each is text, start and end."""
    tokens, at = [], 0
    while at < len(source):
        found = TOKEN.match(source, at)
        if not found:
            raise Fault(f"{name}:{line(source, at)}: no token begins here")
        kind, end = found.lastgroup, found.end()
        if kind == "block":
            depth = 1
            while depth:
                mark = re.compile(r"/\*|\*/").search(source, end)
                if not mark:
                    raise Fault(f"{name}:{line(source, at)}: this comment has no end")
                depth, end = depth + (1 if mark.group() == "/*" else -1), mark.end()
        elif kind != "skip":
            # `x.0.1` has two indices, not a float.
            if kind == "number" and tokens and tokens[-1][0] == ".":
                end = re.compile(r"\d+").match(source, at).end()
            text = source[at:end]
            tokens.append((value(text) if kind == "string" else text, at, end))
        at = end
    return tokens


def line(source, at):
    """The number of the line of a place in a text."""
    return source.count("\n", 0, at) + 1


def texts(tokens):
    """The texts of tokens."""
    return [token[0] for token in tokens]


def is_name(text):
    """Whether a token is an identifier or a keyword."""
    return text[:1].isalpha() or text[:1] == "_"


class Stream:
    """Tokens with the partner of each bracket; empty texts follow the last token."""

    def __init__(self, tokens, name):
        self.tokens, self.t, self.jump = tokens, texts(tokens) + [""] * 4, {}
        stack = []
        for i, text in enumerate(self.t):
            if text in OPEN:
                stack.append(i)
            elif text in CLOSE:
                if not stack or OPEN[self.t[stack[-1]]] != text:
                    raise Fault(f"{name}: a bracket has no partner")
                self.jump[stack.pop()] = i
        if stack:
            raise Fault(f"{name}: a bracket has no partner")

    def next(self, i):
        """The index after a token or a bracketed group."""
        return self.jump[i] + 1 if self.t[i] in OPEN else i + 1

    def visibility(self, i):
        """The index after a visibility, if one begins here."""
        if self.t[i] != "pub":
            return i
        inside = self.t[i + 1] == "(" and self.t[i + 2] in ("crate", "self", "super", "in")
        return self.jump[i + 1] + 1 if inside else i + 1

    def declaration(self, i):
        """The indices of visibility, keyword and `;` of a `use` or `mod x;` item, or None."""
        while self.t[i] == "#" and self.t[i + 1] == "[":
            i = self.jump[i + 1] + 1
        word = end = self.visibility(i)
        if self.t[word] == "mod" and self.t[word + 2] == ";":
            return i, word, word + 2
        if self.t[word] != "use" or self.t[word + 1] == "<":
            return None
        while self.t[end] not in (";", ")", "]", "}", ""):
            end = self.next(end)
        return (i, word, end) if self.t[end] == ";" else None

    def leaves(self, lo, hi, prefix=()):
        """The flat paths of a `use` tree."""
        k, paths = lo, []
        while k < hi and self.t[k] != "{":
            k += 1
        path = list(prefix) + self.tokens[lo:k]
        if k == hi:
            names = texts(path)
            if names[-2:] == ["::", "self"]:
                path = path[:-2]
            elif names[-4:-1] == ["::", "self", "as"]:
                path = path[:-4] + path[-2:]
            return [path] if path else []
        a = k + 1
        while a < self.jump[k]:
            b = a
            while b < self.jump[k] and self.t[b] != ",":
                b = self.next(b)
            paths += self.leaves(a, b, path)
            a = b + 1
        return paths


def flatten(tokens, name="table"):
    """The tokens with one `use` item for each path, and the place of each former `use` item."""
    stream, out, uses, i = Stream(tokens, name), [], [], 0
    while i < len(tokens):
        found = stream.t[i] in STARTS and stream.declaration(i)
        if found and stream.t[found[1]] == "use":
            word, end, lo = found[1], found[2], len(out)
            for leaf in stream.leaves(word + 1, end):
                out += tokens[i:word + 1] + leaf + [tokens[end]]
            uses.append((lo, len(out), tokens[i][1], tokens[word][1], tokens[end][2]))
            i = end + 1
        else:
            out.append(tokens[i])
            i += 1
    return out, uses


class Normal(Stream):
    """The normal form of flat tokens, as `out`; the text at the top says what is ignored."""

    def __init__(self, tokens, name, drop=()):
        super().__init__(tokens, name)
        self.drop, self.out = drop, []
        self.walk(0, len(tokens))

    def walk(self, i, hi, rules=False):
        """Put out the tokens of a group; `rules` marks the body of macro_rules."""
        t, out, where = self.t, self.out, False
        while i < hi:
            text = t[i]
            if text in STARTS:
                after = self.declared(i, hi)
                if after > i:
                    i = after
                    continue
            if text == ">" or where and text in ("{", ";"):
                self.drop_comma()
            where = text == "where" or where and text not in ("{", ";")
            if text in OPEN:
                i = self.group(i, rules)
                continue
            out.append(self.tokens[i])
            i += 1
            if text == "=>" and not rules:
                i = self.body(i, hi, True)
            elif text in ("|", "||") and t[i - 2] in BEFORE_CLOSURE:
                i = self.closure(i, hi)

    def drop_comma(self):
        """Remove a comma that was put out last."""
        if self.out and self.out[-1][0] == ",":
            self.out.pop()

    def declared(self, i, hi):
        """Put out `use` or `mod` items in order, or pass what is dropped; the index after it."""
        entries, word = {}, None
        while i < hi and self.t[i] in STARTS:
            found = self.declaration(i)
            if not found or word not in (None, self.t[found[1]]):
                break
            (head, at, end), word = found, self.t[found[1]]
            name = at if "pub" in self.drop else head
            entry = self.tokens[i:head] + self.tokens[name:end + 1]
            if word not in self.drop:
                entries[tuple(self.t[name:end]), tuple(self.t[i:head])] = entry
            elif word == "mod" and "cfg" in self.t[i:head]:
                entry = self.tokens[i:head] + [self.tokens[at], self.tokens[end]]
                entries[tuple(self.t[i:end])] = entry
            i = end + 1
        for key in sorted(entries):
            self.out += entries[key]
        if not word and "pub" in self.drop:
            i = self.visibility(i)
        if not word and "lints" in self.drop and self.t[i] == "#":
            bracket = i + 2 if self.t[i + 1] == "!" else i + 1
            if self.t[bracket] == "[" and self.t[bracket + 1] in ("allow", "expect"):
                i = self.next(bracket)
        return i

    def group(self, i, rules=False):
        """Put out a bracketed group; the index after it."""
        tokens, close = self.tokens, self.jump[i]
        if rules and self.t[close + 1] == "=>":
            self.out += tokens[i:close + 1]
            return close + 1
        self.out.append(tokens[i])
        mark = len(self.out)
        self.walk(i + 1, self.tail(i + 1, close), self.t[i - 3] == "macro_rules")
        if len(self.out) > mark + 1 and not self.keeps_comma(i, close):
            self.drop_comma()
        self.out.append(tokens[close])
        return close + 1

    def tail(self, lo, hi):
        """The end of statements, without the `;` of a last `return`, `break` or `continue`."""
        k, jumps = lo, False
        while k < hi - 1:
            if self.t[k] in ("return", "break", "continue") and self.t[k - 1] in ("{", "}", ";"):
                jumps = True
            jumps = jumps and self.t[k] != ";"
            k = self.next(k)
        return k if jumps and self.t[k] == ";" else hi

    def keeps_comma(self, i, close):
        """Whether a last comma has a meaning: in a one-tuple, and in a repetition of a macro."""
        t, before, counts, depth = self.t, self.t[i - 1], [0, 0], 0
        if t[i] != "(" or before == "$":
            return before == "$"
        if before in (")", "]", "?", ">") or is_name(before) and before not in BEFORE_TUPLE:
            return False
        if before == "!" and is_name(t[i - 2]):
            return False
        k = i + 1
        while k < close:
            depth += (t[k] == "<") - (t[k] == ">")
            counts[depth > 0] += t[k] == ","
            k = self.next(k)
        return counts[0] + (counts[1] if depth else 0) == 1

    def closure(self, i, hi):
        """Put out a closure up to the end of its body if that has braces; the index to go on."""
        t, k = self.t, i
        if t[i - 1] == "|":
            while k < hi and t[k] not in ("|", ";", "=>", "||"):
                k = self.next(k)
            if k >= hi or t[k] != "|" or t[k + 1] != "{":
                return i
            self.walk(i, k)
            self.drop_comma()
            self.out.append(self.tokens[k])
            i = k + 1
        return self.body(i, hi, False)

    def body(self, i, hi, arm):
        """Put out a body in braces, without them if they hold one expression; the index after."""
        if self.t[i] != "{" or i >= hi:
            return i
        close = self.jump[i]
        after = self.t[close + 1] if close + 1 < hi else ""
        if after in (".", "?", ";") if arm else after not in ("", ",", ";"):
            return i
        lo, end, inner = i, close + 1, True
        while inner and self.t[lo] == "{" and self.jump[lo] == end - 1:
            inner = self.single(lo + 1, end - 1)
            lo, end = (lo + 1, inner) if inner else (lo, end)
        self.walk(lo, end)
        if arm and after not in ("", ","):
            self.out.append((",",) + self.tokens[close][1:])
        return close + 1

    def single(self, lo, hi):
        """The end of the only expression between two indices, or None."""
        t, k, hi = self.t, lo, self.tail(lo, hi)
        if lo == hi or t[lo] in ITEMS:
            return None
        block = t[lo] in BLOCKS or t[lo + 1] == ":" and t[lo][0] == "'"
        while k < hi:
            after = self.next(k)
            if t[k] == ";" or (t[k] == "{" and after < hi and (block or t[k - 1] == "!")
                               and t[after] not in ("else", ".", "?", "=", "in")):
                return None
            k = after
        return hi


class Row:
    """One row of the table."""

    def __init__(self, kind, scope, old, new, note=""):
        self.kind, self.old, self.new, self.note = kind, old, new, note
        globs = [re.escape(glob.strip()).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
                 .replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for glob in scope.split(",")]
        self.scope = re.compile(".*" if scope.strip() in ("*", "-", "") else "|".join(globs))
        lexed = kind in ("path", "ident")
        self.was, self.becomes = (texts(lex(t)) if lexed else [] for t in (old, new))
        one = [is_name(text) or text[:1] == "'" for text in self.was + self.becomes]
        if lexed and not self.was or kind == "ident" and one != [True, True]:
            raise Fault(f"table: not a row of kind {kind}: {old}")

class Batch:
    """The rows of one commit."""

    def __init__(self, subject):
        self.subject, self.rows = subject, []

    def of(self, kind, path=None):
        """The rows of a kind whose scope holds a path."""
        return [row for row in self.rows
                if row.kind == kind and (path is None or row.scope.fullmatch(path))]

    def moved(self, path):
        """The path of a file after the batch."""
        rows = [row for row in self.of("file") if (path + "/").startswith(row.old + "/")]
        row = max(rows, key=lambda row: len(row.old), default=None)
        return row.new + path[len(row.old):] if row else path

    def claims(self, path, tokens):
        """The rows that replace tokens, each at the index of its first token."""
        rows, names, places = self.of("path", path) + self.of("ident", path), texts(tokens), {}
        for row in rows:
            places[row.was[0]] = []
        for i, name in enumerate(names):
            if name in places:
                places[name].append(i)
        taken, claims = bytearray(len(names)), {}
        for row in rows:
            size = len(row.was)
            for i in places[row.was[0]]:
                if names[i:i + size] == row.was and not any(taken[i:i + size]):
                    taken[i:i + size] = b"\1" * size
                    claims[i] = row
        return claims

    def rewrite(self, path, tokens, notes=None):
        """The tokens of an old file after the batch."""
        claims, out, left, i = self.claims(path, tokens), [], set(), 0
        while i < len(tokens):
            row = claims.get(i)
            out += [(text,) + tokens[i][1:] for text in row.becomes] if row else [tokens[i]]
            left.add("" if row else tokens[i][0])
            i += len(row.was) if row else 1
        if notes is not None:
            notes += [f"  merges: {name} in {path}" for name in sorted(left & {
                name for row in claims.values() if "merge" not in row.note
                for name, after in zip(row.becomes, row.becomes[1:] + [""])
                if is_name(name) and name not in row.was and after != "::"})]
        return out

    def reword(self, path, text):
        """A string token after the word rows."""
        for row in self.of("word", path) if text[:1] == '"' else ():
            text = text[:2] + text[2:].replace(row.old, row.new)
        return text


def read_table(lines):
    """The batches of a table."""
    batches = []
    for number, text in enumerate(lines, 1):
        text = text.rstrip("\r\n")
        if text.startswith("# batch:"):
            batches.append(Batch(text[8:].strip()))
        elif text.strip() and not text.startswith("#"):
            cells = text.split("\t")
            if not batches or not 4 <= len(cells) <= 5 or not cells[2] \
                    or cells[0] not in ("file", "path", "ident", "word"):
                raise Fault(f"table:{number}: not a row of a batch: {text}")
            batches[-1].rows.append(Row(*cells))
    return batches


class Proof:
    """The outcome of a comparison of two trees; a tree is the text of each path."""

    packages = frozenset()

    def __init__(self, kind, old, new, batches=()):
        self.files = self.tokens = 0
        self.kind, self.old, self.new, self.batches = kind, old, new, batches
        self.wrong, self.notes = [], []
        (self.compare_items if kind == "move" else self.compare_files)()

    def steps(self, path):
        """Each batch with the path of an old file before it."""
        for batch in self.batches:
            yield batch, path
            path = batch.moved(path)

    def form(self, path, text, is_old):
        """The normal form of a file, after the batches if it is old."""
        tokens = flatten(lex(text, path), path)[0]
        for batch, before in self.steps(path) if is_old else ():
            tokens = batch.rewrite(before, tokens, self.notes if self.kind == "rename" else None)
        out = Normal(tokens, path, DROPS[self.kind]).out
        self.tokens += len(out)
        return out

    def reworded(self, path, names):
        """The texts of tokens after the word rows."""
        for batch, before in self.steps(path):
            names = [batch.reword(before, name) for name in names]
        return names

    def compare_files(self):
        """Compare each old file with its new file."""
        pairs = {}
        for path in self.old:
            after = path
            for batch, before in self.steps(path):
                after = batch.moved(before)
            pairs[after] = path
        self.wrong += [f"  added: {path}" for path in sorted(set(self.new) - set(pairs))]
        self.wrong += [f"  removed: {pairs[after]}, and {after} is not there"
                       for after in sorted(set(pairs) - set(self.new))]
        if len(pairs) < len(self.old):
            self.wrong.append("  two old files have one new path")
        for after in sorted(set(pairs) & set(self.new)):
            path, text = pairs[after], self.old[pairs[after]]
            if text == self.new[after] and not self.batches:
                continue
            self.files += 1
            a, b = self.form(path, text, True), self.form(after, self.new[after], False)
            x, y = texts(a), texts(b)
            if x != y and len(x) == len(y):
                again = self.reworded(path, x)
                x = [w if w == v else u for u, v, w in zip(x, y, again)]
            if x != y:
                self.wrong += differences(path, text, a, x, after, self.new[after], b, y)

    def compare_items(self):
        """Compare the items of both trees as multisets."""
        same = {path for path, text in self.old.items()
                if self.new.get(path) == text and not self.batches}
        known = {"crate", "self", "super"} | self.packages
        for path in list(self.old) + list(self.new):
            known.update(re.sub(r"\.rs$", "", path).split("/"))
        sides = []
        for texts_of in (self.old, self.new):
            found = defaultdict(list)
            for path in sorted(set(texts_of) - same):
                self.files += 1
                form = self.form(path, texts_of[path], texts_of is self.old)
                for item, at in items(form, path):
                    found[tuple(shorten(item, known))].append((path, at))
            sides.append(found)
        gone, come = ({item: places[:] for item, places in side.items()} for side in sides)
        for item in list(gone):
            for alike in (item, tuple(self.reworded(gone[item][0][0], item))):
                both = min(len(gone[item]), len(come.get(alike, ())))
                del gone[item][:both], come.get(alike, [])[:both]
        gone, come = ({item: places for item, places in side.items() if places}
                      for side in (gone, come))
        for sign, left, right, trees in (("-", gone, come, self.old), ("+", come, gone, self.new)):
            for item, places in left.items():
                # What is unlike the most similar item of the other tree.
                at = max((len(os.path.commonprefix([item, other])) for other in right), default=0)
                names = item[:12] + (("...",) + item[at - 2:at + 8] if at > 14 else ())
                # Two files that became one have one module of tests: a note, not a fault.
                is_mod = item[-2:] == ("mod", ";")
                told, word = (self.notes, "note: ") if is_mod else (self.wrong, "")
                told += [f"  {word}{sign} {path}:{line(trees[path], start)}: {shown(names)}"
                         for path, start in places]


def items(tokens, name):
    """The items of a normal form with the place of each; a member of an `impl` has its header."""
    s, found = Stream(tokens, name), []
    t = s.t

    def split(i, hi, header):
        while i < hi:
            start, opened, inner = i, hi, False
            while t[i] == "#" and not inner:
                inner = t[i + 1] == "!"
                i = s.next(i + 1 + inner)
            if t[i] == "mod" and t[i + 2] == "{" and not inner:
                if "cfg" in t[start:i]:
                    found.append((t[start:i] + ["mod", ";"], tokens[start][1]))
                split(i + 3, s.jump[i + 2], header)
                i = s.next(i + 2)
                continue
            members = "impl" in (t[i], t[i] == "unsafe" and t[i + 1])
            to_semicolon = t[i] in ("const", "static", "type") \
                and t[i + 1] not in ("fn", "unsafe", "async", "extern")
            while i < hi and not inner:
                opened, i = i, s.next(i)
                if t[opened] == ";" or t[opened] == "{" and not to_semicolon:
                    break
            if members and i - opened > 2:
                split(opened + 1, i - 1, header + t[start:opened + 1])
            else:
                found.append((header + t[start:i], tokens[start][1]))
    split(0, len(tokens), [])
    return found


def shorten(names, known):
    """The texts of an item with each path cut to its last two segments outside modules."""
    out, i = [], 0
    while i < len(names):
        segments = [names[i]]
        if names[i] in known and names[i - 1:i] not in (["::"], ["."]):
            while names[i + 1:i + 2] == ["::"] and is_name("".join(names[i + 2:i + 3])):
                i += 2
                segments.append(names[i])
            while len(segments) > 1 and segments[0] in known:
                del segments[0]
        out += [text for segment in segments[-2:] for text in ("::", segment)][1:]
        i += 1
    return out


def shown(names):
    """The texts of tokens as one short line."""
    return " ".join(repr(n[2:])[:60] if n[:1] == '"' else n for n in names) or "(end of file)"


def differences(path, source, a, x, after, target, b, y):
    """The first differences of two forms, with the place on both sides."""
    at = next((i for i, (u, v) in enumerate(zip(x, y)) if u != v), min(len(x), len(y)))
    x, y = x[at:at + 400], y[at:at + 400]
    codes = difflib.SequenceMatcher(None, x, y, autojunk=False).get_opcodes()
    found = []
    inside = [code for code in codes[1:] if code[0] != "equal" and max(code[2], code[4]) < 400]
    for _, i, j, k, m in codes[:1] + inside[:2]:
        sides = []
        for name, text, tokens, names, lo, hi in ((path, source, a, x, i, j),
                                                  (after, target, b, y, k, m)):
            place = tokens[min(at + lo, len(tokens) - 1)][1] if tokens else 0
            sides.append(f"{name}:{line(text, place)}: {shown(names[lo:min(hi, lo + 8) + 3])}")
        found.append("  " + "\n    became ".join(sides))
    return found


def git(*words, data=None):
    """The output of a git command."""
    done = subprocess.run(("git",) + words, input=data, capture_output=True)
    if done.returncode:
        raise Fault(f"git {' '.join(words[:3])}: {done.stderr.decode().strip()}")
    return done.stdout


def tree(rev):
    """The text of each Rust file of a commit."""
    rows = [row.split("\t", 1) for row in git("ls-tree", "-rz", rev).decode().split("\0") if row]
    blobs = {path: row.split()[2] for row, path in rows if path.endswith(".rs")}
    raw, at, found = git("cat-file", "--batch", data="\n".join(blobs.values()).encode()), 0, {}
    for path in blobs:
        end = raw.index(b"\n", at)
        size = int(raw[at:end].split()[2])
        found[path], at = raw[end + 1:end + 1 + size].decode(), end + size + 2
    return found


def prove(revs, forced, batches):
    """Prove commits, print a line for each, and tell whether all are equal."""
    form = "--format=%H%x09%s%x09%(trailers:key=Tokens,valueonly,separator=%x2C)"
    logs = [git("log", form, *(() if ".." in rev else ("--no-walk",)), rev, "--") for rev in revs]
    subjects = {batch.subject: f"rename {number}" for number, batch in enumerate(batches, 1)}
    fine = True
    for row in b"".join(logs or [git("log", form)]).decode().splitlines():
        commit, subject, claim = row.split("\t")[0], row.split("\t")[1:-1], row.split("\t")[-1]
        claim = forced or claim.strip() or subjects.get("\t".join(subject), "")
        if not claim and (not revs or any(".." in rev for rev in revs)):
            continue
        try:
            kind, *numbers = claim.split() or [""]
            known = set(map(str, range(1, len(batches) + 1)))
            fits = {"rename": len(numbers) > 0, "move": True}.get(kind, not numbers)
            if kind not in DROPS or not fits or not known.issuperset(numbers):
                raise Fault(f"`Tokens: {claim}` names no kind and batches")
            manifest = git("show", commit + ":Cargo.toml").decode()
            names = re.findall(r'^name\s*=\s*"([^"]+)"', manifest, re.M)
            Proof.packages = frozenset(name.replace("-", "_") for name in names)
            proof = Proof(kind, tree(commit + "^"), tree(commit),
                          [batches[int(number) - 1] for number in numbers])
            outcome = (f"files {proof.files}, tokens {proof.tokens}, "
                       + ("DIFFERS" if proof.wrong else "equal"))
            told, wrong = proof.notes + proof.wrong[:60], proof.wrong
        except Fault as fault:
            outcome, told, wrong = f"NOT PROVED: {fault}", [], True
        print("\n".join([f"{commit[:12]} {claim}: {outcome}"] + told), flush=True)
        fine = fine and not wrong
    return fine


def regroup(prefix, tokens):
    """The text of flat `use` items, one item for each parent path."""
    groups, names = {}, []
    for name in texts(tokens):
        names.append(name)
        if name == ";":
            words = names[names.index("use") + 1:-1] if "use" in names else names
            cut = max((i + 1 for i, word in enumerate(words) if word == "::"), default=0)
            groups.setdefault("".join(words[:cut]), []).append(" ".join(words[cut:]))
            names = []
    return "\n".join(f"{prefix}use {parent}" + (f"{{{', '.join(names)}}};" if len(names) > 1
                                                else f"{names[0]};")
                     for parent, names in groups.items())


def splice(source, start, end, edits):
    """A part of a text with edits: the new text of each span."""
    out = []
    for (lo, hi), text in sorted(edits.items()):
        out += [source[start:lo], text]
        start = hi
    return "".join(out) + source[start:end]


def edited(batch, path, source):
    """A text after a batch (None if it stays), and the rows that changed it."""
    flat, uses = flatten(lex(source, path), path)
    claims, edits, spans = batch.claims(path, flat), {}, {}
    if not claims:
        return None, []
    for i, row in claims.items():
        span = flat[i][1], flat[i + len(row.was) - 1][2]
        if "".join(source[span[0]:span[1]].split()) == "".join(row.old.split()):
            spans[i] = span
        elif not any(lo <= i < hi for lo, hi, *_ in uses):
            raise Fault(f"{path}:{line(source, span[0])}: a comment stands inside `{row.old}`")
    for lo, hi, start, word, end in uses:
        mine = [i for i in claims if lo <= i < hi]
        if mine:
            want = batch.rewrite(path, flat[lo:hi])
            text = splice(source, start, end, {spans[i]: claims[i].new for i in mine if i in spans})
            if texts(flatten(lex(text))[0]) != texts(want):
                text = regroup(source[start:word], want)
            edits[start, end] = text
            for i in mine:
                spans.pop(i, None)
    edits.update({span: claims[i].new for i, span in spans.items()})
    text = splice(source, 0, len(source), edits)
    want = Normal(batch.rewrite(path, flat), path).out
    if texts(want) != texts(Normal(flatten(lex(text, path), path)[0], path).out):
        raise Fault(f"{path}: the rows cannot be applied to this text; edit it by hand")
    return text, list(claims.values())


def apply(batch):
    """Apply a batch to the tracked files of the working tree."""
    paths = [path for path in git("ls-files", "-z").decode().split("\0") if path]
    changed, hits = {}, Counter()
    for path in [path for path in paths if path.endswith(".rs")]:
        with open(path, encoding="utf-8", newline="") as file:
            changed[path], rows = edited(batch, path, file.read())
        hits.update(rows)
    for path in paths:
        if batch.moved(path) != path and os.path.exists(batch.moved(path)):
            raise Fault(f"{batch.moved(path)} is there already; nothing is changed")
    for path, text in changed.items():
        if text is not None:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
    for path in paths:
        after = batch.moved(path)
        if after != path:
            os.makedirs(os.path.dirname(after) or ".", exist_ok=True)
            git("mv", path, after)
            hits.update(row for row in batch.of("file") if (path + "/").startswith(row.old + "/"))
    for row in batch.rows:
        if row.kind != "word":
            print(f"{hits[row] or 'UNUSED':>6}  {row.kind}  {row.old}  ->  {row.new}")


# Kind, whether the proof holds (`=`) or not (`!`), old text, new text, rows. A text is src/a.rs, or
# files: `@path text @path text`. `↵` is a line end, `␣` a space in a cell of a row.
CASES = r"""
format = f(a, b,) § f(a, b)
format = let v = vec![1,]; § let v = vec![1];
format ! let t = (a,); § let t = (a);
format ! f((a,)) § f((a))
format ! let t: (Map<A, B>,); § let t: (Map<A, B>);
format = let t = (a, b,); § let t = (a, b);
format ! m! { $(a,)* } § m! { $(a)* }
format ! macro_rules! m { ($a:ty, $b:ty,) => {}; } § macro_rules! m { ($a:ty, $b:ty) => {}; }
format = fn f<T,>(a: T,) where T: X, { b } § fn f<T>(a: T) where T: X { b }
format ! f(a, b) § f(b, a)
format ! let a = 1.0; § let a = 10;
format = for i in 1..2 {} § for i in 1 .. 2 {}
format = x.0.1 § x.0 .1
format ! if !a {} § if a {}
format ! let a = "x y"; § let a = "x  y";
format ! let a = "x"; § let a = b"x";
format = let a = "x \↵     y"; § let a = "x y";
format = let a = "x\↵  \t y {z}"; § let a = "x\u{9} y {z}";
format = let a = r#"say "x" // y"#; § let a = "say \"x\" // y";
format ! let a = r#"x"#; § let a = r"x#";
format = let a = '"'; let b = "'"; § let a='"';let b="'";
format ! fn f<'a>(x: &'a str) {} § fn f<'a>(x: &'b str) {}
format = 'a: loop { break 'a; } // b § 'a : loop { break 'a ; }
format = a /* x /* y */ z */ + b § a + b
format = /// doc↵#[doc = "x"] fn f() {} § #[doc = "x"] fn f() {}
format ! #[doc = "x"] fn f() {} § fn f() {}
format = match a { B => { c } D => { e } } § match a { B => c, D => e, }
format = match a { B => { c; } D => e } § match a { B => { c; }, D => e }
format ! match a { B => { c; } D => e } § match a { B => c, D => e }
format = match a { B => { return c; } D => e } § match a { B => return c, D => e }
format ! match a { B => { if c { d } -1 } } § match a { B => if c { d } - 1 }
format = match a { B => { if let C { d } = e { f } } } § match a { B => if let C { d } = e { f } }
format ! match a { B => {} } § match a { B => () }
format = f(|x| { g(x) }) § f(|x| g(x))
format = f(move || { |y, z| { y } }, 1) § f(move || |y, z| y, 1)
format ! f(|x| { g(x); }) § f(|x| g(x))
format ! let f = |x| { a + b }.c(); § let f = |x| a + b.c();
format ! a || { b } § a || b
format ! a & &b § a && b
format = let v: Vec<Vec<u8> > = a; § let v: Vec<Vec<u8>> = a;
format = use b::{c, d as e}; use a::f::{self, g}; § use a::f; use a::f::g; use b::c; use b::d as e;
format ! pub use a::b; § use a::b;
format ! #[cfg(unix)] use a::b; § use a::b;
format = mod b; #[cfg(test)] mod a; § #[cfg(test)] mod a; mod b;
format ! #[cfg(test)] mod a; mod b; § mod a; #[cfg(test)] mod b;
format ! #[path = "x.rs"] mod a; § #[path = "y.rs"] mod a;
format ! @src/a.rs a @src/b.rs b § @src/a.rs a
format ! @src/a.rs a § @src/a.rs a @src/b.rs b
rename = put(a, "put"); // put § set(a, "put"); § ident * put set
rename ! put(a); § put(a); § ident * put set
rename ! a.put(put); § a.set(set); § path * .put( .set(
rename = a.put(put); § a.set(put); § path * .put( .set(
rename = a(b) § b(a) § ident * a b; ident * b a
rename = use d::{c::C, e::{F, G}}; d::c::C::new() §
  use s::p::P; use d::e::{F, G}; s::p::P::new() § path * d::c::C s::p::P
rename = use a::{x, y}; § use a::{z, x}; § ident src/*.rs y z
rename ! f(y) § f(z) § ident src/b/** y z
rename = f("old name") § f("new name") § word * old new
rename ! f("old name") § f("new nome") § word * old new
rename = @src/d/c.rs fn f() {} @src/d.rs mod c; §
  @src/s/p.rs fn f() {} @src/s.rs mod p; §
  file - src/d src/s; file - src/d.rs src/s.rs; file - src/d/c.rs src/s/p.rs;
  path src/d.rs mod␣c mod␣p
rename ! @src/d/c.rs fn f() {} § @src/s/d.rs fn f() {} § file - src/d src/s
move = @src/a.rs use crate::b::f; pub fn g() { b::f() } @src/b.rs pub(crate) fn f() {} §
  @src/c/mod.rs fn f() {} fn g() { crate::c::f() }
move = @src/a.rs fn f() {} #[cfg(test)] mod tests { use super::*; #[test] fn g() {} } §
  @src/a.rs fn f() {} #[cfg(test)] mod tests; @src/a/tests.rs use super::f; #[test] fn g() {}
move = @src/a.rs impl A { fn f() {} fn g() {} } §
  @src/a.rs impl A { fn g() {} } @src/b.rs impl A { fn f() {} }
move ! @src/a.rs impl A { fn f() {} } impl B { fn g() {} } §
  @src/a.rs impl B { fn f() {} } impl A { fn g() {} }
move ! @src/a.rs fn f() { 1 } § @src/b.rs fn f() { 2 }
move ! @src/a.rs #[test] fn f() {} fn g() {} § @src/a.rs #[test] fn f() {}
move ! @src/a.rs #[test] fn f() {} § @src/b.rs fn f() {}
move ! @src/a.rs fn f() { A::new() } § @src/b.rs fn f() { B::new() }
move = @src/a.rs fn f() { super::Zone::a() } § @src/b.rs fn f() { Zone::a() }
move = @src/a.rs const A: &str = include_str!("x"); fn f() { A } §
  @src/b/c.rs const B: &str = include_str!("../x"); fn f() { B } § ident * A B; word * x ../x
visibility = pub fn f() {} struct A(pub (u8, u8), pub(in crate::a) B); §
  use a::b; pub(crate) fn f() {} #[allow(x)] struct A((u8, u8), B);
visibility ! pub fn f() {} § pub fn g() {}
visibility ! #[cfg(a)] fn f() {} § fn f() {}
visibility = pub mod b; mod a; § mod a; mod b;
visibility ! #[cfg(test)] mod a; § mod a;
"""


def self_test():
    """Run the cases; tell whether all come out as they should."""
    bad = 0
    for number, case in enumerate(CASES.replace("\n  ", " ").strip().splitlines(), 1):
        kind, sign, rest = case.split(" ", 2)
        parts = rest.replace("↵", "\n").split(" § ") + [""]
        sides = [dict(text.split(" ", 1) for text in part[1:].split(" @")) if part[0] == "@"
                 else {"src/a.rs": part} for part in parts[:2]]
        rows = [row.replace(" ", "\t").replace("␣", " ") for row in parts[2].split("; ") if row]
        batches = read_table(["# batch: case"] + rows) if rows else []
        found = Proof(kind, *sides, batches).wrong
        if kind == "rename" and sign == "=":
            # What `apply` writes must be what `prove` expects.
            after = {batches[0].moved(path): edited(batches[0], path, text)[0] or text
                     for path, text in sides[0].items()}
            found += Proof(kind, sides[0], after, batches).wrong
        if bool(found) != (sign == "!"):
            bad += 1
            print("\n".join([f"case {number} fails: {case}"] + found))
    print(f"{number} cases, {bad} failed")
    return not bad


def main():
    """Run the command of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("command", nargs="?", choices=("prove", "apply"))
    parser.add_argument("revs", nargs="*", metavar="REV")
    parser.add_argument("--table", default=".ci/renames.tsv", help="from the top of the tree")
    parser.add_argument("--batch", type=int, metavar="N")
    parser.add_argument("--format", action="store_true", help="prove as `format`")
    parser.add_argument("--self-test", action="store_true", help="prove the cases of this file")
    asked = parser.parse_intermixed_args()
    if asked.format and not asked.revs:
        parser.error("--format needs a REV")
    if asked.self_test:
        return 0 if self_test() else 1
    os.chdir(git("rev-parse", "--show-toplevel").decode().strip())
    batches = []
    if os.path.exists(asked.table):
        with open(asked.table, encoding="utf-8") as file:
            batches = read_table(file)
    if asked.command == "prove":
        return 0 if prove(asked.revs, asked.format and "format", batches) else 1
    if asked.command != "apply" or not asked.batch or not 1 <= asked.batch <= len(batches):
        raise Fault(f"no batch {asked.batch} in {asked.table}")
    apply(batches[asked.batch - 1])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fault as fault:
        print(f"same_tokens: {fault}", file=sys.stderr)
        sys.exit(2)
