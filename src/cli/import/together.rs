//! What was read of all paths of one command, as one reading of an inbox in which no two articles have one guid. A file is
//! known by its name, a folder's by its path in it; where another article has that, the name of the folder comes before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::model::{Article, Aside, Batch, FileState, Source};
use crate::source::folder;
use crate::store::{Heading, Store, StoreError};

/// How many files are looked for in the store at once.
const AT_ONCE: usize = 500;

/// A guid, and how much of what is stored under it must be the article's.
type Candidate = (String, usize);

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

    /// The articles that have a file, with it.
    fn filed(&self) -> Vec<(&Article, &FileState)> {
        let files = self.batch.memory.files.iter().filter_map(|file| Some((file.guid.as_deref()?, file)));
        let files: HashMap<&str, &FileState> = files.collect();
        self.batch.articles.iter().filter_map(|article| Some((article, *files.get(article.guid.as_str())?))).collect()
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
        let (mut remembered, mut renamed, mut again) = (Vec::new(), BTreeMap::new(), HashSet::new());
        for some in part.filed().chunks(AT_ONCE) {
            let candidates: Vec<_> = some.iter().map(|(article, file)| self.candidates(article, file, part)).collect();
            let stored = self.stored(&candidates).await?;
            for ((article, file), candidates) in some.iter().zip(candidates) {
                let path = part.path(file);
                if !self.named.insert(path.clone()) {
                    again.insert(article.guid.clone());
                    continue;
                }
                let guid = self.choose(candidates, &stored, article, part, &path).await?;
                self.owners.insert(guid.clone(), path.clone());
                if guid != article.guid {
                    renamed.insert(article.guid.clone(), guid.clone());
                }
                if self.known.get(&path) != Some(&guid) {
                    remembered.push(FileState { path, guid: Some(guid), modified: 0, size: 0, uses: Vec::new(), ..(*file).clone() });
                }
            }
        }
        part.batch.articles.retain(|article| !again.contains(&article.guid));
        folder::rename(&mut part.batch, &self.inbox.first_slug, renamed);
        Ok(remembered)
    }

    /// The guids that an article may have, the best first, and how many of its title, date and text an article must have that
    /// is stored under it. The last is nobody else's.
    fn candidates(&self, article: &Article, file: &FileState, part: &Part) -> Vec<Candidate> {
        let path = part.path(file);
        let stem = file.path.rsplit_once('.').map_or(file.path.as_str(), |(stem, _)| stem);
        let usual = if article.guid == file.path { &file.path } else { stem };
        let names_itself = article.guid != usual;
        // One that could not have the guid that it names has one of its path for ever.
        let known = self.known.get(&path).filter(|known| !names_itself || **known != article.guid && known.contains(usual));
        let parent = part.root.file_name().unwrap_or_default().to_string_lossy();
        let hashed = |more: &str| format!("{usual}-{}", folder::title_and_date(article, more));
        let stated = (article.guid.clone(), 0);
        let first = known.map(|known| (known.clone(), 1)).or(names_itself.then_some(stated));
        let others = [(usual.to_owned(), 2), (format!("{parent}/{usual}"), 2), (hashed(""), 2), (hashed(&path), 0)];
        first.into_iter().chain(others).collect()
    }

    /// What is stored under guids.
    async fn stored(&self, candidates: &[Vec<Candidate>]) -> Result<HashMap<String, Heading>, StoreError> {
        if self.inbox.status.first_read.is_none() {
            return Ok(HashMap::new());
        }
        let guids = candidates.iter().flatten().map(|(guid, _)| guid.clone()).collect();
        self.store.headings(self.inbox.id, guids).await
    }

    /// The guid that its front matter names or that it had, else the shortest that no other article has.
    async fn choose(
        &self,
        mut candidates: Vec<Candidate>,
        stored: &HashMap<String, Heading>,
        article: &Article,
        part: &Part,
        path: &str,
    ) -> Result<String, StoreError> {
        let last = candidates.pop().map(|(guid, _)| guid).unwrap_or_default();
        for (guid, enough) in candidates.into_iter().filter(|(guid, _)| self.is_free(guid, path)) {
            let is_its_own = match stored.get(&guid) {
                None => true,
                Some(heading) => {
                    let has_date = heading.published.is_some() && heading.published == article.published;
                    let shared = usize::from(heading.title == article.title) + usize::from(has_date);
                    shared >= enough || shared + 1 == enough && self.has_its_text(&guid, article, part).await?
                }
            };
            if is_its_own {
                return Ok(guid);
            }
        }
        Ok(last)
    }

    /// Whether no other article of this reading has a guid.
    fn is_free(&self, guid: &str, path: &str) -> bool {
        self.owners.get(guid).is_none_or(|owner| owner == path)
    }

    async fn has_its_text(&self, guid: &str, article: &Article, part: &Part) -> Result<bool, StoreError> {
        // It may be on the disk.
        let text = text(article, part)?;
        Ok(text.is_some() && text == self.store.content(self.inbox.id, guid).await?)
    }
}

fn text(article: &Article, part: &Part) -> Result<Option<String>, StoreError> {
    let mut article = article.clone();
    part.batch.aside.as_ref().map_or(Ok(()), |aside| aside.give_back(&mut article)).map_err(StoreError::Aside)?;
    Ok(article.content)
}
