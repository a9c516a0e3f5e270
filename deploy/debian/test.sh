#!/usr/bin/env bash
# Builds the Debian package around a program that is built already, and tries it: contents,
# installation, first check, a database from text, a server that answers, removal, purge.
#
#   MERIDIAN_BIN=target/release/meridian deploy/debian/test.sh
#
# MERIDIAN_BIN           the program to pack; by default the newest of target/{dist,release,debug}.
#                        It needs the feature `geoip-build`, as that of every package.
# MERIDIAN_TEST_INSTALL  1: install into this system. Without it, and unless CI=true, the package is
#                        installed into a copy of this system that lasts as long as the test
#                        (overlayfs in a mount namespace).
#
# Needs root, dpkg and cargo-deb. What it cannot try it says and skips.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf '   %s\n' "$*"; }
skip() { say "skipped: $*"; exit 0; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# Everything about the installed package; $1 is the package.
try() {
    local package="$1" folder port server answer
    ! dpkg-query -W meridian >/dev/null 2>&1 || skip "a package meridian is installed here"
    [ ! -e /etc/meridian ] || skip "/etc/meridian is in use"
    [ ! -e /var/lib/meridian ] || skip "/var/lib/meridian is in use"
    had_user=$(getent passwd meridian || true)

    dpkg -i "$package" >"$scratch/install" 2>&1 || { cat "$scratch/install"; fail "dpkg -i"; }
    grep -q 'not started' "$scratch/install" || fail "the installation does not say what comes next"
    [ "$(stat -c '%U %G %a' /var/lib/meridian)" = "meridian meridian 750" ] || fail "/var/lib/meridian"
    [ "$(getent passwd meridian | cut -d: -f6-)" = "/var/lib/meridian:/usr/sbin/nologin" ] || fail "the user"
    say "installed: $(dpkg-query -W meridian)"

    # Without --config, from a folder without a server file: /etc/meridian/meridian.yaml.
    answer="$(cd / && env -u MERIDIAN_CONFIG /usr/bin/meridian check 2>&1)" \
        || { echo "$answer"; fail "check"; }
    grep -qx 'ok: errors 0, warnings 0' <<<"$answer" || { echo "$answer"; fail "the example is not sound"; }
    say "check of the installed example: $(tail -1 <<<"$answer")"

    # A feature that only packages have.
    printf '%s\n' prefix,continent,country,subdivision,latitude,longitude,asn,city \
        192.0.2.0/24,EU,DE,HE,50.11,8.68,64496,Frankfurt \
        2001:db8:1000::/36,EU,GB,ENG,51.51,-0.13,64499,London >"$scratch/places.csv"
    /usr/bin/meridian geoip build "$scratch/places.csv" "$scratch/places.mmdb" >"$scratch/geoip" 2>&1 \
        || { cat "$scratch/geoip"; fail "geoip build: is the program built with --features geoip-build?"; }
    [ -s "$scratch/places.mmdb" ] || fail "geoip build writes no database"
    say "geoip build: $(tail -1 "$scratch/geoip")"

    if command -v man >/dev/null && man -w meridian >/dev/null 2>&1; then
        say "man -w: $(man -w meridian meridian-pop-drain | tr '\n' ' ')"
    else
        say "skipped: no man here, or it leaves out pages (dpkg.cfg.d); the package has them"
    fi
    if [ -e /usr/share/bash-completion/completions/meridian ]; then
        bash -n /usr/share/bash-completion/completions/meridian || fail "the completion for bash"
    fi
    if command -v systemd-analyze >/dev/null; then
        systemd-analyze verify --man=no /usr/lib/systemd/system/meridian.service 2>"$scratch/verify" || true
        ! grep -i meridian "$scratch/verify" || fail "systemd-analyze verify"
        say "the unit passes systemd-analyze verify"
    else
        say "skipped: no systemd-analyze"
    fi

    # The server as its user, on a free port, over a copy of the files.
    folder="$scratch/site"
    cp -r /etc/meridian "$folder"
    sed -i 's/^  dns: .*/  dns: ["127.0.0.1:0"]/; s/^  admin: /  # &/' "$folder/meridian.yaml"
    chmod 755 "$scratch" && chown -R root:meridian "$folder"
    install -d -o meridian -g meridian /run/meridian
    (cd / && exec setpriv --reuid meridian --regid meridian --clear-groups --no-new-privs \
        /usr/bin/meridian serve --config "$folder/meridian.yaml") >"$scratch/banner" 2>"$scratch/log" &
    server=$!
    trap 'kill "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT
    for _ in $(seq 100); do
        port="$(sed -n 's/^ *dns  *127\.0\.0\.1:\([0-9]*\).*/\1/p' "$scratch/banner" | head -1)"
        [ -z "$port" ] || break
        sleep 0.1
    done
    [ -n "$port" ] || { cat "$scratch/banner" "$scratch/log"; fail "the server does not say its port"; }
    [ "$(stat -c %U "/proc/$server")" = meridian ] || fail "the server does not run as meridian"
    if command -v dig >/dev/null; then
        answer="$(dig @127.0.0.1 -p "$port" +norec +short www.cdn.example A +subnet=198.51.100.0/24)"
        [ "$answer" = 192.0.2.30 ] || fail "dig says: $answer"
        say "as meridian on port $port: www.cdn.example for 198.51.100.0/24 is $answer"
    else
        say "skipped: no dig"
    fi
    [ "$(cat /run/meridian/meridian.pid)" = "$server" ] || fail "the pid file has another number"
    /usr/bin/meridian reload --config "$folder/meridian.yaml" | sed 's/^/   /'
    kill -TERM "$server"
    wait "$server" || fail "the server ends with status $?"
    [ ! -e /run/meridian/meridian.pid ] || fail "the server leaves its pid file"
    trap 'rm -rf "$scratch"' EXIT
    [ -n "$(ls -A /var/lib/meridian)" ] || fail "the state folder is empty"

    # The same package once more: a changed file stays as it is.
    echo "# ours" >>/etc/meridian/policies.yaml
    dpkg -i "$package" >"$scratch/upgrade" 2>&1 || { cat "$scratch/upgrade"; fail "a second dpkg -i"; }
    tail -1 /etc/meridian/policies.yaml | grep -qx '# ours' || fail "an upgrade overwrites a changed file"

    dpkg -r meridian >"$scratch/remove" 2>&1 || { cat "$scratch/remove"; fail "dpkg -r"; }
    [ ! -e /usr/bin/meridian ] || fail "remove leaves the program"
    [ ! -e /usr/lib/systemd/system/meridian.service ] || fail "remove leaves the unit"
    [ -e /etc/meridian/meridian.yaml ] || fail "remove takes the server file"
    [ -e /etc/meridian/zones/cdn.example.yaml ] || fail "remove takes a zone"
    [ -d /var/lib/meridian ] || fail "remove takes the state"
    say "after remove: $(find /etc/meridian -type f | wc -l) files in /etc/meridian, and the state"

    dpkg -P meridian >"$scratch/purge" 2>&1 || { cat "$scratch/purge"; fail "dpkg -P"; }
    left="$(find /etc /usr/bin /usr/lib/systemd /usr/share/man /usr/share/doc /usr/share/bash-completion \
        /usr/share/zsh /usr/share/fish /usr/share/meridian /var/lib -xdev -name '*meridian*' 2>/dev/null || true)"
    [ -z "$left" ] || fail "purge leaves: $left"
    getent passwd meridian >/dev/null || fail "purge takes the user"
    say "after purge: nothing but the user"

    # What the test itself made.
    rm -rf /run/meridian
    [ -n "$had_user" ] || userdel meridian 2>/dev/null || true
}

if [ "${1:-}" = --inside ]; then
    scratch="$2"
    try "$3"
    exit 0
fi

command -v dpkg-deb >/dev/null || skip "no dpkg here"
cargo deb --version >/dev/null 2>&1 || skip "no cargo-deb here: cargo install --locked cargo-deb"
program="${MERIDIAN_BIN:-}"
if [ -z "$program" ]; then
    target="${CARGO_TARGET_DIR:-target}"
    program="$(ls -t "$target"/{dist,release,debug}/meridian 2>/dev/null | head -1 || true)"
    [ -n "$program" ] || skip "nothing is built; MERIDIAN_BIN names a program"
fi
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

MERIDIAN_BIN="$program" MERIDIAN_OUT="$scratch/out" deploy/debian/build.sh >"$scratch/build" 2>&1 \
    || { cat "$scratch/build"; fail "build.sh"; }
package="$(ls "$scratch"/out/*.deb)"
dpkg-deb -c "$package" >"$scratch/contents"
dpkg-deb -I "$package" conffiles >"$scratch/conffiles"
for path in usr/bin/meridian usr/lib/systemd/system/meridian.service usr/share/man/man1/meridian.1.gz \
    usr/share/man/man1/meridian-pop-drain.1.gz usr/share/bash-completion/completions/meridian \
    usr/share/zsh/vendor-completions/_meridian usr/share/fish/vendor_completions.d/meridian.fish \
    usr/share/meridian/schema/zone.schema.json \
    usr/share/doc/meridian/examples/alerts.yaml usr/share/doc/meridian/examples/sysctl.conf \
    usr/share/doc/meridian/examples/grafana/fleet.json \
    usr/share/doc/meridian/copyright; do
    grep -q " \./$path\$" "$scratch/contents" || fail "the package has no $path"
done
# Every file below /etc is the operator's, so dpkg must ask before it changes one.
packed="$(sed -n 's,^-.* \./\(etc/.*\),/\1,p' "$scratch/contents" | sort)"
[ "$packed" = "$(sort "$scratch/conffiles")" ] || fail "files below /etc are not the conffiles: $packed"
! grep -v '^[-dl]rw[x-]r-[x-]r-[x-] 0/0 ' "$scratch/contents" || fail "an owner or a mode"
if command -v mandoc >/dev/null; then
    mandoc -T lint -W error target/assets/man/*.1 || fail "mandoc"
fi
say "package: $(basename "$package"), $(stat -c %s "$package") octets, $(wc -l <"$scratch/contents") entries"

[ "$(id -u)" -eq 0 ] || skip "not root: the package was looked at, and not installed"
if [ "${MERIDIAN_TEST_INSTALL:-}" = 1 ] || [ "${CI:-}" = true ]; then
    say "installing into this system"
    try "$package"
    exit 0
fi

# A copy of this system that is gone afterwards. /run and /tmp of the copy are empty, so scripts of
# packages see no systemd.
mkdir "$scratch/copy"
cat >"$scratch/enter" <<'EOF'
set -eu
mount -t tmpfs -o mode=755 tmpfs "$1/copy"
mkdir "$1/copy/upper" "$1/copy/work" "$1/copy/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/copy/upper,workdir=$1/copy/work" "$1/copy/root"
root="$1/copy/root"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
EOF
unshare --mount sh "$scratch/enter" "$scratch" 2>"$scratch/why" \
    || skip "no copy of this system ($(head -1 "$scratch/why")); MERIDIAN_TEST_INSTALL=1 installs into it"
say "installing into a copy of this system"
unshare --mount sh -c '
    sh "$1/enter" "$1"
    root="$1/copy/root"
    mkdir "$root/tmp/test" "$root/tmp/test/deploy" "$root/tmp/test/deploy/debian" "$root/tmp/scratch"
    cp "$2" "$root/tmp/test/package.deb"
    cp deploy/debian/test.sh "$root/tmp/test/deploy/debian/"
    exec chroot "$root" /tmp/test/deploy/debian/test.sh --inside /tmp/scratch /tmp/test/package.deb
' sh "$scratch" "$package"
