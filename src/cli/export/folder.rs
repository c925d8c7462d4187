//! The folder of an export: nothing that is not our own is written over unasked.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;

use crate::model::ArticleKey;

/// Says that a folder is an export, and behind that which files are those of articles; hidden, so that no import reads it.
const MARK: &str = ".feedmill-export";
const WORDS: &str = "Written by feedmill export, which may replace the files here.\n";

/// What is not whole yet.
const PART: &str = ".feedmill-part";

/// The folder, and what became of its files.
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) new: usize,
    /// Those that were there and differed.
    pub(super) replaced: Vec<String>,
    pub(super) unchanged: usize,
    pub(super) removed: usize,
    /// The files of articles that earlier exports wrote, and those of this one, each with whose it is.
    before: BTreeMap<String, String>,
    articles: BTreeMap<String, String>,
}

/// A file that is being written beside the one that it will be.
pub(super) struct Unfinished {
    file: BufWriter<File>,
    part: PathBuf,
    name: String,
}

impl std::io::Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Folder {
    /// Opens a folder, and makes it if it is not there. One with other things in it is taken only by force.
    pub(super) fn open(root: &Path, force: bool) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make the folder {}", root.display()))?;
        let mut inside = fs::read_dir(root).with_context(|| format!("cannot read the folder {}", root.display()))?;
        let is_ours = root.join(MARK).is_file();
        anyhow::ensure!(
            force || is_ours || inside.next().is_none(),
            "{} has files that are no export of feedmill; choose another folder, or write over what differs with --force",
            root.display()
        );
        if !is_ours {
            fs::write(root.join(MARK), WORDS).with_context(|| format!("cannot write into {}", root.display()))?;
        }
        let list = fs::read_to_string(root.join(MARK)).with_context(|| format!("cannot read {}", root.join(MARK).display()))?;
        let is_inside = |name: &str| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let known = list.lines().skip(1).filter_map(|line| line.split_once('\t')).filter(|(_, name)| is_inside(name));
        let before = known.map(|(key, name)| (name.to_owned(), key.to_owned())).collect();
        let (replaced, articles) = (Vec::new(), BTreeMap::new());
        Ok(Self { root: root.to_owned(), new: 0, replaced, unchanged: 0, removed: 0, before, articles })
    }

    /// Writes a file of an article, which may have had another name in an earlier export.
    pub(super) fn put_of(&mut self, article: &ArticleKey, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        if !self.before.contains_key(name) && !self.articles.contains_key(name) {
            let list = File::options().append(true).open(self.root.join(MARK));
            list.and_then(|mut list| list.write_all(line(name, article.as_str()).as_bytes()))
                .with_context(|| format!("cannot write {}", self.root.join(MARK).display()))?;
        }
        self.articles.insert(name.to_owned(), article.as_str().to_owned());
        self.put(name, bytes)
    }

    /// Removes the files that articles had which have others by now: read again they would be articles of their own. What
    /// was withdrawn since stays.
    pub(super) fn sweep(&mut self) -> anyhow::Result<()> {
        let keys: HashSet<&str> = self.articles.values().map(String::as_str).collect();
        // Some file systems have one file of names that differ in their case.
        let names: HashSet<String> = self.articles.keys().map(|name| name.to_lowercase()).collect();
        let is_left = |name: &str, key: &str| !names.contains(&name.to_lowercase()) && keys.contains(key);
        let (left, kept): (BTreeMap<_, _>, _) = std::mem::take(&mut self.before).into_iter().partition(|(name, key)| is_left(name, key));
        for name in left.keys() {
            let place = self.root.join(name);
            match fs::remove_file(&place) {
                Ok(()) => self.removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("cannot remove {}", place.display())),
            }
            // A folder with other files in it stays.
            let folders = place.ancestors().skip(1).take_while(|folder| *folder != self.root);
            folders.take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(drop);
        }
        let all: BTreeMap<_, _> = kept.into_iter().chain(std::mem::take(&mut self.articles)).collect();
        let lines: String = all.iter().map(|(name, key)| line(name, key)).collect();
        let part = self.root.join(PART);
        let written = fs::write(&part, format!("{WORDS}{lines}")).and_then(|()| fs::rename(&part, self.root.join(MARK)));
        written.with_context(|| format!("cannot write {}", self.root.join(MARK).display()))
    }

    /// Writes a file, unless it is there as it shall be.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        match fs::metadata(self.root.join(name)) {
            Ok(known) if known.len() == bytes.len() as u64 && fs::read(self.root.join(name)).is_ok_and(|known| known == bytes) => {
                self.unchanged += 1;
                Ok(())
            }
            _ => {
                let mut file = self.begin(name)?;
                file.write_all(bytes).with_context(|| format!("cannot write {}", file.part.display()))?;
                self.finish(file)
            }
        }
    }

    /// Begins a file. Until it is finished, the one before stays whole.
    pub(super) fn begin(&self, name: &str) -> anyhow::Result<Unfinished> {
        let place = self.root.join(name);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        }
        let part = place.with_file_name(PART);
        let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Unfinished { file: BufWriter::new(file), part, name: name.to_owned() })
    }

    /// Puts a file that was written whole in its place.
    pub(super) fn finish(&mut self, mut file: Unfinished) -> anyhow::Result<()> {
        let place = self.root.join(&file.name);
        file.flush().with_context(|| format!("cannot write {}", file.part.display()))?;
        match are_equal(&file.part, &place) {
            Ok(true) => self.unchanged += 1,
            Ok(false) => self.replaced.push(file.name),
            Err(error) if error.kind() == ErrorKind::NotFound => self.new += 1,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", place.display())),
        }
        fs::rename(&file.part, &place).with_context(|| format!("cannot write {}", place.display()))
    }
}

fn line(name: &str, key: &str) -> String {
    format!("{key}\t{name}\n")
}

/// Whether two files have the same bytes; they are read together, since they may be long.
fn are_equal(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut both = BufReader::new(one).bytes().zip(BufReader::new(other).bytes());
    both.try_fold(true, |equal, (one, other)| Ok(equal && one? == other?))
}
