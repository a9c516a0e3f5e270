//! The `meridian` program.

#[global_allocator]
static ALLOCATOR: meridian::sys::memory::Allocator = meridian::sys::memory::Allocator;

fn main() -> std::process::ExitCode {
    meridian::sys::memory::keep_large_apart();
    meridian::cli::main()
}
