//! OpenSearch 1.1: how a browser or a program searches here.

use crate::model::{Document, Format, Site, text};

/// The longest short name that the format allows, in characters.
const SHORT_NAME: usize = 16;

/// `/opensearch.xml`
#[must_use]
pub fn opensearch(site: &Site) -> String {
    let title = text::escape(&text::line(&site.title).chars().take(SHORT_NAME).collect::<String>());
    let description = text::escape(&text::line(&format!("Search the articles of {}", site.title)));
    let url = |media_type: &str, path: &str| {
        let template = text::escape(&site.url(&format!("{path}?q=")));
        format!("<Url type=\"{media_type}\" template=\"{template}{{searchTerms}}\"/>\n")
    };
    let feeds: String =
        Format::ALL.into_iter().map(|format| url(format.plain_media_type(), &format!("/feed.{}", format.suffix()))).collect();
    let own = text::escape(&site.url(Document::OpenSearch.path()));
    let icon = text::escape(&site.url(Document::Favicon.path()));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\">\n\
         <ShortName>{title}</ShortName>\n<Description>{description}</Description>\n<InputEncoding>UTF-8</InputEncoding>\n\
         <Image>{icon}</Image>\n{}{feeds}\
         <Url type=\"application/opensearchdescription+xml\" rel=\"self\" template=\"{own}\"/>\n</OpenSearchDescription>\n",
        url("text/html", "/"),
    )
}
