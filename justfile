# The daily commands of this tree. `just` lists them; each works without just too.

set positional-arguments

_list:
    @just --list --unsorted

# Serve the sample in this folder on port 5300
serve *ARGS:
    cargo run --locked --release -- serve "$@"

# Check the sample, or the deployment named by --config FILE
check *ARGS:
    cargo run --locked --release -- check "$@"

# Run every test, or some: `just test scope` by name, `just test --test laws scope` in one folder
test *NAME:
    cargo test --locked "$@"

# Run clippy as CI does
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Format the code
fmt:
    cargo fmt

# Write what is made from other files: configuration.md, findings.md, the table of benchmarks.md
docs:
    MERIDIAN_WRITE=1 cargo test --locked --test repository reference
    MERIDIAN_WRITE=1 cargo test --locked --test repository findings
    MERIDIAN_WRITE=1 cargo test --locked --test repository benchmarks

# Run everything that a change must pass
ci:
    .ci/run

# Run a million inputs for every fuzz target, from a fixed seed
fuzz RUNS="1000000":
    MERIDIAN_FUZZ_RUNS="$1" cargo test --locked --release --test fuzzing -- --nocapture

# Run one world of the simulation, with its story: `just sim 17`
sim SEED:
    MERIDIAN_SIM_SEED="$1" cargo test --locked --test simulation seeds -- --nocapture

# Take times of the core, and count instructions against the stored baseline
bench:
    cargo bench --locked --bench core --bench compile
    cargo bench --locked --bench instructions -- check

# Build the program of packages, into target/dist
dist:
    cargo build --locked --profile dist --features geoip-build

# Build the Debian package
deb:
    deploy/debian/build.sh

# Build the container image with docker, or with `just container podman`
container ENGINE="docker":
    "$1" build --file deploy/Containerfile --tag meridian .

# Write man pages into target/assets/man
man:
    cargo run --locked --release -- man --out target/assets/man

# Print the completion script of a shell: bash, zsh, fish
completions SHELL="bash":
    cargo run --locked --release -- completions "$1"
