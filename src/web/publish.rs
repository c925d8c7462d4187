//! What stands at each URL: the store is asked, the output renders, and the validators are drawn from what is in it.

use std::sync::Arc;

use super::cache::{Held, Stamp};
use super::document::Document;
use super::headers::Nature;
use super::{Door, Error, fill, stitch};
use crate::model::{
    ArticleForm, ArticleKey, Dated, Document as Named, Entry, Format, History, Kind, Options, Page, Piece, Selection, Target, Time, Window,
    full_hour,
};
use crate::output::html::{self, ArticleView, Directory, ListView};
use crate::output::{self, Channel, Extent, opensearch, opml, sitemap};
use crate::store::{Lookup, StoreError};

const HTML: &str = "text/html; charset=utf-8";
const OPML: &str = "text/x-opml; charset=utf-8";
const OPENSEARCH: &str = "application/opensearchdescription+xml; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// How many events the log shows.
const EVENTS: usize = 50;

/// How many bytes of a document's head its links may take: proxies refuse large heads, nginx one of more than four kilobytes.
const MAX_LINKS: usize = 2_500;

/// Why there is no document.
pub(super) enum Failure {
    /// It has another address now.
    Moved(String),
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Makes the document of a target, or finds that the one held before is still right.
pub(super) async fn held(door: &Door, target: &Target, stamp: Stamp, now: Time, old: Option<Held>) -> Result<Held, Failure> {
    if let (None, Target::List { selection, options, format: Some(format) }) = (&old, target)
        && options.is_plain()
    {
        let (document, terms) = stitched(door, selection, options, *format, false, now).await?;
        door.metrics.made();
        return Ok(Held { document: Arc::new(document), head: Some(depends_on(&terms, stamp)) });
    }
    let head = head(door, target, stamp).await?;
    match old {
        Some(old) if head.is_some() && old.head == head => Ok(old),
        old => {
            let document = document(door, target, false, now).await?;
            door.metrics.made();
            let same = old.map(|old| old.document).filter(|old| old.tag() == document.tag());
            Ok(Held { document: same.unwrap_or_else(|| Arc::new(document)), head })
        }
    }
}

/// What a feed depends on, in short: while it is the same, so is the feed. `None`: nothing short tells.
async fn head(door: &Door, target: &Target, stamp: Stamp) -> Result<Option<Arc<str>>, Failure> {
    let Target::List { selection, format: Some(_), .. } = target else { return Ok(None) };
    let terms = door.store.stamp(meant(door, selection)?).await?;
    Ok(Some(depends_on(&terms, stamp)))
}

fn depends_on(terms: &str, stamp: Stamp) -> Arc<str> {
    format!("{terms} {:?} {:?}", stamp.indexed, stamp.hour).into()
}

/// Makes the document of a target; `may_be_unknown`: a term that was never published matches nothing.
pub(super) async fn document(door: &Door, target: &Target, may_be_unknown: bool, now: Time) -> Result<Document, Failure> {
    match target {
        Target::List { selection, options, format: Some(format) } if options.is_plain() => {
            stitched(door, selection, options, *format, may_be_unknown, now).await.map(|(document, _)| document)
        }
        Target::List { selection, options, format } => list(door, selection, options, *format, may_be_unknown, now).await,
        Target::Article(key, form) => article(door, key, *form).await,
        Target::File(key, name) => file(door, key, name).await,
        Target::Directory(kind) => directory(door, *kind).await,
        Target::Health(format) => health(door, *format).await,
        Target::Document(named) => named_document(door, *named).await,
    }
}

/// The selection that is meant: what a named feed stands for.
pub(super) fn meant<'a>(door: &'a Door, selection: &'a Selection) -> Result<&'a Selection, Error> {
    door.site.meant(selection).ok_or_else(|| Error::Unknown(Vec::new()))
}

/// Finds a list by asking the store; an alias in the configuration of a named feed is followed, in a URL it is redirected.
async fn found_list<E, F: Future<Output = Result<Lookup<Page<E>>, StoreError>>>(
    door: &Door,
    (selection, options, format): (&Selection, &Options, Option<Format>),
    may_be_unknown: bool,
    ask: impl Fn(Selection) -> F,
) -> Result<Page<E>, Failure> {
    let moved = |selection, options| Failure::Moved(Target::List { selection, options, format }.path());
    let mut meant = meant(door, selection)?.clone();
    let page = loop {
        match ask(meant).await? {
            Lookup::Found(page) => break page,
            Lookup::Moved(other) if selection.name.is_some() => meant = other,
            Lookup::Moved(selection) => return Err(moved(selection, options.clone())),
            Lookup::Gone => return Err(Error::Gone.into()),
            Lookup::Missing => return Err(Error::Unknown(Vec::new()).into()),
        }
    };
    if let History::Moved(archive) = page.history {
        return Err(moved(selection.clone(), Options { archive: Some(archive), ..options.clone() }));
    }
    // A language is known by its form alone.
    if let Some((kind, slug)) = selection.single()
        && page.terms.is_empty()
        && kind != Kind::Language
        && !may_be_unknown
    {
        return Err(Error::Unpublished(kind, slug.clone()).into());
    }
    Ok(page)
}

/// A list whose articles are rendered for it.
async fn list(
    door: &Door,
    selection: &Selection,
    options: &Options,
    format: Option<Format>,
    may_be_unknown: bool,
    now: Time,
) -> Result<Document, Failure> {
    let window = window(door, selection, now)?;
    let ask = |meant: Selection| async move {
        match options.digest {
            Some(period) => door.store.digest(&meant, options, window, period, door.site.zone, now).await,
            None => door.store.select(&meant, options, window).await,
        }
    };
    let mut page = found_list(door, (selection, options, format), may_be_unknown, ask).await?;
    let mut channel = output::channel(selection, options, &page, &door.site, door.store.id());
    if let Some(period) = options.digest {
        page = output::digest(page, period, selection, &channel, &door.site);
        channel.updated = page.entries.first().map_or(page.created, |issue| issue.changed);
    }
    let document = match format {
        Some(format) => feed(door, &channel, &page, options, format, modified(door, selection, options, page.modified, now)?)?,
        None => {
            let sidebar = door.store.sidebar().await?;
            let view = ListView { site: &door.site, selection, options, page: &page, channel: &channel, sidebar: &sidebar };
            // The page shows counts of other terms too, so the date of its selection is not its own.
            Document::new(html::list(&view), HTML, Nature::Page, generation(&page), None)
        }
    };
    Ok(document.with_links(&links(door, &channel, selection, options, format)))
}

/// A feed that is put together of what was made of its articles before; what is missing of that is made now, and kept. With
/// it comes what its terms are like.
async fn stitched(
    door: &Door,
    selection: &Selection,
    options: &Options,
    format: Format,
    may_be_unknown: bool,
    now: Time,
) -> Result<(Document, String), Failure> {
    let (window, since) = (window(door, selection, now)?, door.store.generation());
    let ask = |meant: Selection| async move { door.store.pieces(&meant, options, window, format, door.look).await };
    let page = found_list(door, (selection, options, Some(format)), may_be_unknown, ask).await?;
    let (site, store) = (&door.site, door.store.id());
    let mut made = Vec::new();
    let page = page.try_map(|piece| match piece {
        Piece::Made(fragment) => Ok(fragment),
        Piece::Unmade(id, entry) => {
            fill::fragment(&entry, &store, site, format).inspect(|fragment| made.push((id, format, fragment.clone())))
        }
    })?;
    if !made.is_empty() {
        let (store, look) = (door.store.clone(), door.look);
        // What is not kept is made again.
        door.do_aside(async move {
            if let Err(error) = store.keep(made, look, since).await {
                tracing::warn!(%error, "cannot keep what was prepared for feeds");
            }
        });
    }
    let channel = output::channel(selection, options, &page, site, store);
    let used = page.entries.iter().fold(0, |used, fragment| used | fragment.namespaces);
    let frame = output::frame(&channel, used, site, format).map_err(Error::from)?;
    let gzip = stitch::gzip(&frame, &page.entries).map_err(Error::from)?;
    let digest = stitch::digest(&frame, &page.entries);
    let modified = modified(door, selection, options, page.modified, now)?;
    let document = Document::stitched(gzip, &digest, format.media_type(), nature(&channel), generation(&page), Some(modified));
    let document = document.with_links(&links(door, &channel, selection, options, Some(format)));
    Ok((document, page.stamp))
}

/// The links of a list's headers: itself, its hub, its archive, its other formats, those alone that fit. The document has
/// all of them.
fn links(door: &Door, channel: &Channel, selection: &Selection, options: &Options, format: Option<Format>) -> Vec<String> {
    let own = door.site.link(&Target::List { selection: selection.clone(), options: options.clone(), format });
    let mut links = vec![format!("<{own}>; rel=\"self\"")];
    if let Some(format) = format {
        links.extend(channel.hub.iter().map(|hub| format!("<{hub}>; rel=\"hub\"")));
        links.extend(channel.archive[format as usize].iter().map(|(relation, url)| format!("<{url}>; rel=\"{relation}\"")));
        links.push(format!("<{}>; rel=\"alternate\"; type=\"text/html\"", channel.page));
    }
    let others = Format::ALL.into_iter().filter(|other| Some(*other) != format);
    links.extend(others.map(|other| format!("<{}>; rel=\"alternate\"; type=\"{}\"", channel.url(other), other.plain_media_type())));
    let mut left = MAX_LINKS;
    links.retain(|link| {
        let fits = link.len() <= left;
        left -= if fits { link.len() } else { 0 };
        fits
    });
    links
}

fn window(door: &Door, selection: &Selection, now: Time) -> Result<Window, Error> {
    let meant = meant(door, selection)?;
    Ok(Window::between(meant.since, meant.until, door.site.zone, now))
}

fn feed(door: &Door, channel: &Channel, page: &Page, options: &Options, format: Format, modified: Time) -> Result<Document, Error> {
    let bytes = output::feed(channel, page, options, &door.site, format)?;
    Ok(Document::new(bytes, format.media_type(), nature(channel), generation(page), Some(modified)))
}

fn nature(channel: &Channel) -> Nature {
    if channel.extent == Some(Extent::Archive) { Nature::Archive } else { Nature::Feed }
}

/// The highest generation of what is in a document.
fn generation<E: Dated>(page: &Page<E>) -> u64 {
    let withdrawn = page.tombstones.iter().map(|tombstone| tombstone.generation);
    page.entries.iter().map(Dated::generation).chain(withdrawn).max().unwrap_or_default()
}

/// When a document last changed: what moves with the clock changes with it.
fn modified(door: &Door, selection: &Selection, options: &Options, modified: Time, now: Time) -> Result<Time, Error> {
    let moves = meant(door, selection)?.is_relative() || options.digest.is_some();
    Ok(if moves { modified.max(full_hour(now)) } else { modified })
}

/// What changed in a feed since a generation, as a document; `None` if that is nothing, too much, or not to be told.
pub(super) async fn delta(door: &Door, target: &Target, since: u64, now: Time) -> Result<Option<Document>, Failure> {
    let Target::List { selection, options, format: Some(format) } = target else { return Ok(None) };
    let meant = meant(door, selection)?;
    if meant.is_relative() || meant.words.is_some() || options.archive.is_some() || options.digest.is_some() || options.per_source.is_some()
    {
        return Ok(None);
    }
    let Lookup::Found(page) = door.store.delta(meant, options, window(door, selection, now)?, since).await? else { return Ok(None) };
    if page.entries.is_empty() && page.tombstones.is_empty() {
        return Ok(None);
    }
    let channel = output::channel(selection, options, &page, &door.site, door.store.id());
    Ok(Some(feed(door, &channel, &page, options, *format, page.modified)?))
}

async fn found(door: &Door, key: &ArticleKey) -> Result<Entry, Failure> {
    match door.store.article(key).await? {
        Lookup::Found(entry) => Ok(entry),
        Lookup::Gone => Err(Error::Gone.into()),
        _ => Err(Error::Unknown(Vec::new()).into()),
    }
}

async fn article(door: &Door, key: &ArticleKey, form: ArticleForm) -> Result<Document, Failure> {
    let entry = found(door, key).await?;
    if entry.key != *key {
        return Err(Failure::Moved(Target::Article(entry.key, form).path()));
    }
    let site = &door.site;
    let (generation, changed) = (entry.generation, Some(entry.changed));
    let link = |rel: &str, form, media_type: &str| {
        let url = site.link(&Target::Article(key.clone(), form));
        format!("<{url}>; rel=\"{rel}\"; type=\"{media_type}\"")
    };
    let document = match form {
        ArticleForm::Page => {
            let (neighbours, sidebar) = (door.store.neighbours(key).await?, door.store.sidebar().await?);
            let view = ArticleView { site, entry: &entry, neighbours: &neighbours, sidebar: &sidebar };
            let links = vec![
                link("alternate", ArticleForm::Json, "application/feed+json"),
                link("alternate", ArticleForm::Markdown, "text/markdown"),
            ];
            Document::new(html::article(&view), HTML, Nature::Page, generation, None).with_links(&links)
        }
        ArticleForm::Json => {
            let feed = output::article_feed(&entry, site).map_err(Error::from)?;
            Document::new(feed, Format::Json.media_type(), Nature::Feed, generation, changed)
        }
        ArticleForm::Markdown => Document::new(output::markdown::article(&entry, site), MARKDOWN, Nature::Feed, generation, changed),
    };
    Ok(document)
}

async fn file(door: &Door, key: &ArticleKey, name: &str) -> Result<Document, Failure> {
    match door.store.file(key, name).await? {
        Some((media_type, bytes)) => Ok(Document::new(bytes, media_type, Nature::File, 0, None)),
        None => {
            found(door, key).await?;
            Err(Error::Unknown(Vec::new()).into())
        }
    }
}

async fn directory(door: &Door, kind: Kind) -> Result<Document, Failure> {
    let sidebar = door.store.sidebar().await?;
    let page = if kind == Kind::Source {
        html::directory(&Directory::Sources(&door.store.sources().await?), &sidebar, &door.site)
    } else {
        let mut terms = door.store.largest(kind, html::LISTED + 1).await?;
        let are_more = terms.len() > html::LISTED;
        terms.truncate(html::LISTED);
        terms.sort_by(|a, b| a.name.slug.cmp(&b.name.slug));
        html::directory(&Directory::Terms { kind, terms: &terms, are_more }, &sidebar, &door.site)
    };
    Ok(Document::new(page, HTML, Nature::Page, 0, None))
}

/// The log of events; its number is that of the newest, whatever the generation.
async fn health(door: &Door, format: Option<Format>) -> Result<Document, Failure> {
    let health = door.store.health(EVENTS).await?;
    let (site, store, updated) = (&door.site, door.store.id(), output::health::updated(&health));
    Ok(match format {
        Some(format) => {
            let feed = output::health::document(&health, site, store, format).map_err(Error::from)?;
            let own = site.link(&Target::Health(Some(format)));
            let page = site.link(&Target::Health(None));
            let links = vec![format!("<{own}>; rel=\"self\""), format!("<{page}>; rel=\"alternate\"; type=\"text/html\"")];
            Document::new(feed, format.media_type(), Nature::Feed, health.stamp, Some(updated)).with_links(&links)
        }
        None => Document::new(html::health(&health, &door.store.sidebar().await?, site, store), HTML, Nature::Page, health.stamp, None),
    })
}

async fn named_document(door: &Door, named: Named) -> Result<Document, Failure> {
    let (store, site) = (&door.store, &door.site);
    let (text, media_type) = match named {
        Named::Sources => (opml::sources(&store.sources().await?, opml::Addresses::Public, site), OPML),
        Named::Feeds => (opml::feeds(&store.directory(Kind::Category).await?, &store.directory(Kind::Tag).await?, site), OPML),
        Named::OpenSearch => (opensearch::opensearch(site), OPENSEARCH),
        Named::Robots => (sitemap::robots(site), TEXT),
        Named::Sitemap => (sitemap_of(door).await?, XML),
        Named::Favicon | Named::Liveness | Named::Metrics => return Err(Error::Unknown(Vec::new()).into()),
    };
    Ok(Document::new(text, media_type, Nature::Plain, 0, None))
}

async fn sitemap_of(door: &Door) -> Result<String, StoreError> {
    let mut terms = Vec::new();
    for kind in [Kind::Category, Kind::Tag, Kind::Source, Kind::Language, Kind::Author] {
        terms.extend(door.store.directory(kind).await?);
    }
    let articles = door.store.newest_keys(sitemap::MAX_URLS).await?;
    Ok(sitemap::sitemap(&terms, &articles, &door.site))
}
