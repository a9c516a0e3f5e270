#!/usr/bin/env bash
# Builds the Debian package for this machine's architecture into target/debian.
#
#   deploy/debian/build.sh
#
# MERIDIAN_PROFILE  profile of the build (`dist`)
# MERIDIAN_BIN      a program that is built already, with default features
# MERIDIAN_OUT      folder of the package (`target/debian`)
#
# Needs cargo-deb: cargo install --locked cargo-deb
set -euo pipefail
cd "$(dirname "$0")/../.."

profile="${MERIDIAN_PROFILE:-dist}"
out="${MERIDIAN_OUT:-target/debian}"
program="${MERIDIAN_BIN:-}"
if [ -z "$program" ]; then
    cargo build --locked --profile "$profile" --features geoip-build --bin meridian
    program="${CARGO_TARGET_DIR:-target}/$profile/meridian"
fi

# Man pages and completions come from the program that is packed.
assets=target/assets
rm -rf "$assets"
mkdir -p "$assets/completions" "$out"
"$program" man --out "$assets/man"
"$program" completions bash >"$assets/completions/meridian"
"$program" completions zsh >"$assets/completions/_meridian"
"$program" completions fish >"$assets/completions/meridian.fish"

# cargo-deb looks for the program in `release` of the target folder, whatever the profile was.
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
mkdir "$stage/release"
cp "$program" "$stage/release/meridian"
CARGO_TARGET_DIR="$stage" cargo deb --no-build --strip --no-dbgsym --output "$out"
