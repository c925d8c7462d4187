//! What is made of articles ahead, so that feeds are only put together of it.

use super::{Lookup, Store, StoreError};
use crate::model::{Entry, Format, Fragment, Look, Options, Page, Piece, Selection, Window};

/// Public articles that changed since fragments were made of all, whole generations.
#[derive(Debug)]
pub struct Unmade {
    pub(super) since: u64,
    pub(super) up_to: u64,
    /// Their numbers.
    pub articles: Vec<i64>,
}

impl Store {
    /// The articles that [`Store::select`] gives, for a feed in a format: each as it was made for it, if it has not changed
    /// since.
    ///
    /// # Errors
    /// The database failed.
    pub async fn pieces(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        format: Format,
        look: Look,
    ) -> Result<Lookup<Page<Piece>>, StoreError> {
        let (selection, options) = (selection.clone(), options.clone());
        self.read(move |sqlite| sqlite.pieces(&selection, &options, window, format, look)).await
    }

    /// Keeps what was made of articles, by their numbers, as they were at a generation or later.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep(&self, fragments: Vec<(i64, Format, Fragment)>, look: Look, since: u64) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.keep(&fragments, look, since)).await
    }

    /// The next articles of which fragments are to be made; `None`: there are none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unmade(&self, look: Look) -> Result<Option<Unmade>, StoreError> {
        self.read(move |sqlite| sqlite.unmade(look)).await
    }

    /// Public articles, by their numbers.
    ///
    /// # Errors
    /// The database failed.
    pub async fn entries(&self, numbers: Vec<i64>) -> Result<Vec<(i64, Entry)>, StoreError> {
        self.read(move |sqlite| sqlite.entries(&numbers)).await
    }

    /// Notes that fragments of all those were kept.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_made(&self, step: Unmade, look: Look) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.note_made(&step, look)).await
    }
}
