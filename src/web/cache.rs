//! Published documents in memory, under a limit in bytes.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::{Cache as Quick, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::Mutex;

use super::document::Document;

/// All that may change a document, apart from its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    /// The generation of the store.
    pub(super) generation: u64,
    /// The generation up to which articles can be searched, where words are searched for.
    pub(super) indexed: Option<u64>,
    /// The hour since the epoch, in seconds, where the document moves with the clock.
    pub(super) hour: Option<i64>,
}

impl Stamp {
    /// Whether what was made at this stamp is as new as what would be made at another.
    fn is_as_new_as(&self, other: &Self) -> bool {
        self.generation >= other.generation && self.indexed >= other.indexed && self.hour == other.hour
    }
}

/// A document, and what it was last known to be right at.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) document: Arc<Document>,
    /// What was looked at to know so: while it stays the same, so does the document. `None`: nothing tells.
    pub(super) head: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Kept {
    held: Held,
    stamp: Stamp,
    /// In bytes, as it was when it was kept: a document grows by its codings.
    weight: u64,
}

impl Kept {
    fn new(held: Held, stamp: Stamp) -> Self {
        Self { weight: held.document.weight(), held, stamp }
    }
}

/// How large a document is taken to be when the cache is laid out.
const USUAL: u64 = 64 * 1024;
/// Documents that are made at once; of those that share a place one at a time.
const PLACES: usize = 256;

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<String, Kept> for Weight {
    fn weight(&self, path: &String, kept: &Kept) -> u64 {
        kept.weight + path.len() as u64
    }
}

/// The documents that were asked for, by canonical path: those that are asked for most.
#[derive(Debug)]
pub(super) struct Cache {
    documents: Quick<String, Kept, Weight>,
    makers: Vec<Mutex<()>>,
    places: RandomState,
}

impl Cache {
    pub(super) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX).max(16);
        let mut options = OptionsBuilder::new();
        // One shard: a document may take all of the memory, not a share of it that the number of cores decides.
        let options = options.estimated_items_capacity(items).weight_capacity(bytes).shards(1).build();
        // Only options that are left out make building fail, and none is.
        let documents = match options {
            Ok(options) => Quick::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default()),
            Err(_) => Quick::with_weighter(items, bytes, Weight),
        };
        Self { documents, makers: (0..PLACES).map(|_| Mutex::default()).collect(), places: RandomState::new() }
    }

    /// The document. If it is not there, or older than the stamp, `make` makes it, or finds that the old one is right.
    /// However many ask for it at once, one makes it.
    pub(super) async fn document<F: Future<Output = Result<Held, E>>, E>(
        &self,
        path: &str,
        stamp: Stamp,
        make: impl FnOnce(Option<Held>) -> F,
    ) -> Result<Arc<Document>, E> {
        if let Some(document) = self.get(path, &stamp) {
            return Ok(document);
        }
        let place = usize::try_from(self.places.hash_one(path) % PLACES as u64).unwrap_or_default();
        let _turn = self.makers[place].lock().await;
        if let Some(document) = self.get(path, &stamp) {
            return Ok(document);
        }
        let old = self.documents.get(path).map(|kept| kept.held);
        let held = make(old).await?;
        let document = Arc::clone(&held.document);
        self.documents.insert(path.to_owned(), Kept::new(held, stamp));
        Ok(document)
    }

    fn get(&self, path: &str, stamp: &Stamp) -> Option<Arc<Document>> {
        self.documents.get(path).filter(|kept| kept.stamp.is_as_new_as(stamp)).map(|kept| kept.held.document)
    }

    /// The document, if it is there, depends on the generation alone, and is right at this one.
    pub(super) fn current(&self, path: &str, generation: u64) -> Option<Arc<Document>> {
        let kept = self.documents.get(path)?;
        let is_current = kept.stamp.generation >= generation && kept.stamp.indexed.is_none() && kept.stamp.hour.is_none();
        is_current.then_some(kept.held.document)
    }

    /// How many documents there are, and how many bytes they take.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.documents.len() as u64, self.documents.weight())
    }

    /// Weighs a document again that has got another coding, if it is still there.
    pub(super) fn weigh(&self, path: &str, document: &Arc<Document>) {
        let is_it = |kept: &Kept| Arc::ptr_eq(&kept.held.document, document) && kept.weight != document.weight();
        if let Some(kept) = self.documents.peek(path).filter(is_it) {
            // If it was pushed out meanwhile, it need not come back.
            let _ = self.documents.replace(path.to_owned(), Kept::new(kept.held, kept.stamp), true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::headers::Nature;
    use super::*;

    fn stamp(generation: u64) -> Stamp {
        Stamp { generation, indexed: None, hour: None }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_a_thousand_who_ask_at_once_one_makes_the_document() {
        let (cache, count) = (Arc::new(Cache::new(1 << 20)), Arc::new(AtomicUsize::new(0)));
        for generation in [1, 2] {
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..1000 {
                let (cache, count) = (Arc::clone(&cache), Arc::clone(&count));
                asking.spawn(async move {
                    let make = |_| async {
                        count.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        Ok::<_, ()>(Held { document: Document::new("x", "text/plain", Nature::Feed, 1, None).into(), head: None })
                    };
                    cache.document("/feed.rss", stamp(generation), make).await.unwrap()
                });
            }
            let documents = asking.join_all().await;
            assert!(documents.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1])));
            assert_eq!(count.load(Ordering::Relaxed) as u64, generation, "once for each generation");
        }
    }

    #[tokio::test]
    async fn a_document_that_grows_is_weighed_again() {
        let cache = Cache::new(8 << 20);
        let body = "條目 entry ".repeat(20_000);
        for path in 0..100 {
            let make = |_| async {
                Ok::<_, ()>(Held { document: Document::new(body.clone(), "text/plain", Nature::Feed, 1, None).into(), head: None })
            };
            let path = path.to_string();
            let document = cache.document(&path, stamp(1), make).await.unwrap();
            let before = cache.documents.weight();
            document.make(crate::web::coding::Coding::Gzip);
            cache.weigh(&path, &document);
            assert!(cache.documents.weight() != before && cache.documents.weight() <= 8 << 20);
        }
    }
}
