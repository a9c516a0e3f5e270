//! A control group that holds a process to a share of one core.

use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Period of the share, in microseconds: the shortest in which a fifth is 1 ms, the least that the
/// kernel takes. Buffers must hold what comes while the group waits for the next one.
const PERIOD_MICROS: u32 = 5_000;

/// The group; removed when it is dropped, after its processes have ended.
pub struct Group(PathBuf);

impl Group {
    /// Makes a group for this process, with this share of a core in per cent: by `cpu.max` of
    /// version 2, or where the controller belongs to version 1 by its quota.
    pub fn hold(pid: u32, percent: u32) -> Result<Group> {
        let quota = PERIOD_MICROS / 100 * percent;
        let name = format!("meridian-hostile-{}", std::process::id());
        let (top, limits) = if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            ("/sys/fs/cgroup", vec![("cpu.max", format!("{quota} {PERIOD_MICROS}"))])
        } else {
            let limits =
                [("cpu.cfs_period_us", PERIOD_MICROS.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
            ("/sys/fs/cgroup/cpu", limits.to_vec())
        };
        let group = Group(Path::new(top).join(name));
        fs::create_dir(&group.0)?;
        for (file, text) in limits {
            // A folder without the file is no group of this controller.
            if !group.0.join(file).exists() {
                return Err(Error::other(format!("{} has no {file}", group.0.display())));
            }
            fs::write(group.0.join(file), text)?;
        }
        fs::write(group.0.join("cgroup.procs"), pid.to_string())?;
        Ok(group)
    }
}

impl Group {
    /// Periods in which the group has used up its share.
    pub fn throttled(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("cpu.stat")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        line.and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
