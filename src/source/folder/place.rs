//! What the path of a file says: its guid, its language, its bundle, the term that it describes.

use crate::model::{Kind, Language};
use crate::source::markdown::Place;

/// The languages of ISO 639-1: `node.js.md` names no language, `about.zh.md` does.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj \
fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv \
mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv \
sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu cn jp";

/// What the file at a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// An article.
    Article(Place),
    /// What a category or a tag says of itself.
    Term(Kind, String),
    /// The page of a section, which is no article.
    Section,
}

/// The role of the file at a path inside the folder.
pub(super) fn role(path: &str) -> Role {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (plain, language) = language_of(stem);
    if plain == "_index" {
        let (parent, term) = folder.rsplit_once('/').unwrap_or(("", folder));
        return match parent.rsplit('/').next() {
            Some("categories") => Role::Term(Kind::Category, term.to_owned()),
            Some("tags") => Role::Term(Kind::Tag, term.to_owned()),
            _ => Role::Section,
        };
    }
    let bundle = is_bundle(path).then(|| folder.rsplit('/').next().unwrap_or_default()).filter(|bundle| !bundle.is_empty());
    let in_folder = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    Role::Article(Place {
        path: path.to_owned(),
        guid: in_folder(stem),
        stem: bundle.unwrap_or(plain).to_owned(),
        language,
        translation_key: Some(in_folder(plain)),
    })
}

/// Whether a file is the text of a page bundle: `x/index.md`, `x/index.zh.md`.
pub(super) fn is_bundle(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    language_of(name.rsplit_once('.').map_or(name, |(stem, _)| stem)).0 == "index"
}

/// Takes the language off a name: `about.zh-CN` is `about` in `zh-CN`.
fn language_of(stem: &str) -> (&str, Option<Language>) {
    let named = stem.rsplit_once('.').filter(|(plain, _)| !plain.is_empty()).and_then(|(plain, code)| {
        let first = code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let is_known = first.len() == 2 && LANGUAGES.split(' ').any(|known| known == first);
        is_known.then(|| Language::parse(code)).flatten().map(|language| (plain, Some(language)))
    });
    named.unwrap_or((stem, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_the_file_is() {
        let place = |path: &str| match role(path) {
            Role::Article(place) => (place.guid, place.stem, place.language.map(|language| language.to_string()), place.translation_key),
            other => panic!("{path}: {other:?}"),
        };
        let expect = |guid: &str, stem: &str, language: Option<&str>, key: &str| {
            (guid.to_owned(), stem.to_owned(), language.map(str::to_owned), Some(key.to_owned()))
        };
        assert_eq!(place("posts/风车.md"), expect("posts/风车", "风车", None, "posts/风车"));
        assert_eq!(place("about.zh_cn.md"), expect("about.zh_cn", "about", Some("zh-CN"), "about"));
        assert_eq!(place("node.js.md"), expect("node.js", "node.js", None, "node.js"));
        assert_eq!(place("a/mill/index.en.md"), expect("a/mill/index.en", "mill", Some("en"), "a/mill/index"));
        assert_eq!(role("content/tags/c++/_index.md"), Role::Term(Kind::Tag, "c++".into()));
        assert_eq!(role("categories/旅行/_index.zh.md"), Role::Term(Kind::Category, "旅行".into()));
        assert_eq!(role("posts/_index.md"), Role::Section);
        assert_eq!(role("_index.md"), Role::Section);
    }
}
