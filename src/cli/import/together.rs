//! What was read of all paths of one command, as one reading of an inbox in which no two articles have one guid. A file is
//! known by its name, a folder's by its path in it; where another article has that, the name of the folder comes before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::model::{Article, Aside, Batch, FileState, Source};
use crate::source::folder;
use crate::store::{Store, StoreError};

/// What was read of one path.
pub(super) struct Part {
    /// The folder that its files' paths stand in.
    pub(super) root: PathBuf,
    /// As it was read; what has no file keeps its guid.
    pub(super) batch: Batch,
}

impl Part {
    fn path(&self, file: &FileState) -> String {
        self.root.join(&file.path).to_string_lossy().into_owned()
    }
}

/// Makes one reading of all.
pub(super) async fn join(mut parts: Vec<Part>, inbox: &Source, store: &Store) -> Result<Batch, StoreError> {
    let mut names = Names::of(&parts, inbox, store).await?;
    let (mut joined, mut asides, mut places) = (Batch::default(), HashMap::<String, Aside>::new(), HashMap::<String, usize>::new());
    for part in &mut parts {
        let files = names.name(part).await?;
        joined.memory.files.extend(files);
        let batch = std::mem::take(&mut part.batch);
        for article in batch.articles {
            asides.extend(batch.aside.clone().map(|aside| (article.guid.clone(), aside)));
            // The same item of two feeds is as the later one says.
            match places.get(&article.guid) {
                Some(place) => joined.articles[*place] = article,
                None => {
                    places.insert(article.guid.clone(), joined.articles.len());
                    joined.articles.push(article);
                }
            }
        }
        joined.terms.extend(batch.terms);
        joined.problems.extend(batch.problems);
        joined.repairs.extend(batch.repairs);
        joined.skipped += batch.skipped;
    }
    folder::give_back_shared_links(&mut joined.articles);
    joined.aside =
        (!asides.is_empty()).then(|| Aside::new(move |article| asides.get(&article.guid).map_or(Ok(()), |aside| aside.give_back(article))));
    Ok(joined)
}

/// Which guid is whose.
struct Names<'a> {
    inbox: &'a Source,
    store: &'a Store,
    /// The guids that files got when they were imported before, by their paths.
    known: HashMap<String, String>,
    /// The paths whose articles the guids of this reading are; empty for what has no path.
    owners: HashMap<String, String>,
    /// The paths that have their guids.
    named: HashSet<String>,
}

impl<'a> Names<'a> {
    async fn of(parts: &[Part], inbox: &'a Source, store: &'a Store) -> Result<Self, StoreError> {
        let memory = store.memory(inbox.id).await?;
        let known: HashMap<String, String> = memory.files.into_iter().filter_map(|file| Some((file.path, file.guid?))).collect();
        let mut owners = HashMap::new();
        for part in parts {
            for path in part.batch.memory.files.iter().map(|file| part.path(file)) {
                owners.extend(known.get(&path).map(|guid| (guid.clone(), path)));
            }
            let has_file: HashSet<&str> = part.batch.memory.files.iter().filter_map(|file| file.guid.as_deref()).collect();
            let guids = part.batch.articles.iter().map(|article| &article.guid).filter(|guid| !has_file.contains(guid.as_str()));
            owners.extend(guids.map(|guid| (guid.clone(), String::new())));
        }
        Ok(Self { inbox, store, known, owners, named: HashSet::new() })
    }

    /// Gives the files of a part their guids, and leaves out those that came before; gives what is to be remembered.
    async fn name(&mut self, part: &mut Part) -> Result<Vec<FileState>, StoreError> {
        let files = std::mem::take(&mut part.batch.memory.files);
        let files: HashMap<String, FileState> = files.into_iter().filter_map(|file| Some((file.guid.clone()?, file))).collect();
        let (mut remembered, mut renamed, mut again) = (Vec::new(), BTreeMap::new(), HashSet::new());
        for article in &part.batch.articles {
            let Some(file) = files.get(&article.guid) else { continue };
            let path = part.path(file);
            if !self.named.insert(path.clone()) {
                again.insert(article.guid.clone());
                continue;
            }
            let guid = self.choose(article, file, part, &path).await?;
            self.owners.insert(guid.clone(), path.clone());
            if guid != article.guid {
                renamed.insert(article.guid.clone(), guid.clone());
            }
            if self.known.get(&path) != Some(&guid) {
                remembered.push(FileState { path, guid: Some(guid), modified: 0, size: 0, uses: Vec::new(), ..file.clone() });
            }
        }
        part.batch.articles.retain(|article| !again.contains(&article.guid));
        folder::rename(&mut part.batch, &self.inbox.first_slug, renamed);
        Ok(remembered)
    }

    /// The guid that its front matter names or that it had, else the shortest that no other article has.
    async fn choose(&self, article: &Article, file: &FileState, part: &Part, path: &str) -> Result<String, StoreError> {
        let stem = file.path.rsplit_once('.').map_or(file.path.as_str(), |(stem, _)| stem);
        let usual = if article.guid == file.path { &file.path } else { stem };
        let names_itself = article.guid != usual;
        // One that could not have the guid that it names has one of its path for ever.
        let known = self.known.get(path).filter(|known| !names_itself || **known != article.guid && known.contains(usual));
        if names_itself && known.is_none() && self.is_free(&article.guid, path) {
            return Ok(article.guid.clone());
        }
        if let Some(known) = known
            && self.is_free(known, path)
            && self.is_its_own(known, article, part, 1).await?
        {
            return Ok(known.clone());
        }
        let parent = part.root.file_name().unwrap_or_default().to_string_lossy();
        let hashed = |more| format!("{usual}-{}", folder::title_and_date(article, more));
        for guid in [usual.to_owned(), format!("{parent}/{usual}"), hashed("")] {
            if self.is_free(&guid, path) && self.is_its_own(&guid, article, part, 2).await? {
                return Ok(guid);
            }
        }
        Ok(hashed(path))
    }

    /// Whether no other article of this reading has a guid.
    fn is_free(&self, guid: &str, path: &str) -> bool {
        self.owners.get(guid).is_none_or(|owner| owner == path)
    }

    /// Whether nothing is stored under a guid, or an article that has so many of an article's title, date and text.
    async fn is_its_own(&self, guid: &str, article: &Article, part: &Part, enough: usize) -> Result<bool, StoreError> {
        if self.inbox.status.first_read.is_none() {
            return Ok(true);
        }
        let Some(stored) = self.store.namesake(self.inbox.id, guid).await? else { return Ok(true) };
        let has_date = stored.published.is_some() && stored.published == article.published;
        let shared = usize::from(stored.title == article.title) + usize::from(has_date);
        // The text may be on the disk.
        Ok(shared >= enough || shared + 1 == enough && text(article, part)? == stored.content && stored.content.is_some())
    }
}

fn text(article: &Article, part: &Part) -> Result<Option<String>, StoreError> {
    let mut article = article.clone();
    part.batch.aside.as_ref().map_or(Ok(()), |aside| aside.give_back(&mut article)).map_err(StoreError::Aside)?;
    Ok(article.content)
}
