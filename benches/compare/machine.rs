//! The machine of a run: its processor, kernel, compiler, load and date.

use std::fs;
use std::process::Command;

/// Processor, kernel and compiler.
pub fn facts() -> [(&'static str, String); 3] {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default()
        .trim_start_matches(['\t', ':', ' ']);
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    [
        ("machine", format!("{model}, {cores} cores")),
        ("kernel", first_line("/proc/sys/kernel/osrelease")),
        ("compiler", output_of("rustc", "--version")),
    ]
}

/// Load of the machine now.
pub fn load() -> String {
    first_line("/proc/loadavg")
}

/// Date of today.
pub fn date() -> String {
    output_of("date", "+%F")
}

fn first_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn output_of(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&stdout).trim().to_owned()
}
