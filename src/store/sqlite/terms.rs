//! Terms: categories, tags, languages, sources and authors, under all of their names.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Change, Sqlite, StoreError, articles};
use crate::model::rule::Aliases;
use crate::model::{Kind, MenuLink, Policy, Sidebar, Slug, Term, TermDescription, TermName};

/// How many categories the sidebar shows; it is on every page.
const SIDEBAR_CATEGORIES: usize = 200;
/// How many tags it shows.
const SIDEBAR_TAGS: usize = 40;
/// How many of the newest articles it shows.
const SIDEBAR_RECENT: usize = 8;
/// How many links a menu has.
const MENU_LINKS: usize = 50;
/// How many articles are looked at for the menus, the first stored: a template may put all of a site in one.
const MENU_ARTICLES: usize = 1_000;
/// How many names are suggested for one that is not there.
const SUGGESTIONS: usize = 5;
/// How many of the largest are compared with it, and how many that begin as it does.
const LOOKED_AT: usize = 1_000;

/// So many names are known at once.
const MOST_NAMES: usize = 10_000;

/// The number of a term in the database.
pub(super) type TermId = i64;

const COLUMNS: &str = "kind, slug, name, title, description, picture, articles";

/// The kind as it is stored: its position in [`Kind::ALL`].
pub(super) const fn kind_number(kind: Kind) -> i64 {
    kind as i64
}

pub(super) fn kind_from(number: i64) -> Result<Kind, StoreError> {
    let position = usize::try_from(number).ok();
    position
        .and_then(|position| Kind::ALL.get(position))
        .copied()
        .ok_or_else(|| StoreError::Corrupt(format!("the kind {number} of a term")))
}

pub(super) fn term_name(kind: i64, slug: String, name: String) -> Result<TermName, StoreError> {
    Ok(TermName { kind: kind_from(kind)?, slug: Slug::from_canonical(slug), name })
}

fn term(row: &Row<'_>) -> Result<Term, StoreError> {
    Ok(Term {
        name: term_name(row.get("kind")?, row.get("slug")?, row.get("name")?)?,
        title: row.get("title")?,
        description: row.get("description")?,
        picture: row.get("picture")?,
        articles: row.get("articles")?,
    })
}

fn terms(connection: &Connection, tail: &str, parameters: impl rusqlite::Params) -> Result<Vec<Term>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM terms {tail}"))?;
    statement.query_and_then(parameters, term)?.collect()
}

/// What became of a term that has a slug.
pub(super) struct Known {
    pub(super) id: TermId,
    pub(super) slug: Slug,
    pub(super) name: String,
    pub(super) is_deleted: bool,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) generation: u64,
}

/// The term of a slug, or the one that its alias stands for.
pub(super) fn find(connection: &Connection, kind: Kind, slug: &Slug) -> Result<Option<Known>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.id, t.slug, t.name, t.deleted IS NOT NULL, t.created, t.modified, t.generation
         FROM terms named JOIN terms t ON t.id = ifnull(named.alias_of, named.id)
         WHERE named.kind = ?1 AND named.slug = ?2",
    )?;
    let known = statement.query_row((kind_number(kind), slug.as_str()), |row| {
        Ok(Known {
            id: row.get(0)?,
            slug: Slug::from_canonical(row.get::<_, String>(1)?),
            name: row.get(2)?,
            is_deleted: row.get(3)?,
            created: row.get(4)?,
            modified: row.get(5)?,
            generation: row.get(6)?,
        })
    });
    Ok(known.optional()?)
}

/// What tags and categories were merged into.
pub(super) fn aliases(connection: &Connection) -> Result<Aliases, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.kind, a.slug, t.slug, t.name FROM terms a INDEXED BY terms_by_target JOIN terms t ON t.id = a.alias_of
         WHERE a.alias_of IS NOT NULL AND a.kind IN (?1, ?2)",
    )?;
    let rows = statement.query_and_then((kind_number(Kind::Tag), kind_number(Kind::Category)), |row| {
        let slug = |place| Ok::<_, StoreError>(Slug::from_canonical(row.get::<_, String>(place)?));
        Ok(((kind_from(row.get(0)?)?, slug(1)?), (slug(2)?, row.get(3)?)))
    })?;
    rows.collect()
}

/// The same for rules that judge what comes in; where there are none nobody asks.
pub(super) fn aliases_for(connection: &Connection, policy: &Policy) -> Result<Aliases, StoreError> {
    if policy.rules.is_empty() { Ok(Aliases::default()) } else { aliases(connection) }
}

/// Reads one term with its own words.
pub(super) fn described(connection: &Connection, id: TermId) -> Result<Option<Term>, StoreError> {
    Ok(terms(connection, "WHERE id = ?1", [id])?.pop())
}

/// The terms that a chunk of articles touches: found or made once, changed once when the chunk ends.
#[derive(Default)]
pub(super) struct Touched {
    names: Names,
    growth: BTreeMap<TermId, i64>,
}

/// The terms that names lead to, as of a generation.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<(Kind, Slug), Named>,
    generation: u64,
}

/// The term that a name leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) id: TermId,
    /// It was deleted on purpose: its memberships are kept up, and not shown until it is restored.
    pub(super) is_hidden: bool,
}

impl Names {
    /// Goes with a change that did to no name anything.
    pub(super) fn follow(&mut self, change: &Change<'_>) {
        if self.generation == change.before() {
            self.generation = change.after();
        }
    }
}

impl Touched {
    /// With the names that an earlier chunk left, if nothing was written since.
    pub(super) fn knowing(names: Names, change: &Change<'_>) -> Self {
        let is_current = names.generation == change.before();
        Self { names: if is_current { names } else { Names::default() }, growth: BTreeMap::new() }
    }

    /// The term of a slug, made if it is new.
    pub(super) fn term(&mut self, change: &mut Change<'_>, kind: Kind, slug: &Slug, name: &str) -> Result<Named, StoreError> {
        let name_of = (kind, slug.clone());
        if let Some(named) = self.names.known.get(&name_of) {
            return Ok(*named);
        }
        let named = match find(change.transaction, kind, slug)? {
            Some(known) => Named { id: known.id, is_hidden: known.is_deleted && kind != Kind::Source },
            None => Named { id: make(change, kind, slug, name)?, is_hidden: false },
        };
        if self.names.known.len() >= MOST_NAMES {
            self.names.known.clear();
        }
        self.names.known.insert(name_of, named);
        Ok(named)
    }

    /// Notes that an article changed for all terms that it has.
    pub(super) fn all_of(&mut self, connection: &Connection, article: i64) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached("SELECT term FROM memberships WHERE article = ?1 AND gone = 0")?;
        let mut rows = statement.query([article])?;
        while let Some(row) = rows.next()? {
            self.touch(row.get(0)?, 0);
        }
        Ok(())
    }

    /// Notes that a term's articles changed, and by how many it has more.
    pub(super) fn touch(&mut self, term: TermId, more: i64) {
        *self.growth.entry(term).or_default() += more;
    }

    /// Writes what was noted; gives the names for the next chunk.
    pub(super) fn write(self, change: &mut Change<'_>) -> Result<Names, StoreError> {
        if self.growth.is_empty() {
            return Ok(self.names);
        }
        let generation = change.generation()?;
        let mut statement = change
            .transaction
            .prepare_cached("UPDATE terms SET articles = articles + ?2, modified = max(modified, ?3), generation = ?4 WHERE id = ?1")?;
        for (term, more) in self.growth {
            statement.execute((term, more, change.now.timestamp(), generation))?;
        }
        Ok(Names { generation, ..self.names })
    }
}

pub(super) fn make(change: &mut Change<'_>, kind: Kind, slug: &Slug, name: &str) -> Result<TermId, StoreError> {
    let generation = change.generation()?;
    change
        .transaction
        .prepare_cached("INSERT INTO terms (kind, slug, name, created, modified, generation) VALUES (?1, ?2, ?3, ?4, ?4, ?5)")?
        .execute((kind_number(kind), slug.as_str(), name.trim(), change.now.timestamp(), generation))?;
    Ok(change.transaction.last_insert_rowid())
}

/// Gives a term the words that its folder's `_index.md` has for it, unless somebody described it by hand.
pub(super) fn describe(change: &mut Change<'_>, description: &TermDescription) -> Result<(), StoreError> {
    let slug = Slug::from_name(&description.name);
    let id = match find(change.transaction, description.kind, &slug)? {
        Some(known) => known.id,
        None => make(change, description.kind, &slug, &description.name)?,
    };
    let by_hand =
        change.transaction.prepare_cached("SELECT by_hand FROM terms WHERE id = ?1")?.query_row([id], |row| row.get::<_, bool>(0))?;
    if by_hand { Ok(()) } else { write_words(change, id, description) }
}

/// Writes the words of a term, where they differ.
pub(super) fn write_words(change: &mut Change<'_>, id: TermId, words: &TermDescription) -> Result<(), StoreError> {
    let is_same: bool = change
        .transaction
        .prepare_cached("SELECT title IS ?2 AND description IS ?3 AND picture IS ?4 FROM terms WHERE id = ?1")?
        .query_row((id, &words.title, &words.description, &words.picture), |row| row.get(0))?;
    if !is_same {
        let generation = change.generation()?;
        change
            .transaction
            .prepare_cached(
                "UPDATE terms SET title = ?2, description = ?3, picture = ?4, modified = max(modified, ?5), generation = ?6 WHERE id = ?1",
            )?
            .execute((id, &words.title, &words.description, &words.picture, change.now.timestamp(), generation))?;
    }
    Ok(())
}

/// Published terms, those with most articles first.
fn largest(connection: &Connection, kind: Kind, limit: usize) -> Result<Vec<Term>, StoreError> {
    let tail = "WHERE kind = ?1 AND articles > 0 AND deleted IS NULL ORDER BY articles DESC, slug LIMIT ?2";
    terms(connection, tail, (kind_number(kind), limit))
}

/// The published terms whose names are most like one that is not there, among the largest and those that begin as it does:
/// to look at all would let whoever asks for what is not there take a core's time.
pub(super) fn nearest(connection: &Connection, kind: Kind, slug: &Slug) -> Result<Vec<Term>, StoreError> {
    let mut known = largest(connection, kind, LOOKED_AT)?;
    let start: String = slug.as_str().chars().take(1).collect();
    let tail = "WHERE kind = ?1 AND articles > 0 AND deleted IS NULL AND slug BETWEEN ?2 AND ?2 || char(0x10ffff) LIMIT ?3";
    known.extend(terms(connection, tail, (kind_number(kind), start, LOOKED_AT))?);
    let likeness = |term: Term| (strsim::jaro_winkler(term.name.slug.as_str(), slug.as_str()), term);
    let mut alike: Vec<(f64, Term)> = known.into_iter().map(likeness).filter(|(likeness, _)| *likeness > 0.6).collect();
    alike.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.name.slug.cmp(&other.name.slug)));
    alike.dedup_by(|(_, one), (_, other)| one.name.slug == other.name.slug);
    Ok(alike.into_iter().take(SUGGESTIONS).map(|(_, term)| term).collect())
}

impl Sqlite {
    pub(in crate::store) fn directory(&self, kind: Kind) -> Result<Vec<Term>, StoreError> {
        let tail = "WHERE kind = ?1 AND articles > 0 AND deleted IS NULL ORDER BY slug";
        self.read(|connection| terms(connection, tail, [kind_number(kind)]))
    }

    pub(in crate::store) fn largest(&self, kind: Kind, limit: usize) -> Result<Vec<Term>, StoreError> {
        self.read(|connection| largest(connection, kind, limit))
    }

    pub(in crate::store) fn nearest(&self, kind: Kind, slug: &Slug) -> Result<Vec<Term>, StoreError> {
        self.read(|connection| nearest(connection, kind, slug))
    }

    pub(in crate::store) fn sidebar(&self) -> Result<Sidebar, StoreError> {
        self.read_with_sets(&[], |connection, sets| {
            let largest = |kind, limit| largest(connection, kind, limit);
            Ok(Sidebar {
                categories: largest(Kind::Category, SIDEBAR_CATEGORIES)?,
                tags: largest(Kind::Tag, SIDEBAR_TAGS)?,
                languages: largest(Kind::Language, SIDEBAR_TAGS)?,
                menus: menus(connection)?,
                recent: sets
                    .newest_of_all(SIDEBAR_RECENT)
                    .iter()
                    .map(|number| articles::title(connection, *number))
                    .collect::<Result<_, _>>()?,
            })
        })
    }
}

/// The menus of the site, each in order of weight, then of title.
fn menus(connection: &Connection) -> Result<Vec<(String, Vec<MenuLink>)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT key, title, details FROM articles WHERE in_menu = 1 AND gone = 0 ORDER BY id LIMIT ?1")?;
    let mut menus: BTreeMap<String, Vec<(i64, MenuLink)>> = BTreeMap::new();
    let mut rows = statement.query([MENU_ARTICLES])?;
    while let Some(row) = rows.next()? {
        let (key, title) = articles::key_and_title(row)?;
        let article = articles::details(&row.get::<_, String>("details")?)?;
        for entry in article.page.menus {
            let link = MenuLink { key: key.clone(), title: entry.name.unwrap_or_else(|| title.clone()) };
            menus.entry(entry.menu).or_default().push((entry.weight, link));
        }
    }
    let in_order = |mut links: Vec<(i64, MenuLink)>| {
        links.sort_by(|a, b| (a.0, &a.1.title).cmp(&(b.0, &b.1.title)));
        links.into_iter().take(MENU_LINKS).map(|(_, link)| link).collect()
    };
    Ok(menus.into_iter().map(|(menu, links)| (menu, in_order(links))).collect())
}
