//! The laws that hold for every entry in every format, and what whole documents look like.

use quick_xml::events::Event;
use quick_xml::{NsReader, XmlVersion};
use serde_json::Value;

use super::samples::{STORE, all, bare, chinese, hostile, page, podcast, rich, site, term};
use super::{Channel, channel, feed, fragment, frame, join, namespaces};
use crate::model::{Content, Entry, Format, Kind, Options, PLACEHOLDER, Selection, Slug, text};

const CONTENTS: [Content; 2] = [Content::Full, Content::Summary];

fn tag() -> Selection {
    Selection::of(Kind::Tag, Slug::from_name("AI/ML"))
}

fn head(entries: Vec<Entry>) -> Channel {
    channel(&tag(), &Options::default(), &page(entries, vec![term(Kind::Tag, "AI/ML")]), &site(), STORE)
}

fn whole(entries: Vec<Entry>, content: Content, format: Format) -> String {
    let options = Options { content, ..Options::default() };
    let page = page(entries, vec![term(Kind::Tag, "AI/ML")]);
    feed(&channel(&tag(), &options, &page, &site(), STORE), &page, &options, &site(), format).unwrap()
}

/// The text of every element of a name, in order; fails where the document is not well-formed or a prefix is undeclared.
fn texts(xml: &str, wanted: &str) -> Vec<String> {
    let mut reader = NsReader::from_str(xml);
    let (mut open, mut found) = (Vec::new(), Vec::new());
    loop {
        let (namespace, event) = reader.read_resolved_event().unwrap();
        assert!(!matches!(namespace, quick_xml::name::ResolveResult::Unknown(_)), "an undeclared prefix in {xml}");
        let text = match event {
            Event::Start(start) => {
                open.push(start.name().as_ref().to_owned());
                if open.last().is_some_and(|name| name == wanted) {
                    found.push(String::new());
                }
                start.attributes().for_each(|attribute| {
                    attribute.unwrap().normalized_value(XmlVersion::Explicit1_0).unwrap();
                });
                continue;
            }
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Text(text) => text.xml10_content().into_owned(),
            Event::CData(text) => text.xml10_content().into_owned(),
            Event::GeneralRef(reference) => text::unescape(&format!("&{};", &*reference)),
            Event::Eof => break,
            _ => continue,
        };
        if open.last().is_some_and(|name| name == wanted) {
            found.last_mut().unwrap().push_str(&text);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open in {xml}");
    found
}

fn items(json: &str) -> Vec<Value> {
    let mut feed: Value = serde_json::from_str(json).unwrap();
    serde_json::from_value(feed["items"].take()).unwrap()
}

#[test]
fn every_document_is_well_formed_and_has_no_forbidden_character() {
    for content in CONTENTS {
        for entries in [all(), Vec::new()].into_iter().chain(all().into_iter().map(|entry| vec![entry])) {
            let count = entries.len();
            let [rss, atom, json] = Format::ALL.map(|format| whole(entries.clone(), content, format));
            assert_eq!(texts(&rss, "item").len(), count);
            assert_eq!(texts(&atom, "entry").len(), count);
            assert_eq!(items(&json).len(), count);
            for document in [rss, atom, json] {
                assert!(document.chars().all(text::is_allowed) && !document.contains(PLACEHOLDER), "{document}");
                assert!(!document.contains("\\u00") && !document.contains("javascript:") && !document.contains("secret"), "{document}");
            }
        }
    }
}

#[test]
fn ids_are_equal_across_the_formats() {
    let expected: Vec<String> = all().into_iter().map(|entry| entry.id).collect();
    let [rss, atom, json] = Format::ALL.map(|format| whole(all(), Content::Full, format));
    assert_eq!(texts(&rss, "guid"), expected);
    // The feed's own id is the first, and each entry has that of its source as well.
    let entries: Vec<String> = texts(&atom, "id").into_iter().skip(1).step_by(2).collect();
    assert_eq!(entries, expected);
    let ids: Vec<String> = items(&json).iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn fragments_joined_are_the_whole_feed() {
    for format in Format::ALL {
        let fragments: Vec<String> = all().iter().map(|entry| fragment(entry, &STORE, &site(), Content::Full, format).unwrap()).collect();
        let used = fragments.iter().fold(0, |used, fragment| used | namespaces(fragment, format));
        let joined = join(&frame(&head(all()), used, &site(), format).unwrap(), &fragments);
        assert_eq!(joined, whole(all(), Content::Full, format));
        for (entry, fragment) in all().into_iter().zip(&fragments) {
            assert!(whole(vec![entry], Content::Full, format).contains(fragment.as_str()), "an entry is another alone: {fragment}");
        }
    }
}

#[test]
fn every_item_has_its_text_in_every_format() {
    for content in CONTENTS {
        let rss = whole(all(), content, Format::Rss);
        let descriptions = texts(&rss, "description");
        assert_eq!(descriptions.len(), all().len() + 1);
        assert!(descriptions.iter().all(|description| !description.is_empty()));
        for item in rss.split("<item>").skip(1) {
            let encoded = item.find("<content:encoded>");
            assert!(encoded.is_none_or(|encoded| item.find("<description>").unwrap() < encoded), "{item}");
            assert!(encoded.is_none() || content == Content::Full, "{item}");
        }
        for item in items(&whole(all(), content, Format::Json)) {
            let texts = [&item["content_html"], &item["content_text"]].map(|text| text.as_str().unwrap_or_default());
            assert_eq!(texts.iter().filter(|text| !text.is_empty()).count(), 1, "{item}");
        }
        for entry in whole(all(), content, Format::Atom).split("<entry>").skip(1) {
            assert!(entry.contains("<summary") || entry.contains("<content"), "{entry}");
        }
    }
}

#[test]
fn a_title_is_plain_text_in_every_format_and_made_up_in_atom_alone() {
    let title = rich().article.title.unwrap();
    let [rss, atom, json] = Format::ALL.map(|format| whole(vec![rich()], Content::Full, format));
    assert_eq!(texts(&rss, "title")[1], title);
    assert!(rss.contains("<title>AT&#x26;T &#x3C;b&gt;bold"), "{rss}");
    assert_eq!(texts(&atom, "title")[1], title);
    assert_eq!(items(&json)[0]["title"], title);

    let [rss, atom, json] = Format::ALL.map(|format| whole(vec![bare()], Content::Full, format));
    assert_eq!(texts(&rss, "title").len(), 1);
    assert_eq!(texts(&atom, "title")[1], "Only words <here> & there.");
    assert!(items(&json)[0].get("title").is_none());
}

#[test]
fn the_end_of_a_cdata_section_is_not_made_of_what_is_left_out() {
    let rss = whole(vec![hostile()], Content::Full, Format::Rss);
    assert_eq!(texts(&rss, "content:encoded"), ["<p>abcd]]>e</p>"]);
    assert_eq!(texts(&rss, "description")[1], "abcd]]>e");
}

#[test]
fn summaries_are_cut_between_words_and_no_content_goes_out_with_them() {
    for format in Format::ALL {
        let feed = whole(vec![chinese()], Content::Summary, format);
        assert!(feed.contains('…') && !feed.contains("content:encoded") && !feed.contains("<content") && !feed.contains("content_html"));
    }
    let summary = items(&whole(vec![chinese()], Content::Summary, Format::Json))[0]["summary"].as_str().unwrap().to_owned();
    assert!((150..=301).contains(&summary.chars().count()), "{summary}");
}

#[test]
fn a_language_is_the_feeds_only_if_it_is_that_of_every_article() {
    assert_eq!(head(vec![rich(), podcast()]).language.unwrap().as_str(), "en");
    assert_eq!(head(vec![rich(), chinese()]).language, None);
    assert_eq!(head(vec![rich(), bare()]).language, None);
    let atom = whole(vec![rich(), bare()], Content::Full, Format::Atom);
    assert!(!atom.split("<entry>").next().unwrap().contains("xml:lang"));
    assert!(
        atom.contains("<title xml:lang=\"en\">AT")
            && atom.contains("<content xml:lang=\"en\"")
            && atom.contains("<summary xml:lang=\"en\"")
    );
    assert!(!atom.rsplit("<entry>").next().unwrap().contains("xml:lang"));
}

#[test]
fn the_own_link_is_the_first_and_the_last_alternate_where_there_are_translations() {
    let atom = whole(vec![rich()], Content::Full, Format::Atom);
    let entry = atom.split("<entry>").nth(1).unwrap();
    let links: Vec<&str> = entry.split("<link ").skip(1).filter(|link| link.contains("rel=\"alternate\"")).collect();
    assert!(links[0].starts_with("href=\"https://blog.example/1\" rel=\"alternate\"/>"), "{links:?}");
    assert!(links[1].contains("hreflang=\"zh-CN\""), "{links:?}");
    assert!(links[2].starts_with("href=\"https://blog.example/1\" rel=\"alternate\" hreflang=\"en\""), "{links:?}");
}

#[test]
fn documents_declare_only_the_namespaces_that_they_use() {
    for format in [Format::Rss, Format::Atom] {
        let (with, without) = (whole(vec![podcast()], Content::Full, format), whole(vec![bare()], Content::Full, format));
        assert!(with.contains("xmlns:podcast=") && with.contains("xmlns:itunes=") && with.contains("<podcast:transcript"));
        assert!(!without.contains("xmlns:podcast=") && !without.contains("xmlns:itunes=") && !without.contains("xmlns:media="));
    }
}

#[test]
fn documents_look_like_this() {
    for format in Format::ALL {
        let document = whole(vec![rich(), bare(), podcast()], Content::Full, format);
        let lines = document.replace(env!("CARGO_PKG_VERSION"), "[version]").replace("><", ">\n<").replace(",\"", ",\n\"");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("feed.{}", format.suffix()), lines);
        });
    }
}
