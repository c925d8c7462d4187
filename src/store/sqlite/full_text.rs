//! Full texts: which articles of a reading have theirs already.

use rusqlite::OptionalExtension;

use super::revive::PUBLIC;
use super::{Sqlite, StoreError, sources, terms};
use crate::model::{Article, FullText, Policy, SourceId, SourceInfo};
use crate::store::decide::{self, Context, Fingerprint};

impl Sqlite {
    pub(in crate::store) fn settle_full_texts(
        &self,
        source: SourceId,
        mut articles: Vec<Article>,
        info: Option<&SourceInfo>,
        policy: &Policy,
    ) -> Result<Vec<Article>, StoreError> {
        self.read(|connection| {
            let source = sources::by_id(connection, source.0)?;
            let aliases = terms::aliases_for(connection, policy)?;
            let context = Context { source: (&source).into(), info: info.unwrap_or(&source.info), policy, aliases: &aliases };
            let mut statement =
                connection.prepare_cached("SELECT fingerprint FROM articles WHERE source = ?1 AND guid = ?2 AND gone = ?3")?;
            for article in &mut articles {
                article.full_text = FullText::Settled;
                let (settled, _) = decide::fingerprint(article)?;
                let stored: Option<Fingerprint> = statement.query_row((source.id.0, &article.guid, PUBLIC), |row| row.get(0)).optional()?;
                let is_dropped = || context.judge(article, context.found_out(article).as_ref()).drop;
                if stored != Some(settled) && !is_dropped() {
                    article.full_text = FullText::Unasked;
                }
            }
            Ok(articles)
        })
    }
}
