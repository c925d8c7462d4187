//! The store on SQLite: all SQL there is. One connection writes, in short transactions that begin by taking the lock,
//! so that none fails halfway; others read, in WAL mode, and never wait for it.

mod apply;
mod articles;
mod digest;
mod files;
mod finish;
mod follow;
mod fragments;
mod full_text;
mod health;
mod history;
mod hosts;
mod hub;
mod listed;
mod log;
mod lookups;
mod members;
mod memberships;
mod naming;
mod pushes;
mod ready;
mod recognise;
mod rest;
mod revive;
mod rows;
mod search;
mod segments;
mod select;
mod sort;
mod sources;
mod story;
mod taxonomy;
mod terms;
mod together;
mod translation;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::DateTime;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::StoreError;
use super::sets::Sets;
use crate::model::Time;

/// Each changes the schema once, in one transaction; only ever appended to.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/001_start.sql")];

/// How long a process waits for another one's transaction. Ours take milliseconds.
const BUSY: Duration = Duration::from_secs(30);

/// Reading connections that are kept; more are opened when more are needed at once.
const IDLE_READERS: usize = 8;

/// A store in one SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    id: Uuid,
    /// Closed before the writer: who only reads cannot take to the file what is in the log, as the last that is closed does.
    readers: Mutex<Vec<Connection>>,
    /// Ended before the writer is closed, as well.
    _log: log::Log,
    writer: Mutex<Connection>,
    /// Held by whoever is the next to write: who comes again and again keeps nobody waiting.
    next_writer: Mutex<()>,
    sets: RwLock<Sets>,
    queue: together::Queue,
    /// The terms that were found for what was written together.
    names: Mutex<terms::Names>,
}

impl Sqlite {
    pub(super) fn open(path: PathBuf, now: Time) -> Result<Self, StoreError> {
        let open = |cause| match StoreError::from(cause) {
            StoreError::Database(cause) => StoreError::Open { path: path.clone(), cause },
            known => known,
        };
        let mut writer = Connection::open(&path).map_err(open)?;
        prepare(&writer).map_err(open)?;
        migrate(&mut writer, &path, now)?;
        let id: String = writer.query_row("SELECT id FROM store", [], |row| row.get(0))?;
        let id = id.parse().map_err(|_| StoreError::Corrupt(format!("the store's id {id:?}")))?;
        let log = log::Log::of(path.clone(), &mut writer)?;
        Ok(Self {
            path,
            id,
            _log: log,
            writer: Mutex::new(writer),
            next_writer: Mutex::default(),
            readers: Mutex::default(),
            sets: RwLock::default(),
            queue: together::Queue::default(),
            names: Mutex::default(),
        })
    }

    pub(super) const fn id(&self) -> Uuid {
        self.id
    }

    /// The generation of the store, and the one up to which its articles can be searched.
    pub(super) fn generations(&self) -> Result<(u64, u64), StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT generation, indexed FROM store")?;
            Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    pub(super) fn note_settings(&self, settings: &str, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let is_same: bool = transaction.query_row("SELECT settings = ?1 FROM store", [settings], |row| row.get(0))?;
            if !is_same {
                Change::begin(transaction, now)?.generation()?;
                transaction.execute("UPDATE store SET settings = ?1, settings_modified = ?2", (settings, now.timestamp()))?;
            }
            Ok(())
        })
    }

    /// Reads in one snapshot.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.reader()?,
        };
        // To compile one of them takes as long as to look a term up.
        let run = |sql| Ok(connection.prepare_cached(sql)?.execute([]).map(drop)?);
        let result = run("BEGIN").and_then(|()| work(&connection));
        let ended: Result<(), StoreError> = run("ROLLBACK");
        let mut readers = lock(&self.readers);
        if ended.is_ok() && readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        keep_plans(&connection)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "cache_size", -2_000)?;
        Ok(connection)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        let _next = lock(&self.next_writer);
        lock(&self.writer)
    }

    /// Writes in one transaction: all of it or nothing.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        write(&mut self.writer(), work)
    }

    /// Writes what is made again if it gets lost: it is on disk with the next that must be, and nobody waits for the disk.
    fn write_lazily<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut connection = self.writer();
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let result = write(&mut connection, work);
        connection.pragma_update(None, "synchronous", "FULL")?;
        result
    }
}

fn write<T>(connection: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// A thread that panicked while it held a connection left no transaction behind: dropping one rolls it back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sets are changed by whole steps, each of which a panic leaves out or done.
fn read_lock<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_lock<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Else a statement is compiled again each time its values change, if any index of its tables is a partial one.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    keep_plans(connection)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Rows of two or three kilobytes waste half of a 4 KiB page; of one of 16 KiB more is read than is wanted.
    connection.pragma_update(None, "page_size", 8_192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The log keeps the room that it has: what is cut off is given room again with the next news.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // What a transaction changes has room, or its pages are written several times.
    connection.pragma_update(None, "cache_size", -8_000)
}

fn migrate(connection: &mut Connection, path: &Path, now: Time) -> Result<(), StoreError> {
    let known = MIGRATIONS.len();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for migration in &MIGRATIONS[found..] {
        transaction.execute_batch(migration)?;
    }
    if found == 0 {
        let id = Uuid::new_v4().to_string();
        transaction
            .execute("INSERT INTO store (only_row, id, generation, created, modified) VALUES (1, ?1, 1, ?2, ?2)", (id, now.timestamp()))?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error),
            _ => Self::Database(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Seconds since the epoch as a time; a stored one is always in range.
fn time(seconds: i64) -> Time {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// A transaction's change: the generation it makes, taken when the first thing changes, and the rows that are to be written.
struct Change<'a> {
    transaction: &'a Transaction<'a>,
    now: Time,
    generation: u64,
    is_taken: bool,
    rows: rows::Rows,
}

impl<'a> Change<'a> {
    fn begin(transaction: &'a Transaction<'a>, now: Time) -> Result<Self, StoreError> {
        let current: u64 = transaction.prepare_cached("SELECT generation FROM store")?.query_row([], |row| row.get(0))?;
        Ok(Self { transaction, now, generation: current + 1, is_taken: false, rows: rows::Rows::default() })
    }

    /// The generation that the store had before.
    const fn before(&self) -> u64 {
        self.generation - 1
    }

    /// The generation that the store has now.
    const fn after(&self) -> u64 {
        if self.is_taken { self.generation } else { self.before() }
    }

    /// The generation of this change; asking for it means that something changes.
    fn generation(&mut self) -> Result<u64, StoreError> {
        if !self.is_taken {
            self.is_taken = true;
            self.transaction
                .prepare_cached("UPDATE store SET generation = ?1, modified = max(modified, ?2)")?
                .execute((self.generation, self.now.timestamp()))?;
        }
        Ok(self.generation)
    }
}
