//! The folder of an export: nothing that is not our own is written over unasked.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Says that a folder is an export; hidden, so that no import reads it.
const MARK: &str = ".feedmill-export";

/// The folder, and what became of its files.
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) new: usize,
    /// Those that were there and differed.
    pub(super) replaced: Vec<String>,
    pub(super) unchanged: usize,
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
            let words = "Written by feedmill export, which may replace the files here.\n";
            fs::write(root.join(MARK), words).with_context(|| format!("cannot write into {}", root.display()))?;
        }
        Ok(Self { root: root.to_owned(), new: 0, replaced: Vec::new(), unchanged: 0 })
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
        let part = place.with_file_name(".feedmill-part");
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

/// Whether two files have the same bytes; they are read together, since they may be long.
fn are_equal(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut both = BufReader::new(one).bytes().zip(BufReader::new(other).bytes());
    both.try_fold(true, |equal, (one, other)| Ok(equal && one? == other?))
}
