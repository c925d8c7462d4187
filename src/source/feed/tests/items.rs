//! What items say of themselves: links, ids, dates and titles, and items that say nothing.

use super::*;

#[test]
fn an_item_that_is_cut_before_it_has_an_id_is_left_for_the_next_time() {
    let feed = read("<rss><channel><item><title>a</title><link>https://e.example/a</link></item><item><title>b</title><link>https://e.exa");
    assert_eq!((feed.articles.len(), feed.passed_over[0].reason), (1, Omission::Cut));
    assert_eq!((feed.passed_over[0].article.title.as_deref(), feed.passed_over[0].before), (Some("b"), 1));
}

#[test]
fn an_item_that_says_nothing_is_passed_over_with_what_it_has() {
    for text in [
        "<rss><channel><item><title>a</title></item><item/><item><guid>x</guid><author>Una</author><category>t</category></item>\
         <item><title>b</title></item></channel></rss>",
        r#"{"items":[{"title":"a"},{},{"id":"x","authors":[{"name":"Una"}],"tags":["t"]},{"title":"b"}]}"#,
    ] {
        let feed = read(text);
        assert_eq!(feed.articles.len(), 2);
        let [nothing, something] = feed.passed_over.as_slice() else { panic!("{:?}", feed.passed_over) };
        assert_eq!((nothing.before, nothing.reason, something.before, something.reason), (1, Omission::Empty, 1, Omission::Empty));
        assert_eq!(nothing.article, Article { link: Link::Own, ..Article::default() });
        let article = &something.article;
        assert_eq!((article.guid.as_str(), article.authors[0].name.as_str(), article.tags.as_slice()), ("x", "Una", &["t".to_owned()][..]));
    }
}

#[test]
fn of_several_changes_the_last_one_counts() {
    let times = ["2024-05-06T00:00:00Z", "2024-05-08T00:00:00Z", "2024-05-07T00:00:00Z"];
    let changes = times.map(|time| format!("<updated>{time}</updated>")).concat();
    let feed = read(&format!("<feed><entry><title>a</title><published>{}</published>{changes}</entry></feed>", times[0]));
    assert_eq!((feed.articles[0].published, feed.articles[0].updated), (at(times[0]), at(times[1])));
}

#[test]
fn a_link_that_lost_its_scheme_is_no_path() {
    for (stated, expected) in [
        ("e.example/post?a#b", "https://e.example/post?a#b"),
        ("WWW.other.example/post", "https://www.other.example/post"),
        ("other.example/post", "https://e.example/blog/other.example/post"),
        ("post.html", "https://e.example/blog/post.html"),
    ] {
        let feed = read(&format!("<rss><channel><link>https://e.example/blog/</link><item><link>{stated}</link></item></channel></rss>"));
        assert_eq!(link(&feed.articles[0]), expected);
    }
}

#[test]
fn a_link_that_is_escaped_twice_leads_where_it_should() {
    let feed = read("<rss><channel><item><guid>1</guid><link>http://a.example/?a=1&amp;amp;b=2</link></item></channel></rss>");
    assert_eq!(link(&feed.articles[0]), "http://a.example/?a=1&b=2");
}

#[test]
fn a_link_may_stand_in_several_lines() {
    let feed = read("<rss><channel><item><guid>1</guid><link>\n  https://a.example/long/\r\n    path a\n</link></item></channel></rss>");
    assert_eq!(link(&feed.articles[0]), "https://a.example/long/path%20a");
}

#[test]
fn an_author_of_json_is_named_once_and_a_date_may_be_a_number() {
    let feed = read(
        r#"{"items":[{"id":"1","title":"a","date_published":1714990272,"date_modified":1714990273.5,
        "authors":[{"name":"B"},{"name":"A"},{"name":"B"}]}]}"#,
    );
    let item = &feed.articles[0];
    assert_eq!((item.published, item.updated), (at("2024-05-06T10:11:12Z"), at("2024-05-06T10:11:13Z")));
    assert_eq!(item.authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["B", "A"]);
}

#[test]
fn an_item_whose_link_nobody_can_follow_names_it_and_leads_to_its_own_page() {
    let feed = read(
        "<rss><channel><item><title>a</title><link>/a</link><guid isPermaLink='false'>1</guid></item>\
         <item><title>b</title><link/><guid>urn:uuid:b</guid></item>\
         <item><title>c</title><link> </link><guid isPermaLink='false'>3</guid></item></channel></rss>",
    );
    let named: Vec<_> = feed.articles.iter().map(|article| (article.link.named(), article.link.url())).collect();
    assert_eq!(named, [(Some("/a"), None), (Some("urn:uuid:b"), None), (None, None)]);
    let feed = read("<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>tag:a.example,2024:1</id><title>a</title></entry></feed>");
    assert_eq!(feed.articles[0].link, Link::Named("tag:a.example,2024:1".to_owned()));
}

#[test]
fn an_empty_link_is_none_and_of_several_links_or_dates_the_last_counts() {
    let feed = read(
        "<rss><channel><link>https://a.example/</link><item><title>a</title><link></link><guid>https://a.example/1</guid></item>\
         <item><title>b</title><link>https://a.example/2</link><link/></item>\
         <item><link>https://a.example/3</link><link>/4</link><pubDate>2024-05-01</pubDate><pubDate>2024-05-02T08:00:00+08:00</pubDate>\
         <pubDate>soon</pubDate></item></channel></rss>",
    );
    let links: Vec<_> = feed.articles.iter().map(link).collect();
    assert_eq!(links, ["https://a.example/1", "https://a.example/2", "https://a.example/4"]);
    assert_eq!(feed.articles[2].published, at("2024-05-02T00:00:00Z"));
}

#[test]
fn an_id_that_is_an_address_leads_there_however_its_scheme_is_written() {
    let feed = read("<feed><entry><id>HTTPS://e.example/a</id><title>a</title></entry></feed>");
    assert_eq!((link(&feed.articles[0]), feed.articles[0].guid.as_str()), ("HTTPS://e.example/a", "HTTPS://e.example/a"));
}

#[test]
fn an_entry_that_names_only_itself_as_a_page_leads_there() {
    for (stated, expected) in [
        ("<link rel='self' type='text/html' href='https://e.example/a'/>", "https://e.example/a"),
        ("<link rel='self' href='https://e.example/a'/>", ""),
        ("<link rel='self' type='application/atom+xml' href='https://e.example/a'/>", ""),
        ("<link rel='self' type='text/html' href='https://e.example/a'/><link href='https://e.example/b'/>", "https://e.example/b"),
    ] {
        let feed = read(&format!("<feed><entry><title>a</title>{stated}</entry></feed>"));
        assert_eq!(link(&feed.articles[0]), expected, "{stated}");
    }
}

#[test]
fn an_author_that_never_ends_takes_no_title_along() {
    for (author, name) in [("<author><name>Una</name><uri>https://e.example/una</uri>", "Una"), ("<author>Una", "Una")] {
        let feed = read(&format!("<feed><entry>{author}<title>a</title><link href='https://e.example/a'/></entry></feed>"));
        let item = &feed.articles[0];
        assert_eq!((item.title.as_deref(), link(item), item.authors[0].name.as_str()), (Some("a"), "https://e.example/a", name));
    }
}

#[test]
fn the_title_that_a_person_has_is_not_the_items() {
    for (author, titles) in [
        ("<author><name>Ann</name><title>CEO</title></author><title>Real</title>", [Some("Real"), Some("b")]),
        ("<AUTHOR><title>CEO</title><name>Ann</name></AUTHOR><title>Real</title>", [Some("Real"), Some("b")]),
        ("<author><name>Ann</name><title>Real</title>", [Some("Real"), Some("b")]),
        ("<author>Ann<title>Real</title></author>", [Some("Real"), Some("b")]),
    ] {
        let second = "<entry><title>b</title><author><name>Bo</name></author></entry>";
        let feed = read(&format!("<feed><entry><id>1</id>{author}</entry>{second}</feed>"));
        let found: Vec<_> = feed.articles.iter().map(|article| article.title.as_deref()).collect();
        assert_eq!((found.as_slice(), feed.articles[0].authors[0].name.as_str()), (&titles[..], "Ann"), "{author}");
    }
}

#[test]
fn a_link_written_as_text_is_one_of_its_relation() {
    let feed = read(
        "<feed><entry><title>a</title><link rel='enclosure'>https://e.example/file</link><link rel='alternate'>https://e.example/a</link>\
         </entry></feed>",
    );
    assert_eq!(link(&feed.articles[0]), "https://e.example/a");
}

#[test]
fn the_title_of_a_picture_in_the_content_is_not_the_items() {
    let feed = read(
        "<feed><entry><id>1</id><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Before</p>\
         <svg xmlns='http://www.w3.org/2000/svg'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>Tree</dc:title></metadata></svg>\
         <p>After</p></div></content></entry></feed>",
    );
    let item = &feed.articles[0];
    assert_eq!((item.title.as_deref(), item.content.as_deref().map(|html| html.contains("After"))), (None, Some(true)));
}

#[test]
fn items_that_share_an_id_stay_apart_and_keep_their_ids() {
    let feed = "<rss><channel><item><guid>x</guid><title>a</title></item><item><guid>x</guid><title>b</title></item><item><guid>x</guid><title>b</title></item></channel></rss>";
    let (first, again) = (read(feed), read(feed));
    assert_eq!((first.articles.len(), first.passed_over[0].reason), (2, Omission::Repeated));
    assert_ne!(first.articles[0].guid, first.articles[1].guid);
    assert_eq!(first, again);
}

#[test]
fn an_item_without_an_id_has_the_same_one_every_time() {
    let feed = |extra: &str| {
        read(&format!("<rss><channel>{extra}<item><title>a</title><pubDate>6 May 2024 10:00 GMT</pubDate></item></channel></rss>"))
    };
    let (alone, second) = (feed(""), feed("<item><title>new</title></item>"));
    assert_eq!(alone.articles[0].guid, second.articles[1].guid);
    assert_ne!(second.articles[0].guid, second.articles[1].guid);
}

#[test]
fn a_title_may_be_that_of_the_only_file_or_of_a_type_that_nobody_knows() {
    let feed = read(
        "<rss xmlns:media='http://search.yahoo.com/mrss/'><channel>\
         <item><media:content url='https://a.example/1.mp4' type='video/mp4'><media:title>Moo</media:title>\
         <media:description>A song.</media:description></media:content></item>\
         <item><link>https://a.example/2</link><media:content url='https://a.example/me.jpg' medium='image'><media:title>me</media:title></media:content></item>\
         <item><guid>3</guid><title type='application/x-custom'>test</title></item></channel></rss>",
    );
    let words = |place: usize| (feed.articles[place].title.as_deref(), feed.articles[place].content.as_deref());
    assert_eq!((words(0), words(1)), ((Some("Moo"), Some("A song.")), (None, None)));
    assert_eq!(words(2), (Some("test"), None));
}

#[test]
fn a_feed_that_was_encoded_twice_is_read_and_its_publisher_is_told() {
    let feed = read("<rss><channel><item><title>Le cinÃ©ma, le thÃ©Ã¢tre</title><link>http://a.example/</link></item></channel></rss>");
    assert_eq!(feed.articles[0].title.as_deref(), Some("Le cinéma, le théâtre"));
    assert!(feed.repairs[0].reason.starts_with("text that was encoded as UTF-8 twice"), "{:?}", feed.repairs);
}

#[test]
fn keywords_are_tags_where_an_item_has_no_others() {
    let feed = read(
        "<rss xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel>\
         <item><guid>1</guid><title>a</title><media:group><media:keywords>Home Tech, Bluetooth,, Home Tech</media:keywords></media:group></item>\
         <item><guid>2</guid><title>b</title><itunes:keywords>salt,pepper</itunes:keywords><category>Food</category></item></channel></rss>",
    );
    assert_eq!(feed.articles[0].tags, ["Home Tech", "Bluetooth"]);
    assert_eq!(feed.articles[1].tags, ["Food"]);
}

#[test]
fn a_title_of_atom_is_text_unless_it_says_otherwise_and_one_of_rss_is_html() {
    let title = |text: &str| read(text).articles[0].title.clone().unwrap();
    let escaped = "Fix &lt;a&gt; handling in &lt;b&gt;x&lt;/b&gt;";
    for attribute in ["", " type='text'"] {
        assert_eq!(title(&format!("<feed><entry><title{attribute}>{escaped}</title></entry></feed>")), "Fix <a> handling in <b>x</b>");
    }
    for attribute in [" type='html'", " mode='escaped'"] {
        assert_eq!(title(&format!("<feed><entry><title{attribute}>{escaped}</title></entry></feed>")), "Fix handling in x");
    }
    assert_eq!(title(&format!("<rss><channel><item><title>{escaped}</title></item></channel></rss>")), "Fix handling in x");
}

#[test]
fn letters_of_windows_1252_that_became_control_characters_are_read() {
    let feed = read(
        "<rss><channel><item><title>we\u{92}re 30\u{80}\u{81}</title><guid>1</guid><description>so\u{85} \u{1}</description></item></channel></rss>",
    );
    assert_eq!((feed.articles[0].title.as_deref(), feed.articles[0].content.as_deref()), (Some("we\u{2019}re 30€"), Some("so…")));
    assert_eq!(feed.repairs.len(), 1);
}

#[test]
fn a_film_that_is_called_an_image_is_a_film() {
    let feed = read(
        "<rss xmlns:media='http://search.yahoo.com/mrss/'><channel><item><guid>1</guid><description>x</description>\
         <media:content url='https://m.example/1.mp4' type='video/mp4' fileSize='9' medium='image'/></item></channel></rss>",
    );
    let item = &feed.articles[0];
    assert_eq!((item.thumbnail.as_ref(), item.enclosures[0].media_type.as_deref()), (None, Some("video/mp4")));
}

#[test]
fn categories_may_stand_in_a_list() {
    let list = "<categories>\n<category>Home Tech</category>\n<category>Bluetooth</category></categories>";
    let feed = read(&format!("<rss><channel><item><guid>1</guid><title>a</title>{list}<author>Una</author></item></channel></rss>"));
    assert_eq!(
        (feed.articles[0].tags.as_slice(), feed.articles[0].authors.len()),
        (&["Home Tech".to_owned(), "Bluetooth".to_owned()][..], 1)
    );
}

#[test]
fn a_guid_that_is_a_path_leads_where_the_feeds_links_lead() {
    for (guid, expected) in [
        ("<guid isPermaLink='true'>episode/1/</guid>", "https://e.example/blog/episode/1/"),
        ("<guid>/posts/1</guid>", "https://e.example/posts/1"),
        ("<guid>episode/1</guid>", ""),
        ("<guid isPermaLink='true'>1</guid>", ""),
        ("<guid isPermaLink='false'>/posts/1</guid>", ""),
    ] {
        let feed = read(&format!("<rss><channel xml:base='https://e.example/blog/'><item><title>a</title>{guid}</item></channel></rss>"));
        assert_eq!(link(&feed.articles[0]), expected, "{guid}");
    }
}

#[test]
fn an_entry_without_an_author_is_by_that_of_its_source() {
    let source = "<source><title>S</title><author><name>Ann</name><uri>https://s.example/</uri></author></source>";
    let feed = read(&format!(
        "<feed><author><name>Planet</name></author><entry><id>1</id><title>a</title>{source}</entry>\
         <entry><id>2</id><title>b</title>{source}<author><name>Bo</name></author></entry></feed>"
    ));
    let names: Vec<_> = feed.articles.iter().map(|article| article.authors[0].name.as_str()).collect();
    assert_eq!((names.as_slice(), feed.articles[1].authors.len()), (&["Ann", "Bo"][..], 1));
}
