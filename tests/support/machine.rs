//! The machine that is measured, as reports describe it, and medians of what it took.

use std::process::Command;

/// Processor model and number of cores.
pub fn processor() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default()
        .trim_start_matches(['\t', ':', ' ']);
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    format!("{model}, {cores} cores")
}

/// Release of the kernel.
pub fn kernel() -> String {
    first_line("/proc/sys/kernel/osrelease")
}

/// Load averages, as the kernel prints them.
pub fn load() -> String {
    first_line("/proc/loadavg")
}

/// Version of the compiler.
pub fn compiler() -> String {
    output_of("rustc", &["--version"])
}

/// Today, as year, month and day.
pub fn date() -> String {
    output_of("date", &["+%F"])
}

/// Keeps this program, and what it starts, on the second core: servers have the first.
pub fn stay_off_the_servers_core() {
    output_of("taskset", &["-a", "-p", "-c", "1", &std::process::id().to_string()]);
}

/// Median; 0 of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn first_line(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Output of a program; empty if the program is missing.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let told = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&told).trim().to_owned()
}
