//! The table of keys: what there is to configure, and what each takes. The documentation and `--print-config` are held
//! against it; it reads no value.

/// One key: its name, what it takes, its default as text, and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// With its table: `poll.min`.
    pub name: &'static str,
    /// What a value looks like.
    pub takes: &'static str,
    /// As it would be written; empty: none.
    pub default: &'static str,
    /// One sentence.
    pub about: &'static str,
}

impl Key {
    /// Whether it takes a list.
    pub(super) fn is_list(&self) -> bool {
        self.name == "poll.allow_addresses"
    }
}

const fn key(name: &'static str, takes: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, takes, default, about }
}

/// All keys there are.
pub const KEYS: [Key; 25] = [
    key("title", "a text", "Feedmill", "the site's name"),
    key("description", "a text", "Many feeds in; one feed per category, tag or question out", "one sentence about the site"),
    key("public_url", "an http or https URL", "", "where readers reach the site; every link is built from it"),
    key("bind", "an address and a port, such as `127.0.0.1:8080`, or a port alone", "127.0.0.1:8080", "where the server listens"),
    key("store", "`sqlite:` and a path", "sqlite:feedmill.db", "where articles are kept"),
    key("timezone", "an IANA time zone, such as `Asia/Shanghai`", "", "for dates that name none; the machine's by default"),
    key("detect_languages", "true or false", "true", "whether the language of an article is found out where nobody states it"),
    key("workers", "a whole number", "", "threads that answer requests; one for each core by default"),
    key("cache.size", "a size, such as `32MiB`", "32MiB", "memory for published documents"),
    key("folder.rescan", "a duration, such as `2s`", "2s", "how often `serve` looks for changed files that the system does not tell of"),
    key("folder.max_file", "a size, such as `5MiB`", "5MiB", "the largest Markdown file"),
    key("folder.max_bundle_file", "a size, such as `10MiB`", "10MiB", "the largest file of a page bundle"),
    key("poll.min", "a duration, such as `15m`", "15m", "no feed is asked sooner again"),
    key("poll.every", "a duration, such as `30m`", "30m", "how often a feed is asked whose posts have no dates"),
    key("poll.max", "a duration, such as `24h`", "24h", "no feed is left for longer"),
    key("poll.timeout", "a duration, such as `30s`", "30s", "how long one answer may take"),
    key("poll.max_body", "a size, such as `10MiB`", "10MiB", "the largest answer, decompressed"),
    key("poll.max_articles", "a whole number", "2000", "the most articles of one polled document"),
    key("poll.max_redirects", "a whole number", "5", "how many redirects are followed for one answer"),
    key("poll.concurrency", "a whole number", "32", "how many sources are read at once"),
    key("poll.spacing", "a duration, such as `2s`; `0s` for none", "2s", "the pause between two requests to one host"),
    key("poll.proxy", "the URL of a proxy, http:// or socks5h://", "", "what feeds are asked through; directly by default"),
    key(
        "poll.allow_addresses",
        "IP addresses or networks, such as `[\"192.168.1.0/24\"]`",
        "",
        "private addresses that may be fetched from",
    ),
    key(
        "hub.max_subscriptions",
        "a whole number; 0 for no hub",
        "10000",
        "how many subscriptions the hub keeps, a tenth of them of one host",
    ),
    key("hub.external", "an http or https URL", "", "another hub that feeds name in place of our own"),
];
