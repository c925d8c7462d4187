//! What stands at each URL: the store is asked, the output renders, and the validators are drawn from what is in it.

use super::document::{Document, Nature};
use super::{Door, Error};
use crate::model::{ArticleForm, ArticleKey, Document as Named, Entry, Format, Kind, Options, Selection, Target};
use crate::output::html::{self, ArticleView, Directory, ListView};
use crate::output::{self, opml, sitemap};
use crate::store::{Lookup, StoreError};

const HTML: &str = "text/html; charset=utf-8";
const OPML: &str = "text/x-opml; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

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

/// Makes the document of a target; `may_be_unknown`: a term that was never published matches nothing.
pub(super) async fn document(door: &Door, target: &Target, may_be_unknown: bool) -> Result<Document, Failure> {
    match target {
        Target::List { selection, options, format } => list(door, selection, options, *format, may_be_unknown).await,
        Target::Article(key, form) => article(door, key, *form).await,
        Target::File(key, name) => file(door, key, name).await,
        Target::Directory(kind) => directory(door, *kind).await,
        Target::Document(named) => named_document(door, *named).await,
    }
}

async fn list(
    door: &Door,
    selection: &Selection,
    options: &Options,
    format: Option<Format>,
    may_be_unknown: bool,
) -> Result<Document, Failure> {
    let page = match door.store.select(selection, options).await? {
        Lookup::Found(page) => page,
        Lookup::Moved(selection) => {
            return Err(Failure::Moved(Target::List { selection, options: options.clone(), format }.path()));
        }
        Lookup::Gone => return Err(Error::Gone.into()),
        Lookup::Missing => return Err(Error::Unknown(Vec::new()).into()),
    };
    // A language is known by its form alone.
    let is_unknown = page.terms.is_empty() && selection.single().is_some_and(|(kind, _)| kind != Kind::Language);
    if is_unknown && !may_be_unknown {
        return Err(unknown(door, selection).await.into());
    }
    let channel = output::channel(selection, options, &page, &door.site, door.store.id());
    let generation = page.entries.iter().map(|entry| entry.generation).max().unwrap_or_default();
    let document = match format {
        Some(format) => {
            let feed = output::feed(&channel, &page, options, &door.site, format).map_err(Error::from)?;
            Document::new(feed, format.media_type(), Nature::Feed, generation, Some(page.modified))
        }
        None => {
            let sidebar = door.store.sidebar().await?;
            let view = ListView { site: &door.site, selection, options, page: &page, channel: &channel, sidebar: &sidebar };
            // The page shows counts of other terms too, so the date of its selection is not its own.
            Document::new(html::list(&view), HTML, Nature::Page, generation, None)
        }
    };
    let own = door.site.link(&Target::List { selection: selection.clone(), options: options.clone(), format });
    let mut links = vec![format!("<{own}>; rel=\"self\"")];
    if format.is_some() {
        links.extend(channel.hub.iter().map(|hub| format!("<{hub}>; rel=\"hub\"")));
        links.push(format!("<{}>; rel=\"alternate\"; type=\"text/html\"", channel.page));
    }
    let others = Format::ALL.into_iter().filter(|other| Some(*other) != format);
    links.extend(others.map(|other| format!("<{}>; rel=\"alternate\"; type=\"{}\"", channel.url(other), plain_type(other))));
    Ok(document.with_links(links))
}

fn plain_type(format: Format) -> &'static str {
    format.media_type().split(';').next().unwrap_or_default()
}

async fn unknown(door: &Door, selection: &Selection) -> Error {
    let Some((kind, slug)) = selection.single() else { return Error::Unknown(Vec::new()) };
    match door.store.nearest(kind, slug).await {
        Ok(nearest) => Error::Unknown(nearest),
        Err(error) => error.into(),
    }
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
            Document::new(html::article(&view), HTML, Nature::Page, generation, None).with_links(links)
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
        html::directory(&Directory::Terms(kind, &door.store.directory(kind).await?), &sidebar, &door.site)
    };
    Ok(Document::new(page, HTML, Nature::Page, 0, None))
}

async fn named_document(door: &Door, named: Named) -> Result<Document, Failure> {
    let (store, site) = (&door.store, &door.site);
    let (text, media_type) = match named {
        Named::Sources => (opml::sources(&store.sources().await?, site), OPML),
        Named::Feeds => (opml::feeds(&store.directory(Kind::Category).await?, &store.directory(Kind::Tag).await?, site), OPML),
        Named::Robots => (sitemap::robots(site), TEXT),
        Named::Sitemap => (sitemap_of(door).await?, XML),
        Named::Favicon | Named::Liveness => return Err(Error::Unknown(Vec::new()).into()),
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
