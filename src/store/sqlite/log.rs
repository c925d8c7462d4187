//! The write-ahead log is taken to the file by a thread of its own, so that who writes does not wait for the disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::lock;
use crate::model::text;

/// When the log has grown by so many pages they are taken to the file: one that many transactions change is copied once for
/// all of them.
const MANY: usize = 4_000;
/// A log of so many pages begins anew: who writes takes the rest to the file, as nothing is added to it meanwhile.
const MOST: usize = 40_000;

/// The log as one process writes it. Whoever takes it to the file has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Log(Arc<Taking>);

#[derive(Debug)]
struct Taking {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many pages the log had when it was taken to the file last.
    taken: usize,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Follows what a connection writes to a file from now on.
    pub(super) fn of(path: PathBuf, writer: &mut Connection) -> rusqlite::Result<Self> {
        let taking = Arc::new(Taking { path, state: Mutex::default() });
        let own = Arc::clone(&taking);
        writer.wal_hook(Some(move |wal: &mut Wal, pages| {
            taking.after_commit(wal, usize::try_from(pages).unwrap_or_default());
            Ok(())
        }))?;
        Ok(Self(own))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        lock(&self.0.state).wait();
    }
}

impl State {
    /// Waits for whoever takes the log to the file.
    fn wait(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that takes the log to the file panicked");
        }
    }
}

impl Taking {
    fn after_commit(self: &Arc<Self>, wal: &mut Wal, pages: usize) {
        let mut state = lock(&self.state);
        state.taken = state.taken.min(pages);
        if pages < state.taken + MANY {
            return;
        }
        if pages >= MOST {
            // A thread that is slow does not let the log grow for longer.
            state.wait();
            state.taken = pages;
            report(wal.checkpoint());
        } else if state.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            state.taken = pages;
            let own = Arc::clone(self);
            let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || report(own.take()));
            state.thread = thread.ok();
        }
    }

    /// Takes to the file what is in the log now.
    fn take(&self) -> rusqlite::Result<()> {
        let connection = Connection::open(&self.path)?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }
}

/// What fails is done later; nothing is lost by it.
fn report(result: rusqlite::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(error = %text::chain(&error), "cannot take the log of the store to its file now");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_taken_to_the_file_while_others_write_and_the_log_begins_anew() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("t.db");
        let size = |suffix: &str| std::fs::metadata(folder.path().join(format!("t.db{suffix}"))).map_or(0, |file| file.len());
        let mut writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA page_size = 512; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (x)").unwrap();
        let log = Log::of(path.clone(), &mut writer).unwrap();
        let write = |pages: usize| {
            for _ in 0..pages / 10 {
                writer.execute("INSERT INTO t VALUES (zeroblob(4900))", []).unwrap();
            }
        };
        write(MANY + 100);
        drop(lock(&log.0.state).thread.take().unwrap().join());
        // Some of the pages in the log are the same one again.
        assert!(size("") > (MANY as u64) * 512 / 2, "beside the writer");
        write(3 * MOST);
        assert!(size("-wal") < 2 * (MOST as u64) * 600, "by the writer, when the log was long");
        drop(log);
        drop(writer);
        assert_eq!((size("-wal"), size("") > 3 * (MOST as u64) * 512), (0, true));
        assert_eq!(Connection::open(&path).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
    }
}
