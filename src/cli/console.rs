//! What commands print: results on standard output, everything else on standard error.

use std::io::{self, ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::model::{Applied, Problem};

/// How many remarks on single files are printed unless more are asked for.
const REMARKS: usize = 20;

/// Why something that was to be printed is lost, as on a full disk; the work goes on. A closed pipe, as after `| head`, is
/// no failure.
static LOST: OnceLock<io::Error> = OnceLock::new();

fn note_lost(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// Standard output and standard error, as the flags want them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    pub(super) json: bool,
    quiet: bool,
    pub(super) verbose: bool,
}

#[expect(clippy::unused_self, reason = "what is printed goes through one value, whether or not its flags matter")]
impl Console {
    pub(super) const fn new(json: bool, quiet: bool, verbose: bool) -> Self {
        Self { json, quiet, verbose }
    }

    /// Starts the log on standard error; a server says more than a command.
    pub(super) fn start_log(self, is_server: bool) {
        let usual = match (self.quiet, self.verbose, is_server) {
            (true, _, _) => "error",
            (_, true, _) => "feedmill=debug,info",
            (_, _, true) => "feedmill=info,warn",
            (_, _, false) => "feedmill=warn,error",
        };
        let filter = EnvFilter::try_from_env("FEEDMILL_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false).init();
    }

    /// A result.
    pub(super) fn print(self, line: &str) {
        note_lost(writeln!(stdout().lock(), "{line}"));
    }

    /// Why not all was printed; `None`: it was.
    pub(super) fn lost(self) -> Option<&'static io::Error> {
        LOST.get()
    }

    /// A result for programs.
    pub(super) fn print_json(self, value: &serde_json::Value) {
        // These end a line, too, for some of those that read line by line.
        let line = value.to_string().replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        self.print(&line);
    }

    /// A result as it is.
    pub(super) fn print_bytes(self, bytes: &[u8]) {
        let mut out = stdout().lock();
        note_lost(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// What people may want to know; not for programs.
    pub(super) fn say(self, line: &str) {
        if !self.quiet && !self.json {
            self.print(line);
        }
    }

    /// What went wrong.
    pub(super) fn error(self, line: &str) {
        let _ = writeln!(stderr().lock(), "error: {line}");
    }

    /// What went wrong with single files or items, the first ones of many.
    pub(super) fn problems(self, problems: &[Problem]) {
        let shown = if self.verbose { problems.len() } else { REMARKS.min(problems.len()) };
        for problem in &problems[..shown] {
            self.error(&problem.to_string());
        }
        if shown < problems.len() {
            self.error(&format!("… and {} more; --verbose names them all", problems.len() - shown));
        }
    }

    /// What was mended or may surprise.
    pub(super) fn repairs(self, repairs: &[Problem]) {
        if self.verbose {
            for repair in repairs {
                let _ = writeln!(stderr().lock(), "note: {repair}");
            }
        }
    }

    /// A sign of life on a terminal, while something takes long.
    pub(super) fn spinner(self, what: String) -> ProgressBar {
        let bar = self.bar(0, "");
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// A bar on a terminal; elsewhere the summary at the end is all.
    pub(super) fn bar(self, length: u64, what: &'static str) -> ProgressBar {
        let target = if self.quiet || self.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bar:30} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// What a reading did, in words.
pub(super) fn summary(applied: &Applied, unreadable: usize) -> String {
    let parts = [
        ("new", applied.added),
        ("changed", applied.updated),
        ("withdrawn", applied.withdrawn),
        ("unchanged", applied.unchanged),
        ("dropped by rules", applied.dropped),
        ("not readable", unreadable),
    ];
    let said: Vec<String> = parts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
    if said.is_empty() { "nothing new".to_owned() } else { said.join(", ") }
}
