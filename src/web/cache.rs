//! Published documents in memory, under a limit in bytes.

use std::sync::Arc;

use quick_cache::sync::{Cache as Quick, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::document::Document;

/// A document's canonical path, and what it was made at.
type Key = (String, Stamp);

/// All that may change a document, apart from its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    /// The generation of the store.
    pub(super) generation: u64,
    /// The generation up to which articles can be searched, where words are searched for.
    pub(super) indexed: u64,
    /// The hour since the epoch, where the document moves with the clock.
    pub(super) hour: i64,
}

/// How large a document is taken to be when the cache is laid out.
const USUAL: u64 = 64 * 1024;

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<Document>> for Weight {
    fn weight(&self, key: &Key, document: &Arc<Document>) -> u64 {
        document.weight() + key.0.len() as u64
    }
}

/// The newest documents that were asked for. An entry of an older generation is never asked for again and is the first
/// to go.
#[derive(Debug)]
pub(super) struct Cache {
    documents: Quick<Key, Arc<Document>, Weight>,
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
        Self { documents }
    }

    /// The document, made by `make` if it is not there. However many ask for it at once, one makes it.
    pub(super) async fn document<E>(
        &self,
        path: String,
        stamp: Stamp,
        make: impl Future<Output = Result<Document, E>>,
    ) -> Result<Arc<Document>, E> {
        self.documents.get_or_insert_async(&(path, stamp), async { make.await.map(Arc::new) }).await
    }
}
