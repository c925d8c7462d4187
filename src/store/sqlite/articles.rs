//! Rows of articles, as the entries that are published.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::BytesMut;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::terms::{TermId, term_name};
use super::translation::MAX_TRANSLATIONS;
use super::{Sqlite, StoreError, lookups, story, time};
use crate::model::{
    Article, ArticleKey, Entry, Kind, Language, Neighbours, Origin, Origins, SourceId, SourceInfo, SourceKind, SourceSettings, TermName,
    Time, Translation, text,
};
use crate::store::sets::Number;
use crate::store::{Heading, Lookup, Reached, decide};

/// How much of the text stands for the title of an article that has none.
const UNTITLED: usize = 80;

/// An article from the part of it that is stored as JSON.
pub(super) fn details(json: &str) -> Result<Article, StoreError> {
    Ok(serde_json::from_str(json)?)
}

/// A stored key.
pub(super) fn article_key(key: &str) -> Result<ArticleKey, StoreError> {
    ArticleKey::parse(key).ok_or_else(|| StoreError::Corrupt(format!("the key {key:?} of an article")))
}

pub(super) fn key_and_title(row: &Row<'_>) -> Result<(ArticleKey, String), StoreError> {
    let key: String = row.get("key")?;
    let title: Option<String> = row.get("title")?;
    Ok((article_key(&key)?, title.unwrap_or(key)))
}

/// The key and the title of an article.
pub(super) fn title(connection: &Connection, number: Number) -> Result<(ArticleKey, String), StoreError> {
    let mut statement = connection.prepare_cached("SELECT key, title FROM articles WHERE id = ?1")?;
    statement.query_one([number], |row| Ok(key_and_title(row)))?
}

/// Makes entries of articles; sources are read once.
pub(super) struct Loader<'a> {
    pub(super) connection: &'a Connection,
    /// Whether an entry is told with the others of its story.
    tells_stories: bool,
    sources: HashMap<i64, Arc<Origin>>,
    /// Finds what was made of an article: for a feed's fifty it is looked for once.
    pub(super) made: Option<CachedStatement<'a>>,
    /// Where the blocks of what was made are read to.
    pub(super) blocks: BytesMut,
}

impl<'a> Loader<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, tells_stories: true, sources: HashMap::new(), made: None, blocks: BytesMut::new() }
    }

    /// One that makes entries of articles for themselves.
    fn alone(connection: &'a Connection) -> Self {
        Self { tells_stories: false, ..Self::new(connection) }
    }

    pub(super) fn entry(&mut self, id: i64) -> Result<Entry, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT a.id, a.source, a.guid, a.key, a.public_id, a.link, a.language, a.translation_key, a.listed, a.discovered, a.published, a.updated,
                    a.changed, a.generation, a.in_story, a.details, b.lead, b.summary, b.content, b.markdown
             FROM articles a JOIN bodies b ON b.article = a.id WHERE a.id = ?1",
        )?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or_else(|| StoreError::Corrupt(format!("article {id} has no text")))?;
        let article = article(row)?;
        let key = article_key(&row.get::<_, String>("key")?)?;
        let published = row.get::<_, Option<i64>>("published")?.map_or(row.get("discovered"), Ok)?;
        let source = self.source(row.get("source")?)?;
        let mut terms = terms_of(self.connection, id)?;
        let related = if self.tells_stories && row.get("in_story")? { story::related(self.connection, id)? } else { Vec::new() };
        if !related.is_empty() {
            for (name, origins) in story::joined_terms(self.connection, id)? {
                if !terms.iter().any(|(own, _)| *own == name) {
                    terms.push((name, origins));
                }
            }
        }
        Ok(Entry {
            key,
            id: row.get("public_id")?,
            link: row.get("link")?,
            source,
            terms,
            related,
            translations: self.translations(row.get("source")?, row.get("translation_key")?)?,
            listed: time(row.get("listed")?),
            published: time(published),
            updated: time(row.get::<_, Option<i64>>("updated")?.unwrap_or(published)),
            changed: time(row.get("changed")?),
            generation: row.get("generation")?,
            article,
        })
    }

    fn source(&mut self, id: i64) -> Result<Arc<Origin>, StoreError> {
        if let Some(source) = self.sources.get(&id) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(origin(self.connection, id)?);
        self.sources.insert(id, Arc::clone(&source));
        Ok(source)
    }

    /// The public articles that are translations of each other; none unless there are at least two languages.
    fn translations(&self, source: i64, key: Option<String>) -> Result<Vec<Translation>, StoreError> {
        let Some(key) = key else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT key, title, language FROM (
                 SELECT id, key, title, language, published FROM articles INDEXED BY articles_by_translation
                 WHERE source = ?1 AND translation_key = ?2 AND gone = 0 ORDER BY id LIMIT ?3
             ) WHERE language IS NOT NULL ORDER BY published, id",
        )?;
        let mut translations: Vec<Translation> = Vec::new();
        let mut rows = statement.query((source, key, MAX_TRANSLATIONS))?;
        while let Some(row) = rows.next()? {
            let (key, _) = key_and_title(row)?;
            let Some(language) = Language::parse(&row.get::<_, String>("language")?) else { continue };
            if !translations.iter().any(|other| other.language == language) {
                translations.push(Translation { language, key, title: row.get("title")? });
            }
        }
        Ok(if translations.len() > 1 { translations } else { Vec::new() })
    }
}

fn article(row: &Row<'_>) -> Result<Article, StoreError> {
    let mut article = details(&row.get::<_, String>("details")?)?;
    article.guid = row.get("guid")?;
    article.lead = row.get("lead")?;
    article.summary = row.get("summary")?;
    article.content = row.get("content")?;
    article.markdown = row.get("markdown")?;
    // The main language may come from elsewhere than the article itself: a default, a rule, its text.
    let main = row.get::<_, Option<String>>("language")?.as_deref().and_then(Language::parse);
    if article.languages.first() != main.as_ref() {
        article.languages = main.into_iter().collect();
    }
    Ok(article)
}

fn origin(connection: &Connection, id: i64) -> Result<Origin, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.kind, s.location, s.settings, s.info, t.slug, t.name FROM sources s JOIN terms t ON t.id = s.term WHERE s.id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| StoreError::Corrupt(format!("source {id} is not there")))?;
    let kind: String = row.get("kind")?;
    let kind = SourceKind::from_name(&kind).ok_or(StoreError::Corrupt(kind))?;
    let info: SourceInfo = serde_json::from_str(&row.get::<_, String>("info")?)?;
    let settings: SourceSettings = serde_json::from_str(&row.get::<_, String>("settings")?)?;
    let TermName { slug, name, .. } = term_name(Kind::Source as i64, row.get("slug")?, row.get("name")?)?;
    let feed = (kind == SourceKind::Feed && !settings.private).then(|| row.get("location")).transpose()?;
    Ok(Origin {
        slug,
        title: name,
        feed,
        home: info.home.or(settings.base_url),
        id: info.id,
        authors: info.authors,
        rights: info.rights,
        icon: info.icon,
    })
}

fn terms_of(connection: &Connection, article: i64) -> Result<Vec<(TermName, Origins)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.kind, t.slug, t.name, m.origins FROM memberships m JOIN terms t ON t.id = m.term
         WHERE m.article = ?1 AND m.gone = 0 AND t.deleted IS NULL ORDER BY t.kind = ?2 DESC, t.kind, m.position, t.slug",
    )?;
    let rows = statement.query_and_then((article, Kind::Category as i64), |row| {
        Ok((term_name(row.get(0)?, row.get(1)?, row.get(2)?)?, Origins::from_bits(row.get(3)?)))
    })?;
    rows.collect()
}

/// The number of an article by its key, or by one that it got later, and whether it is withdrawn.
pub(super) fn find(connection: &Connection, key: &ArticleKey) -> Result<Option<(Number, bool)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, gone != 0 FROM articles WHERE id = ifnull({}, (SELECT article FROM later_keys WHERE key = ?1))",
        with_key()
    ))?;
    Ok(statement.query_row((key.as_str(), hash_of(key)), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The article that has the key `?1`, whose hash is `?2`, as a subquery.
fn with_key() -> String {
    format!("(SELECT id FROM articles WHERE id IN {} AND key = ?1)", lookups::having("?2"))
}

fn hash_of(key: &ArticleKey) -> i64 {
    decide::short_hash(key.as_str())
}

/// What stands where a title is needed and there is none.
pub(super) fn shown_title(article: &Article) -> Option<String> {
    let text = || article.summary.as_ref().or(article.content.as_ref()).map(|html| text::excerpt(&text::plain(html), UNTITLED));
    article.title.clone().filter(|title| !title.is_empty()).or_else(text)
}

impl Sqlite {
    pub(in crate::store) fn headings(&self, source: SourceId, guids: Vec<String>) -> Result<HashMap<String, Heading>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT details ->> 'title', published FROM articles WHERE source = ?1 AND guid = ?2")?;
            let mut headings = HashMap::with_capacity(guids.len());
            for guid in guids {
                let heading = |row: &Row<'_>| Ok(Heading { title: row.get(0)?, published: row.get::<_, Option<i64>>(1)?.map(time) });
                let found = statement.query_row((source.0, &guid), heading).optional()?;
                headings.extend(found.map(|heading| (guid, heading)));
            }
            Ok(headings)
        })
    }

    pub(in crate::store) fn content(&self, source: SourceId, guid: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT b.content FROM articles a JOIN bodies b ON b.article = a.id WHERE a.source = ?1 AND a.guid = ?2")?;
            Ok(statement.query_row((source.0, guid), |row| row.get(0)).optional()?.flatten())
        })
    }

    pub(in crate::store) fn article(&self, key: &ArticleKey) -> Result<Lookup<Entry>, StoreError> {
        self.read(|connection| match find(connection, key)? {
            None => Ok(Lookup::Missing),
            Some((_, true)) => Ok(Lookup::Gone),
            Some((id, false)) => Loader::new(connection).entry(id.into()).map(Lookup::Found),
        })
    }

    pub(in crate::store) fn walk(&self, Reached(after): Reached, limit: usize) -> Result<(Vec<Entry>, Option<Reached>), StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM articles WHERE id > ?1 AND gone = 0 ORDER BY id LIMIT ?2")?;
            let ids = statement.query_map((after, limit), |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
            let mut loader = Loader::alone(connection);
            let entries = ids.iter().map(|id| loader.entry(*id)).collect::<Result<_, _>>()?;
            Ok((entries, ids.last().copied().map(Reached)))
        })
    }

    pub(in crate::store) fn neighbours(&self, key: &ArticleKey) -> Result<Neighbours, StoreError> {
        let found: Option<(Number, TermId)> = self.read(|connection| {
            let sql = format!("SELECT a.id, s.term FROM articles a JOIN sources s ON s.id = a.source WHERE a.id = {}", with_key());
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.query_row((key.as_str(), hash_of(key)), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })?;
        let Some((number, source)) = found else { return Ok(Neighbours::default()) };
        self.read_with_sets(&[source], |connection, sets| {
            let (previous, next) = sets.beside(source, number);
            let title = |number: Option<Number>| number.map(|number| title(connection, number)).transpose();
            Ok(Neighbours { previous: title(previous)?, next: title(next)? })
        })
    }

    pub(in crate::store) fn file(&self, key: &ArticleKey, name: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT f.media_type, f.bytes FROM attachments f JOIN articles a ON a.id = f.article
                 WHERE a.id = {} AND a.gone = 0 AND f.name = ?3",
                with_key()
            ))?;
            Ok(statement.query_row((key.as_str(), hash_of(key), name), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })
    }

    pub(in crate::store) fn newest_keys(&self, limit: usize) -> Result<Vec<(ArticleKey, Time)>, StoreError> {
        self.read_with_sets(&[], |connection, sets| {
            let mut statement = connection.prepare_cached("SELECT key, changed FROM articles WHERE id = ?1")?;
            let mut newest = Vec::new();
            for number in sets.newest_of_all(limit) {
                let (key, changed): (String, i64) = statement.query_one([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
                newest.push((article_key(&key)?, time(changed)));
            }
            Ok(newest)
        })
    }
}
