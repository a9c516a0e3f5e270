//! The `meridian` program.

#[global_allocator]
static ALLOCATOR: meridian::Allocator = meridian::Allocator;

fn main() -> std::process::ExitCode {
    meridian::keep_large_apart();
    meridian::main()
}
