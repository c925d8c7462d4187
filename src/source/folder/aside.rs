//! Texts and files of articles that are more than memory should hold: they wait in a file without a name until each article
//! is stored.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::relink;
use crate::model::{Article, ArticleKey, Aside, Batch, BundleFile};

/// How much of a reading stays in memory, in bytes.
const IN_MEMORY: usize = 2 * 1024 * 1024;

/// Where texts and files wait while a folder, or many files, are read.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    in_memory: usize,
    file: Option<File>,
    length: u64,
}

impl Shelf {
    /// Puts the text and the files of an article aside, if enough is in memory; gives their place. Where that cannot be done
    /// they stay.
    pub(super) fn put(&self, article: &mut Article) -> Option<Range<u64>> {
        let mut contents = lock(&self.0);
        let size = texts(article).into_iter().flatten().map(String::len).sum::<usize>()
            + article.files.iter().map(|file| file.bytes.len()).sum::<usize>();
        if contents.in_memory + size <= IN_MEMORY {
            contents.in_memory += size;
            return None;
        }
        let place = contents.write(article).ok()?;
        for text in texts_mut(article) {
            *text = None;
        }
        for file in &mut article.files {
            file.bytes = Vec::new();
        }
        Some(place)
    }

    /// Puts aside what a reading brought, if enough is in memory, and nothing of it is aside already.
    pub fn put_reading(self: &Arc<Self>, batch: &mut Batch) {
        if batch.aside.is_some() {
            return;
        }
        let put = |article: &mut Article| Some((article.guid.clone(), self.put(article)?));
        let places: HashMap<String, Range<u64>> = batch.articles.iter_mut().filter_map(put).collect();
        let own = Arc::clone(self);
        batch.aside = (!places.is_empty()).then(|| {
            Aside::new(move |article| {
                let (Some(place), Some(file)) = (places.get(&article.guid), &mut lock(&own.0).file) else { return Ok(()) };
                take_back(article, &mut read(file, place)?.as_slice())
            })
        });
    }

    /// What gives them back, by the articles' guids; links in them lead to the keys that they are `renamed` to.
    pub(super) fn close(self, places: HashMap<String, Range<u64>>, renamed: HashMap<ArticleKey, ArticleKey>) -> Option<Aside> {
        let file = Mutex::new(self.0.into_inner().unwrap_or_else(PoisonError::into_inner).file?);
        Some(Aside::new(move |article| {
            let Some(place) = places.get(&article.guid) else { return Ok(()) };
            let bytes = read(&mut lock(&file), place)?;
            take_back(article, &mut bytes.as_slice())?;
            relink(article, &renamed);
            Ok(())
        }))
    }
}

impl Contents {
    fn write(&mut self, article: &Article) -> io::Result<Range<u64>> {
        let mut bytes = Vec::new();
        for text in texts(article) {
            put(&mut bytes, text.as_ref().map(String::as_bytes));
        }
        for file in &article.files {
            put(&mut bytes, Some(&file.bytes));
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(&bytes)?;
        let start = self.length;
        self.length += bytes.len() as u64;
        Ok(start..self.length)
    }
}

fn texts(article: &Article) -> [&Option<String>; 4] {
    [&article.lead, &article.summary, &article.content, &article.markdown]
}

fn texts_mut(article: &mut Article) -> [&mut Option<String>; 4] {
    [&mut article.lead, &mut article.summary, &mut article.content, &mut article.markdown]
}

fn read(file: &mut File, place: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(place.end - place.start).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(place.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn take_back(article: &mut Article, bytes: &mut &[u8]) -> io::Result<()> {
    for text in texts_mut(article) {
        *text = get(bytes)?.map(simdutf8::basic::from_utf8).transpose().map_err(io::Error::other)?.map(str::to_owned);
    }
    for BundleFile { bytes: own, .. } in &mut article.files {
        *own = get(bytes)?.unwrap_or_default().to_vec();
    }
    Ok(())
}

/// Writes how long something is, and it; what is not there is one byte.
fn put(bytes: &mut Vec<u8>, part: Option<&[u8]>) {
    bytes.push(part.is_some().into());
    if let Some(part) = part {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
}

fn get<'a>(bytes: &mut &'a [u8]) -> io::Result<Option<&'a [u8]>> {
    let (mut is_there, mut length) = ([0], [0; 8]);
    bytes.read_exact(&mut is_there)?;
    if is_there == [0] {
        return Ok(None);
    }
    bytes.read_exact(&mut length)?;
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    bytes.split_off(..length).map(Some).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PLACEHOLDER;

    #[test]
    fn what_is_put_aside_comes_back_whole() {
        let shelf = Shelf::default();
        let long = "长".repeat(IN_MEMORY / 3 - 10);
        let file = |name: &str, bytes: &[u8]| BundleFile { name: name.to_owned(), bytes: bytes.to_vec(), ..BundleFile::default() };
        let article = |guid: &str, content: &str| Article {
            guid: guid.to_owned(),
            lead: Some(String::new()),
            content: Some(content.to_owned()),
            markdown: Some("# 标题".to_owned()),
            files: vec![file("a.png", &[0, 255, 10]), file("empty", &[])],
            ..Article::default()
        };
        let key = |name: &str| ArticleKey::new(&crate::model::Slug::from_name("s"), name);
        let link = |name: &str| format!("<a href=\"{PLACEHOLDER}/article/{}\">x</a>", key(name).as_str());
        let whole = [article("stays", &long), article("goes", &long), article("goes too", &link("before"))];
        let mut read = whole.clone();
        let places: HashMap<_, _> = read.iter_mut().filter_map(|article| Some((article.guid.clone(), shelf.put(article)?))).collect();
        assert_eq!(read[0], whole[0]);
        assert_eq!((&read[1].content, &read[1].markdown, read[2].files[0].bytes.len()), (&None, &None, 0));
        let aside = shelf.close(places, HashMap::from([(key("before"), key("after"))])).unwrap();
        for article in &mut read {
            aside.give_back(article).unwrap();
        }
        assert_eq!(read[..2], whole[..2]);
        assert_eq!(read[2], Article { content: Some(link("after")), ..whole[2].clone() });
    }

    #[test]
    fn what_is_little_stays_in_memory() {
        let shelf = Shelf::default();
        let mut article = Article { content: Some("x".to_owned()), ..Article::default() };
        assert_eq!(shelf.put(&mut article), None);
        assert!(article.content.is_some() && shelf.close(HashMap::new(), HashMap::new()).is_none());
    }

    #[test]
    fn readings_that_are_much_together_share_a_shelf() {
        let shelf = Arc::new(Shelf::default());
        let read = |name: &str| {
            let content = Some(name.repeat(IN_MEMORY / 2));
            Batch { articles: vec![Article { guid: "same".to_owned(), content, ..Article::default() }], ..Batch::default() }
        };
        let whole = ["a", "b", "c", "d"].map(read);
        let mut readings = whole.clone();
        for reading in &mut readings {
            shelf.put_reading(reading);
        }
        assert_eq!(readings.iter().filter(|reading| reading.aside.is_some()).count(), 2);
        assert_eq!(readings.map(|reading| reading.whole().unwrap()), whole);
    }
}
