//! Articles made ready to be stored: all that needs no lock, so that the writer only writes.

use std::sync::Arc;

use rusqlite::Connection;

use super::StoreError;
use super::articles::shown_title;
use super::naming::{Identity, Namer};
use super::recognise::by_guid;
use crate::model::rule::Aliases;
use crate::model::{Article, Aside, Policy, Source, SourceInfo, Verdict};
use crate::store::decide::{self, Context, Fingerprint, Sorted};

/// An article with what was made of it.
pub(super) struct Made {
    pub(super) article: Article,
    pub(super) fingerprint: Fingerprint,
    /// What of it is stored as JSON.
    pub(super) details: String,
    /// The title that lists show.
    pub(super) title: Option<String>,
    /// What it wishes to be known by.
    pub(super) identity: Identity,
    pub(super) verdict: Verdict,
    pub(super) sorted: Sorted,
}

/// An article that was read, ready to be stored.
pub(super) enum Ready {
    /// To be compared with what is stored.
    Made(Box<Made>),
    /// It is stored just so: nothing was made of it.
    Known(i64),
}

impl Ready {
    pub(super) fn made(&self) -> Option<&Made> {
        if let Self::Made(made) = self { Some(made) } else { None }
    }
}

/// What makes articles ready: all of it needs to be the same for the articles of one reading.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) source: Arc<Source>,
    pub(super) info: Arc<SourceInfo>,
    pub(super) namer: Arc<Namer>,
    pub(super) is_first: bool,
    pub(super) policy: Arc<Policy>,
    pub(super) aliases: Arc<Aliases>,
    pub(super) aside: Option<Aside>,
}

impl Maker {
    fn context(&self) -> Context<'_> {
        Context { source: (&*self.source).into(), info: &self.info, policy: &self.policy, aliases: &self.aliases }
    }

    pub(super) fn made_ready(&self, connection: &Connection, articles: Vec<Article>) -> Result<Vec<Ready>, StoreError> {
        articles.into_iter().map(|article| self.ready(connection, article)).collect()
    }

    fn ready(&self, connection: &Connection, mut article: Article) -> Result<Ready, StoreError> {
        if let Some(aside) = &self.aside {
            aside.give_back(&mut article).map_err(StoreError::Aside)?;
        }
        let (fingerprint, details) = decide::fingerprint(&mut article)?;
        if !self.is_first {
            let known = by_guid(connection, self.source.id.0, &article.guid)?;
            if let Some(known) = known.filter(|known| known.is(&article, &fingerprint)) {
                return Ok(Ready::Known(known.id));
            }
        }
        let mut found_out = self.context().found_out(&article);
        let verdict = self.context().judge(&article, found_out.as_ref());
        // Rules go by what the feed says, or one that a page's words match would have it asked for again and again.
        if !verdict.drop && article.fill() {
            found_out = found_out.or_else(|| self.context().found_out(&article));
        }
        let sorted = self.context().sort(&article, found_out.as_ref(), &verdict);
        let (title, identity) = (shown_title(&article), self.namer.wished(&article));
        Ok(Ready::Made(Box::new(Made { article, fingerprint, details, title, identity, verdict, sorted })))
    }
}
