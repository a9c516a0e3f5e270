#!/usr/bin/env python3
"""Facts about the locked packages from a clone of the RustSec advisory database, as
.ci/advisories.yaml. Ids, dates and ranges of versions only: no sentence of the database.

    git clone --depth=1 https://github.com/RustSec/advisory-db target/advisory-db
    .ci/advisories.py target/advisory-db              # every package of Cargo.lock
    .ci/advisories.py target/advisory-db hyper ring   # these alone
    .ci/advisories.py --self-test

Keeps the comment at the head of the file and its list `ignored`.
"""

import datetime
import json
import pathlib
import sys
import tomllib

TOP = pathlib.Path(__file__).resolve().parent.parent
COPY = TOP / ".ci" / "advisories.yaml"
COLUMNS = 100


def table(text):
    """The TOML between the first fences of the file of an advisory."""
    return tomllib.loads(text.split("```toml\n", 1)[1].split("\n```", 1)[0])


def facts(table):
    """The line of one advisory."""
    advisory, versions = table["advisory"], table["versions"]
    pairs = [(key, advisory[key]) for key in ("id", "package", "date")]
    pairs += [(key, advisory[key]) for key in ("informational", "withdrawn") if key in advisory]
    # Quoted ranges of JSON are quoted ranges of YAML too.
    pairs += [(key, json.dumps(versions.get(key, []))) for key in ("patched", "unaffected")]
    return "  - { " + ", ".join(f"{key}: {value}" for key, value in pairs) + " }"


def wrapped(words):
    """A YAML list of words in the flow style, folded."""
    lines, line = [], " "
    for word in words:
        if len(line) + len(word) + 2 > COLUMNS:
            lines.append(line)
            line = " "
        line += f" {word},"
    return "\n".join(["looked_up: [", *lines, line, "]"])


def locked(lock):
    """Names of the packages of Cargo.lock that come from a registry."""
    return sorted({p["name"] for p in tomllib.loads(lock)["package"] if "source" in p})


def copy(old, names, date, advisories):
    """The new text of the copy, with head and ignores of the old text."""
    head, rest = old.split("\ncopied: ", 1)
    ignored = rest[rest.index("\nignored:"):]
    tables = [table(text) for text in advisories]
    newest = max((each["advisory"]["date"] for each in tables), default="none")
    listed = "\n".join(["advisories:", *map(facts, tables)]) if tables else "advisories: []"
    return (
        f"{head}\ncopied: {date}\nnewest: {newest}\n\n{wrapped(names)}\n\n{listed}\n{ignored}"
    )


def numbered(database, name):
    """Texts of the advisories about a package, oldest first; drafts have the year 0000."""
    paths = sorted((database / "crates" / name).glob("RUSTSEC-[12]*.md"))
    return [path.read_text(encoding="utf-8") for path in paths]


def self_test():
    lock = '[[package]]\nname = "own"\nversion = "0.1.0"\n[[package]]\nname = "far"\nsource = "r"\n'
    assert locked(lock) == ["far"]
    text = (
        '```toml\n[advisory]\nid = "RUSTSEC-2026-9999"\npackage = "far"\ndate = "2026-01-02"\n'
        'informational = "unsound"\n[affected]\nos = ["linux"]\n[versions]\n'
        'patched = [\n  ">= 1.2.3",\n  "^0.9.1",\n]\n```\n\n# A title\n'
    )
    line = (
        "  - { id: RUSTSEC-2026-9999, package: far, date: 2026-01-02, informational: unsound, "
        'patched: [">= 1.2.3", "^0.9.1"], unaffected: [] }'
    )
    assert facts(table(text)) == line
    old = "# Head.\n\ncopied: 2025-01-01\nnewest: none\n\nlooked_up: [old]\n\nadvisories: []\n\nignored: []\n"
    new = copy(old, ["far"], "2026-01-03", [text])
    assert new == (
        "# Head.\n\ncopied: 2026-01-03\nnewest: 2026-01-02\n\nlooked_up: [\n  far,\n]\n\n"
        f"advisories:\n{line}\n\nignored: []\n"
    )
    assert max(map(len, wrapped(["a-name"] * 100).splitlines())) <= COLUMNS
    print("self-test: passed")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if not arguments or not (pathlib.Path(arguments[0]) / "crates").is_dir():
        sys.exit(__doc__)
    database = pathlib.Path(arguments[0])
    known = locked((TOP / "Cargo.lock").read_text(encoding="utf-8"))
    names = sorted(set(arguments[1:])) or known
    if strangers := sorted(set(names) - set(known)):
        sys.exit(f"not in Cargo.lock: {', '.join(strangers)}")
    advisories = [text for name in names for text in numbered(database, name)]
    date = datetime.date.today().isoformat()
    COPY.write_text(copy(COPY.read_text(encoding="utf-8"), names, date, advisories), encoding="utf-8")
    print(f"{len(names)} packages, {len(advisories)} advisories")


if __name__ == "__main__":
    main(sys.argv[1:])
