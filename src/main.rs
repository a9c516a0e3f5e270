//! The `meridian` program.

#[global_allocator]
static ALLOCATOR: meridian::sys::memory::Allocator = meridian::sys::memory::Allocator;

fn main() -> std::process::ExitCode {
    meridian::cli::main()
}
