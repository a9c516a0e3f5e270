//! A browser without a window, over the pipe of its debugging protocol: JSON messages that end in
//! NUL, read from descriptor 3 and written to descriptor 4.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use support::program::{self, Process};
use tempfile::TempDir;

/// The longest that a step of the browser may take, on a machine that does other work too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one tab.
pub(super) struct Browser {
    input: File,
    messages: Receiver<Value>,
    /// Events of the tab so far.
    pub(super) events: Vec<Value>,
    session: String,
    next_id: u64,
    _process: Process,
    _folder: TempDir,
}

impl Browser {
    /// Starts it; `None`, with the reason printed, if none is installed.
    pub(super) fn start(size: (u32, u32), theme: &str) -> Option<Browser> {
        let Some(path) =
            ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(program::installed)
        else {
            eprintln!("skipped: chromium is not installed");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let [to, from] = ["to", "from"].map(|name| folder.path().join(name));
        let made = Command::new("mkfifo").args([&to, &from]).status().expect("mkfifo runs");
        assert!(made.success(), "pipes");
        let mut command = Command::new(path);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let words = format!("exec \"$0\" \"$@\" 3<'{}' 4>'{}'", to.display(), from.display());
        let process = Process::start(program::behind(&words, &command));
        // The shell opens the ends in this order too, so neither waits for ever.
        let input = File::options().write(true).open(&to).expect("the shell opens the pipe");
        let output = File::open(&from).expect("the shell opens the pipe");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).expect("the browser writes JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let (events, session) = (Vec::new(), String::new());
        let mut browser =
            Browser { input, messages, events, session, next_id: 1, _process: process, _folder: folder };
        browser.open_tab(size, theme);
        Some(browser)
    }

    fn open_tab(&mut self, (width, height): (u32, u32), theme: &str) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach)["sessionId"].clone();
        self.session = session.as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        // Keys reach a page that has the focus.
        self.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        self.set_theme(theme);
    }

    /// Sets the theme of the system.
    pub(super) fn set_theme(&mut self, theme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Result of a method.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.as_str().into();
        }
        write!(self.input, "{message}\0").expect("the browser reads");
        loop {
            let message =
                self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Value of an expression, which may be a promise.
    pub(super) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true. The browser looks before each frame.
    pub(super) fn until(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.evaluate(expression) != true {
            let text = "document.body.innerText";
            assert!(Instant::now() < end, "never: {expression}\n{}", self.evaluate(text));
            self.evaluate("new Promise((done) => setTimeout(done, 50))");
        }
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let code = match key {
                "Enter" => 13,
                "Tab" => 9,
                "ArrowRight" => 39,
                other => panic!("no code of {other}"),
            };
            let params = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                "text": if kind == "keyDown" { text } else { "" } });
            self.call("Input.dispatchKeyEvent", params);
        }
    }
}

impl Drop for Browser {
    /// Asks it to end, so that its own processes end too.
    fn drop(&mut self) {
        self.session.clear();
        let _ = write!(self.input, "{}\0", json!({ "id": self.next_id, "method": "Browser.close" }));
        while self.messages.recv_timeout(PATIENCE).is_ok() {}
    }
}
