//! What can go wrong with a store.

use std::path::PathBuf;

use super::TermError;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no backend that there is.
    #[error("the store {0:?} is not understood; it takes `sqlite:` and a path, such as `sqlite:feedmill.db`")]
    Url(String),
    /// The file cannot be opened.
    #[error("cannot open the store {path:?}; check that its folder exists and can be written")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// Written by a newer version.
    #[error("the store {path:?} was written by a newer feedmill (schema {found}, this one knows {known}); update feedmill")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema in the file.
        found: usize,
        /// The newest schema that this program knows.
        known: usize,
    },
    /// Another process kept it for too long.
    #[error("the store is kept busy by another process; try again when it is done")]
    Busy(#[source] rusqlite::Error),
    /// The disk is full.
    #[error("the disk of the store is full; make room and try again")]
    Full(#[source] rusqlite::Error),
    /// The file cannot be read or written, though it could be opened.
    #[error(
        "the store cannot be read or written: its disk failed, or its file was removed or replaced while another process used it; \
         stop what uses it, look at the disk, and try again"
    )]
    Disk(#[source] rusqlite::Error),
    /// A stored value is not what it must be.
    #[error("the store holds a value that cannot be read: {0}")]
    Corrupt(String),
    /// Any other failure of the database.
    #[error("the store failed")]
    Database(#[source] rusqlite::Error),
    /// A term is not there, or not free.
    #[error(transparent)]
    Term(#[from] TermError),
    /// What was put aside of a large reading cannot be read.
    #[error("cannot read what was put aside while a folder was read; see to the folder for temporary files and try again")]
    Aside(#[source] std::io::Error),
    /// A task of ours ended early.
    #[error("an operation of the store was interrupted")]
    Interrupted,
}
