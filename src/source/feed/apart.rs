//! Items of one document that share an id, told apart: each is an article of its own, and stays it when others come before
//! it. It knows nothing of how they were read.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::Item;
use super::item::made_guid;
use super::repairs::{Repair, Repairs};
use crate::model::{Article, Link, Omission, PassedOver};

/// Longer ids, in bytes, are kept as their hash: an id is a key of the store.
const LONGEST_GUID: usize = 2048;

/// What becomes of an item's id.
#[derive(Debug, Clone)]
enum Name {
    /// It is the item's alone.
    Own,
    /// Others have it too: the item has another one made of it.
    Other(String),
    /// An item before it says the same.
    Repeats,
}

/// Two items of one document are two articles, whatever their ids say; one that says what another says is passed over.
/// Gives the articles, and what is none.
pub(super) fn tell_apart(mut items: Vec<Item>, repairs: &mut Repairs) -> (Vec<Article>, Vec<PassedOver>) {
    for item in items.iter_mut().filter(|item| item.article.guid.len() > LONGEST_GUID) {
        item.article.guid = made_guid(&[Some(&item.article.guid)], None);
    }
    let names = names(&items, repairs);
    let mut taken = HashSet::with_capacity(items.len());
    let mut kept: Vec<Article> = Vec::with_capacity(items.len());
    let mut passed_over = Vec::new();
    for (Item { mut article, mut omission }, name) in items.into_iter().zip(names) {
        match name {
            Name::Own => {}
            Name::Other(guid) => article.guid = guid,
            Name::Repeats => omission = Some(Omission::Repeated),
        }
        // An id that is made may be one that another item states.
        if omission.is_none() && !taken.insert(article.guid.clone()) {
            omission = Some(Omission::Repeated);
        }
        match omission {
            Some(reason) => passed_over.push(PassedOver { article, before: kept.len(), reason }),
            None => kept.push(article),
        }
    }
    (kept, passed_over)
}

/// What each item is called.
fn names(items: &[Item], repairs: &mut Repairs) -> Vec<Name> {
    let mut names = vec![Name::Own; items.len()];
    let mut places: HashMap<&str, Vec<usize>> = HashMap::with_capacity(items.len());
    for (place, item) in items.iter().enumerate().filter(|(_, item)| item.omission.is_none()) {
        places.entry(&item.article.guid).or_default().push(place);
    }
    for places in places.into_values().filter(|places| places.len() > 1) {
        places.iter().skip(1).for_each(|_| repairs.note(Repair::Repeated));
        let mut seen = HashSet::with_capacity(places.len());
        let (different, same): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| seen.insert(by_all(&items[*place].article)));
        for place in same {
            names[place] = Name::Repeats;
        }
        if different.len() > 1 {
            rename(items, different, &LEVELS, &mut names);
        }
    }
    names
}

/// Gives different items of one id ids of their own, the first of them too: the next one may come before it. Each is made
/// of no more than tells it from the others, so that an edit of the rest leaves it.
fn rename(items: &[Item], places: Vec<usize>, levels: &[fn(&Article) -> String], names: &mut [Name]) {
    let Some((tell, finer)) = levels.split_first() else { return };
    let mut alike: HashMap<String, Vec<usize>> = HashMap::with_capacity(places.len());
    for place in places {
        alike.entry(tell(&items[place].article)).or_default().push(place);
    }
    for (told, places) in alike {
        if let ([place], _) | ([place, ..], []) = (places.as_slice(), finer) {
            names[*place] = Name::Other(format!("{}#{told}", items[*place].article.guid));
        } else {
            rename(items, places, finer, names);
        }
    }
}

/// What tells items apart, the least that is edited first.
const LEVELS: [fn(&Article) -> String; 4] = [by_head, by_files, by_text, by_all];

/// By link, title and date; by the text only where there is none of them.
fn by_head(article: &Article) -> String {
    let [link, title] = head(article);
    let has_head = link.is_some() || title.is_some() || article.published.is_some();
    let body = article.content.as_deref().or(article.summary.as_deref());
    made_guid(&[link, title, body.filter(|_| !has_head)], article.published)
}

fn by_files(article: &Article) -> String {
    let [link, title] = head(article);
    let files: Vec<&str> = article.enclosures.iter().map(|file| file.url.as_str()).collect();
    made_guid(&[link, title, None, Some(&files.join(" "))], article.published)
}

fn by_text(article: &Article) -> String {
    let [link, title] = head(article);
    made_guid(&[link, title, None, None, article.summary.as_deref(), article.content.as_deref()], article.published)
}

/// By all that a reader reads. A post that stands in a feed once for each of its categories is one.
fn by_all(article: &Article) -> String {
    let Article { link, title, published, enclosures, summary, content, .. } = article;
    let hash = Sha256::digest(format!("{:?}", (link, title, published, enclosures, summary, content)));
    data_encoding::BASE32_NOPAD.encode(&hash[..15]).to_ascii_lowercase()
}

fn head(article: &Article) -> [Option<&str>; 2] {
    let link = match &article.link {
        Link::At(link) => Some(link.as_str()),
        Link::Own | Link::Named(_) | Link::Candidate(_) => None,
    };
    [link, article.title.as_deref()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Enclosure;

    fn item(title: &str, link: &str, content: &str) -> Article {
        let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let link = filled(link).map_or(Link::Own, Link::At);
        Article { guid: "g".to_owned(), title: filled(title), link, content: filled(content), ..Article::default() }
    }

    fn apart(articles: &[Article]) -> (Vec<String>, usize) {
        let items = articles.iter().map(|article| Item { article: article.clone(), omission: None }).collect();
        let (kept, passed_over) = tell_apart(items, &mut Repairs::default());
        (kept.into_iter().map(|article| article.guid).collect(), passed_over.len())
    }

    #[test]
    fn what_says_something_else_is_an_article_and_what_says_the_same_is_none() {
        let one = item("t", "https://a.example/1", "x");
        let file = |url: &str| vec![Enclosure { url: url.to_owned(), ..Enclosure::default() }];
        let others = [
            item("u", "https://a.example/1", "x"),
            item("t", "https://a.example/2", "x"),
            item("t", "https://a.example/1", "y"),
            item("t", "", "x"),
            item("t", "", "y"),
            item("", "", "x"),
            item("", "", "y"),
            Article { enclosures: file("https://a.example/1.mp3"), ..item("t", "", "x") },
            Article { enclosures: file("https://a.example/2.mp3"), ..item("t", "", "x") },
        ];
        for other in &others {
            let (guids, passed_over) = apart(&[one.clone(), other.clone(), one.clone(), other.clone()]);
            assert_eq!((guids.len(), passed_over), (2, 2), "{other:?}");
            assert!(guids[0] != guids[1] && guids.iter().all(|guid| guid.starts_with("g#")), "{guids:?}");
        }
        let all = [std::slice::from_ref(&one), others.as_slice()].concat();
        assert_eq!(apart(&all).0.into_iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(apart(&[one.clone(), Article { tags: vec!["x".to_owned()], ..one.clone() }]), (vec!["g".to_owned()], 1));
    }

    #[test]
    fn an_id_is_made_of_no_more_than_tells_the_items_apart() {
        let first = |first: Article, second: Article| apart(&[first, second]).0.remove(0);
        let (one, two) = (|text| item("t", "https://a.example/1", text), || item("t", "https://a.example/2", "x"));
        assert_eq!(first(one("x"), two()), first(one("edited"), two()));
        assert_ne!(first(one("x"), one("y")), first(one("edited"), one("y")));
        let dated = |day: &str, text| Article { published: format!("{day}T00:00:00Z").parse().ok(), ..item("", "", text) };
        let second = || dated("2024-05-07", "x");
        assert_eq!(first(dated("2024-05-06", "x"), second()), first(dated("2024-05-06", "edited"), second()));
    }

    #[test]
    fn an_id_that_is_made_takes_no_other_items() {
        let (one, two) = (item("a", "", "x"), item("b", "", "x"));
        let made = apart(&[one.clone(), two.clone()]).0.remove(0);
        let stated = Article { guid: made.clone(), ..item("c", "", "x") };
        assert_eq!(apart(&[stated, one, two]).0.iter().filter(|guid| **guid == made).count(), 1);
    }

    #[test]
    fn many_items_of_one_id_take_linear_time() {
        let start = std::time::Instant::now();
        let many = (0..2000).map(|n| item(&n.to_string(), "", "x"));
        let articles: Vec<_> = std::iter::once(item("large", "", &"x".repeat(8 << 20))).chain(many).collect();
        assert_eq!(apart(&articles).0.len(), 2001);
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
