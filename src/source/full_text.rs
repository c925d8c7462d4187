//! Full texts: the page of an article, asked for once, and the main content in it. What comes of it is as clean as a
//! feed's own content.

use tokio::sync::Semaphore;
use url::Url;

use super::feed::decoded;
use super::fetch::{Body, Client, FetchError, Validators, as_user_of};
use super::{clean, tame};
use crate::model::private::public;
use crate::model::{Source, Time, text};

/// The largest page that is looked into, in bytes.
const MAX_PAGE: usize = 2 << 20;
/// The most elements of a page; what finds the content in them takes more than linear time.
const MAX_ELEMENTS: usize = 15_000;
/// Less text than this, in characters, is looked for again with fewer scruples.
const SHORT: usize = 250;
/// Pages that are looked into at once: each may take some ten times its size in memory.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Why an article keeps its feed's own content.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The page did not come.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is no web page.
    #[error("it is {0}, not a web page")]
    NotHtml(String),
    /// It is too long to be looked into.
    #[error("its page has more than {MAX_PAGE} bytes or {MAX_ELEMENTS} elements")]
    TooLarge,
    /// There is no article in it.
    #[error("no article is found in its page")]
    Nothing,
    /// There is less in it than the feed says itself.
    #[error("its page has less text than the feed")]
    Shorter,
}

/// Reads the page of an article of a source: its main content as sanitised HTML with absolute links. `own`: what the feed
/// says itself. The headers and the user of the source go to its own host alone.
///
/// # Errors
///
/// The page did not come, or says nothing that the feed does not.
pub async fn read(source: &Source, page: &Url, own: Option<&str>, client: &Client, now: Time) -> Result<String, PageError> {
    let page = Url::parse(&source.location).map_or_else(|_| page.clone(), |own| as_user_of(&own, page.clone()));
    let answer = client.beside(source, &page)?.get(&page, Validators::default(), now).await?;
    let (body, url) = (answer.body.unwrap_or_default(), public(&answer.url));
    match body.media_type.as_deref() {
        None | Some("text/html" | "application/xhtml+xml") => {}
        Some(other) => return Err(PageError::NotHtml(other.to_owned())),
    }
    let Ok(_place) = PLACES.acquire().await else { return Err(PageError::Nothing) };
    // What panics on a page that nobody thought of finds nothing in it.
    let extracted = tokio::task::spawn_blocking(move || extract(&body, &url)).await.unwrap_or(Err(PageError::Nothing))?;
    let length = |html: &str| text::plain(html).len();
    if own.is_some_and(|own| length(own) > length(&extracted)) { Err(PageError::Shorter) } else { Ok(extracted) }
}

fn extract(body: &Body, url: &Url) -> Result<String, PageError> {
    if body.bytes.len() > MAX_PAGE {
        return Err(PageError::TooLarge);
    }
    let page = decoded(&body.bytes, body.charset.as_deref()).map_err(|_| PageError::Nothing)?;
    let config = dom_smoothie::Config {
        max_elements_to_parse: MAX_ELEMENTS,
        disable_json_ld: true,
        char_threshold: SHORT,
        ..dom_smoothie::Config::default()
    };
    // Tamed first, as all HTML of the world: the parser and what walks over its tree take any depth.
    let article = dom_smoothie::Readability::new(tame::tame(&text::clean(&page)), Some(url.as_str()), Some(config))
        .and_then(|mut readability| readability.parse())
        .map_err(|error| match error {
            dom_smoothie::ReadabilityError::TooManyElements(..) => PageError::TooLarge,
            _ => PageError::Nothing,
        })?;
    let html = clean::html(&article.content, Some(url)).trim().to_owned();
    if text::plain(&html).is_empty() { Err(PageError::Nothing) } else { Ok(html) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8], charset: Option<&str>) -> Body {
        Body { bytes: bytes.to_vec(), charset: charset.map(str::to_owned), ..Body::default() }
    }

    fn found(page: &str) -> Result<String, PageError> {
        extract(&body(page.as_bytes(), None), &Url::parse("https://a.example/2025/post").unwrap())
    }

    fn page(head: &str, text: &str) -> String {
        let paragraph = format!("<p>{}</p>", text.repeat(12));
        format!(
            "<!doctype html><html><head>{head}<title>Post - Site</title><script>track()</script></head><body><nav><ul><li><a href=/>Home</a><li><a href=/x>Other</a></ul></nav>\
             <article><h1>Post</h1>{paragraph}<p>See <a href=../more onclick=evil()>more</a>, and <img data-src=p.png src='data:image/gif;base64,x' width=600 height=400>.</p>{paragraph}</article>\
             <aside class=sidebar><p>Subscribe to our newsletter!</p></aside><footer>Copyright</footer></body></html>"
        )
    }

    #[test]
    fn the_article_is_found_without_what_stands_around_it() {
        let html = found(&page("", "The mill stands in the valley, and nobody knows since when. ")).unwrap();
        assert!(html.contains("The mill stands in the valley") && html.contains("<a href=\"https://a.example/more\">more</a>"), "{html}");
        assert!(html.contains("<img src=\"https://a.example/2025/p.png\""), "{html}");
        for other in ["newsletter", "Copyright", "Home", "track", "evil"] {
            assert!(!html.contains(other), "{other} in {html}");
        }
        let based =
            found(&page("<base href=https://cdn.example/b/>", "The mill stands in the valley, and nobody knows since when. ")).unwrap();
        assert!(based.contains("<img src=\"https://cdn.example/b/p.png\""), "{based}");
    }

    #[test]
    fn the_encoding_of_a_page_is_that_of_its_meta_element_where_no_header_says_it() {
        let words = "山谷里的磨坊已经站了很多年，没有人知道它是什么时候建的，水一直在流。";
        let page = page("<meta http-equiv=Content-Type content='text/html; charset=gb2312'>", words);
        let gbk = encoding_rs::GBK.encode(&page).0;
        let url = Url::parse("https://a.example/").unwrap();
        for charset in [None, Some("utf-8"), Some("gbk")] {
            assert!(extract(&body(&gbk, charset), &url).unwrap().contains(words), "{charset:?}");
        }
    }

    #[test]
    fn a_page_without_an_article_gives_none() {
        for page in ["", "<html><body></body></html>", "<script>location='/'</script>"] {
            assert!(matches!(found(page), Err(PageError::Nothing)), "{page}");
        }
        assert!(matches!(found(&"<p>x".repeat(20_000)), Err(PageError::TooLarge)));
        assert!(matches!(found(&"x".repeat(MAX_PAGE + 1)), Err(PageError::TooLarge)));
    }

    #[test]
    fn hostile_pages_end_soon() {
        let deep = |unit: &str, inner: &str, times| unit.repeat(250) + &inner.repeat(times);
        let mut pages = vec![
            deep("<div>", "<p>text, text, text,</p>", 14_000),
            deep("<div>", "<br>a<br>b,", 7_000),
            deep("<div><table><tr><td>", "<td>x, y", 6_000),
            deep("<section><h2>a</h2>", "<div><a href=x>a</a>, b</div>", 6_000),
            deep("<ul><li>", "<li><a href=x>a, b</a>", 6_000),
            format!("<div class='{}'><p>{}</p></div>", "comment ".repeat(100_000), ", ".repeat(400_000)),
            "<div><p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, b</p></div>".repeat(7_000),
            "<div>".repeat(250) + &("</div><div>x,".repeat(7_000)),
            "<span>x".repeat(200) + &"<div><div></div>".repeat(7_000),
        ];
        for unit in [
            "<div>",
            "<b><p>",
            "<a href=x>",
            "<ul><li>",
            "</p>",
            "<svg><title>",
            "<link rel=icon sizes=NaNxNaN href=x>",
            "<meta property=og:title content=x>",
        ] {
            pages.push(unit.repeat(MAX_PAGE / unit.len()));
            pages.push(unit.repeat(14_000));
        }
        for page in pages {
            let started = std::time::Instant::now();
            // A panic is met where it is called; here a page must only end.
            let _ = std::panic::catch_unwind(|| found(&page));
            assert!(started.elapsed() < std::time::Duration::from_mins(1), "{}", &page[..100]);
        }
    }
}
