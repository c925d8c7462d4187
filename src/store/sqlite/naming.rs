//! The names that an article gets when it is first stored, for ever: its key and its published id. Which ones it wishes for
//! needs no store, and is found out before the writer has its turn; whether they are free is the writer's to see.

use std::borrow::Cow;

use url::Url;

use super::{Change, StoreError};
use crate::model::{Article, ArticleKey, Slug, Source, SourceInfo, identity};
use crate::store::decide::{self, LinkKey};

/// What an article is known by.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) key: ArticleKey,
    /// A short hash of the key.
    pub(super) key_hash: i64,
    pub(super) public_id: String,
    /// A short hash of the published id.
    pub(super) public_hash: i64,
    /// The page that its link leads to.
    pub(super) link_key: Option<LinkKey>,
}

impl Identity {
    /// What an article is looked up by.
    pub(super) fn hashes(&self) -> impl Iterator<Item = i64> {
        [self.key_hash, self.public_hash].into_iter().chain(self.link_key)
    }
}

/// Names the articles of a source.
#[derive(Debug, Clone)]
pub(super) struct Namer {
    first_slug: Slug,
    /// Where the source is, and its home: the guids of its articles may be of these.
    hosts: Vec<String>,
}

impl Namer {
    pub(super) fn new(source: &Source, info: &SourceInfo) -> Self {
        let urls = [Some(source.location.as_str()), info.home.as_deref()];
        Self { first_slug: source.first_slug.clone(), hosts: urls.into_iter().flatten().filter_map(host).collect() }
    }

    /// What an article wishes to be known by.
    pub(super) fn wished(&self, article: &Article) -> Identity {
        self.identity(&article.guid, article.link.url())
    }

    fn identity(&self, guid: &str, link: Option<&str>) -> Identity {
        let hosts = self.hosts.iter().cloned().chain(link.and_then(host)).collect::<Vec<_>>();
        let public_id = identity::published_id(&self.first_slug, guid, &hosts);
        let key = ArticleKey::new(&self.first_slug, guid);
        Identity {
            key_hash: decide::short_hash(key.as_str()),
            key,
            public_hash: decide::short_hash(&public_id),
            public_id,
            link_key: link.and_then(decide::link_key),
        }
    }

    /// What a new article is known by: as it wishes, or otherwise where an earlier article has that name, or where it may not
    /// have its link.
    pub(super) fn free<'a>(
        &self,
        change: &Change<'_>,
        article: &Article,
        link: Option<&str>,
        wished: &'a Identity,
    ) -> Result<Cow<'a, Identity>, StoreError> {
        let mut own = Cow::Borrowed(wished);
        if link != article.link.url() {
            own = Cow::Owned(self.identity(&article.guid, link));
        }
        // An article of this source that was moved to another guid keeps the key of the one that it had.
        let (mut guid, mut number) = (Cow::Borrowed(&article.guid), 1);
        while is_there(change, own.key_hash, "key = ?2", own.key.as_str())? {
            number += 1;
            guid = Cow::Owned(format!("{}\0{number}", article.guid));
            own = Cow::Owned(self.identity(&guid, link));
        }
        if is_there(change, own.public_hash, "public_id = ?2", &own.public_id)? {
            let public_id = identity::own_id(&self.first_slug, &guid);
            own = Cow::Owned(Identity { public_hash: decide::short_hash(&public_id), public_id, ..own.into_owned() });
        }
        Ok(own)
    }
}

/// Whether any article, of any source, leads to a page; `but` is not asked.
pub(super) fn is_taken(change: &Change<'_>, link: &str, but: Option<i64>) -> Result<bool, StoreError> {
    let Some(key) = decide::link_key(link) else { return Ok(true) };
    let mut leads_there = change.transaction.prepare_cached("SELECT 1 FROM articles WHERE id = ?1 AND link_key = ?2 AND gone = 0")?;
    for article in change.having(key)? {
        if Some(article) != but && leads_there.exists((article, key))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an article with a hash has the name, too.
fn is_there(change: &Change<'_>, hash: i64, condition: &str, name: &str) -> Result<bool, StoreError> {
    for article in change.having(hash)? {
        let mut statement = change.transaction.prepare_cached(&format!("SELECT 1 FROM articles WHERE id = ?1 AND {condition}"))?;
        if statement.exists((article, name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}
