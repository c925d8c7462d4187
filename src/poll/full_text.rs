//! Full texts: the pages of a reading's new articles, asked for one by one, as politely as feeds.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use url::Url;

use super::read::Reader;
use super::schedule;
use crate::model::{Article, Batch, FullText, Host, Link, Problem, Source, Time, is_web, text};
use crate::source::fetch::FetchError;
use crate::source::full_text::{self, PageError};
use crate::store::{Store, StoreError};

/// Pages that one reading asks for; a later one goes on.
const PAGES: usize = 20;
/// How long a reading goes on asking: well within its lease.
const PATIENCE: Duration = Duration::from_mins(5);

/// One round over the pages of a reading.
struct Round<'a> {
    reader: &'a Reader,
    store: &'a Store,
    source: &'a Source,
    now: Time,
    started: Instant,
}

impl Reader {
    /// Gives the new and changed articles of a batch their full texts, if their source wishes for that.
    pub(super) async fn complete(&self, store: &Store, source: &Source, batch: &mut Batch, now: Time) -> Result<(), StoreError> {
        if !source.settings.full_text || batch.articles.is_empty() {
            return Ok(());
        }
        let articles = std::mem::take(&mut batch.articles);
        batch.articles = store.settle_full_texts(source.id, articles, batch.info.clone()).await?;
        let round = Round { reader: self, store, source, now, started: Instant::now() };
        let mut unasked: Vec<&mut Article> = batch.articles.iter_mut().filter(|article| article.full_text == FullText::Unasked).collect();
        // What cannot be asked for now should be the oldest.
        unasked.sort_by_key(|article| Reverse(article.published.unwrap_or(now)));
        let mut pages = 0;
        for article in unasked {
            let Some(page) = page_of(article) else {
                article.full_text = FullText::Settled;
                continue;
            };
            pages += 1;
            article.full_text = if pages > PAGES { FullText::Later } else { round.ask(&page, article, &mut batch.repairs).await? };
        }
        if batch.articles.iter().any(|article| article.full_text == FullText::Later) {
            // The next answer has to be the whole document again, or nobody would remember who is left.
            (batch.memory.etag, batch.memory.last_modified) = (None, None);
        }
        Ok(())
    }
}

/// Where the text of an article may stand: not at the front page of a host.
fn page_of(article: &Article) -> Option<Url> {
    let Link::At(link) = &article.link else { return None };
    let url = Url::parse(link).ok().filter(is_web)?;
    (url.path() != "/" || url.query().is_some()).then_some(url)
}

impl Round<'_> {
    fn clock(&self) -> Time {
        self.now + schedule::delta(self.started.elapsed())
    }

    /// Asks for one page, when its host may be asked.
    async fn ask(&self, page: &Url, article: &Article, repairs: &mut Vec<Problem>) -> Result<FullText, StoreError> {
        let Some(host) = Host::of(page) else { return Ok(FullText::Later) };
        let patience = PATIENCE.saturating_sub(self.started.elapsed());
        if self.reader.take_host(self.store, &host, patience, self.clock()).await?.is_some() {
            return Ok(FullText::Later);
        }
        let own = article.content.as_deref();
        let read = full_text::read(self.source, page, own, &self.reader.client_of(self.store, self.clock()), self.clock()).await;
        let failure = if let Err(PageError::Fetch(error)) = &read { Some(error) } else { None };
        let busy = failure.and_then(FetchError::busy_host);
        let is_busy = busy.is_some() || failure.is_some_and(FetchError::is_crowded);
        self.reader.leave_host(self.store, host, busy, self.clock()).await;
        let reason = match read {
            _ if is_busy => return Ok(FullText::Later),
            Ok(html) => return Ok(FullText::Read(html)),
            Err(error) => text::chain(&error),
        };
        let place = article.title.clone().unwrap_or_else(|| article.guid.clone());
        repairs.push(Problem { place, line: None, reason: format!("the feed's own content is kept: {reason}") });
        Ok(FullText::Settled)
    }
}
