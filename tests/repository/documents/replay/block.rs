//! Fenced blocks of a document, and the commands in them with what they print.

/// A fenced block.
pub struct DocumentBlock {
    /// The words behind the fence.
    pub mark: String,
    /// Line of the fence, from 1.
    pub line: usize,
    /// What is inside.
    pub text: String,
}

/// A command with what it prints.
pub struct Example {
    /// Without the prompt.
    pub command: String,
    /// Lines up to the next prompt.
    pub shown: String,
    /// Line of the document, from 1.
    pub line: usize,
}

/// Every fenced block of a document.
pub fn blocks(document: &str) -> Vec<DocumentBlock> {
    let mut found: Vec<DocumentBlock> = Vec::new();
    let mut is_open = false;
    for (number, line) in document.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(mark) => {
                is_open = true;
                found.push(DocumentBlock {
                    mark: mark.trim().to_owned(),
                    line: number + 1,
                    text: String::new(),
                });
            }
            None if is_open => {
                if let Some(block) = found.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            None => {}
        }
    }
    found
}

/// The commands of a block. Lines that begin with `#` are remarks.
pub fn examples(block: &DocumentBlock) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for (number, line) in block.text.lines().enumerate().filter(|(_, line)| !line.starts_with("# ")) {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => {
                let command = command.split("   # ").next().unwrap_or(command).trim_end().to_owned();
                found.push(Example { command, shown: String::new(), line: block.line + 1 + number });
            }
            (None, Some(example)) => {
                example.shown.push_str(line);
                example.shown.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}
