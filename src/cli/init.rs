//! `meridian init`: a small commented deployment to begin with. It never overwrites a file.

use super::print;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a small commented deployment into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The deployment has three PoPs, a policy, a zone and a small geofeed, in example names and
documentation addresses. If one of its files exists, nothing is written.

Exit status: 0 done, 1 a file exists or cannot be written.

Example:
  meridian init cdn && cd cdn && meridian check")]
pub(crate) struct Init {
    /// Folder of the deployment; it is made if it is missing
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// A file of the deployment: path below the folder, purpose, text.
type Template = (&'static str, &'static str, &'static str);

const TEMPLATES: [Template; 5] = [
    ("meridian.yaml", "the server file", include_str!("init/meridian.yaml")),
    ("pops.yaml", "places that serve content", include_str!("init/pops.yaml")),
    ("policies.yaml", "choice among them for each client", include_str!("init/policies.yaml")),
    ("zones/cdn.example.yaml", "a zone", include_str!("init/zone.yaml")),
    ("geoip/example.csv", "places of a few client networks", include_str!("init/geofeed.csv")),
];

impl Init {
    /// Writes the files and prints the next commands.
    pub(crate) fn run(self) -> ExitCode {
        if let Err(error) = write(&self.folder) {
            let _ = writeln!(io::stderr(), "error: {error}; nothing was written");
            return ExitCode::FAILURE;
        }
        let mut text = String::new();
        for (path, purpose, _) in TEMPLATES {
            text.push_str(&format!("{:<30} {purpose}\n", self.folder.join(path).display().to_string()));
        }
        text.push_str(&format!(
            "\nnext:\n  cd {}\n  meridian check\n  meridian serve\n",
            shell_word(&self.folder.display().to_string())
        ));
        print(&text);
        ExitCode::SUCCESS
    }
}

/// Writes every file, or none: after an error it removes the files that this call has made.
fn write(folder: &Path) -> Result<(), String> {
    let mut made = Vec::new();
    for (path, _, text) in TEMPLATES {
        let path = folder.join(path);
        if let Err(error) = create(&path, text, &mut made) {
            for file in &made {
                let _ = fs::remove_file(file);
            }
            return Err(format!("{}: {error}", path.display()));
        }
    }
    Ok(())
}

/// Makes a file that does not exist yet. An existing file of that name, a link too, is an error.
fn create(path: &Path, text: &str, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    made.push(path.to_owned());
    file.write_all(text.as_bytes())
}

/// A path as a word of a shell, in quotes if a shell would split or expand it.
fn shell_word(path: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,@%".contains(letter);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests;
