//! Articles of a folder that get other guids than they were read with, and the links between them.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Article, ArticleKey, Aside, Batch, PLACEHOLDER, Slug};

/// Gives articles other guids, by those that they have; links between the articles follow, and so does what an article
/// shares with its translations by its name.
pub fn rename(batch: &mut Batch, first_slug: &Slug, guids: BTreeMap<String, String>) {
    if guids.is_empty() {
        return;
    }
    let key = |guid: &str| ArticleKey::new(first_slug, guid);
    let keys: HashMap<ArticleKey, ArticleKey> = guids.iter().map(|(from, to)| (key(from), key(to))).collect();
    for article in &mut batch.articles {
        if let Some(to) = guids.get(&article.guid) {
            let by_name = article.translation_key.take_if(|key| article.guid.starts_with(key.as_str()));
            article.translation_key = by_name.map(|key| to.replacen(&article.guid, &key, 1)).or(article.translation_key.take());
            article.guid.clone_from(to);
        }
        relink(article, &keys);
    }
    let before: HashMap<String, String> = guids.into_iter().map(|(from, to)| (to, from)).collect();
    batch.aside = batch.aside.take().map(|aside| {
        Aside::new(move |article| {
            let own = article.guid.clone();
            article.guid = before.get(&own).unwrap_or(&own).clone();
            let given = aside.give_back(article);
            article.guid = own;
            relink(article, &keys);
            given
        })
    });
}

pub(super) fn has_own_links(article: &Article) -> bool {
    article.content.as_ref().is_some_and(|content| content.contains(PLACEHOLDER))
}

/// Sets an article's links to others here right.
pub(super) fn relink(article: &mut Article, renamed: &HashMap<ArticleKey, ArticleKey>) {
    if has_own_links(article) {
        article.content = article.content.take().map(|content| with_keys(&content, renamed));
    }
}

/// A content whose links to articles here have the keys that they are renamed to, read once from start to end.
fn with_keys(content: &str, renamed: &HashMap<ArticleKey, ArticleKey>) -> String {
    let start = format!("{PLACEHOLDER}/article/");
    let mut parts = content.split(start.as_str());
    let mut linked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        linked.push_str(&start);
        let key = part.get(..ArticleKey::LENGTH).and_then(ArticleKey::parse);
        match key.and_then(|key| renamed.get(&key)) {
            Some(own) => linked.extend([own.as_str(), &part[ArticleKey::LENGTH..]]),
            None => linked.push_str(part),
        }
    }
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_translations_follow_a_new_guid_and_texts_that_are_aside_are_found() {
        let slug = Slug::from_name("s");
        let link = |guid: &str| format!("<a href=\"{PLACEHOLDER}/article/{}\">x</a>", ArticleKey::new(&slug, guid).as_str());
        let article = |guid: &str, content: Option<String>| Article { guid: guid.to_owned(), content, ..Article::default() };
        let mut batch = Batch { articles: vec![article("a", Some(link("b.zh"))), article("b.zh", None)], ..Batch::default() };
        (batch.articles[0].translation_key, batch.articles[1].translation_key) = (Some("shared".into()), Some("b".into()));
        let text = link("b.zh");
        batch.aside = Some(Aside::new(move |article| {
            if article.guid == "b.zh" {
                article.content = Some(text.clone());
            }
            Ok(())
        }));
        rename(&mut batch, &slug, BTreeMap::from([("a".into(), "a-1".into()), ("b.zh".into(), "2024/b.zh".into())]));
        let batch = batch.whole().unwrap();
        let names = batch.articles.iter().map(|article| (article.guid.as_str(), article.translation_key.as_deref()));
        assert_eq!(names.collect::<Vec<_>>(), [("a-1", Some("shared")), ("2024/b.zh", Some("2024/b"))]);
        assert!(batch.articles.iter().all(|article| article.content == Some(link("2024/b.zh"))));
    }
}
