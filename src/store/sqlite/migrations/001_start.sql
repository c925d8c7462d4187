-- One row: what is true of the whole store.
CREATE TABLE store (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    id         TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    -- What of the configuration stands in every document, and since when.
    settings          TEXT    NOT NULL DEFAULT '',
    settings_modified INTEGER NOT NULL DEFAULT 0,
    -- Articles withdrawn before have no tombstone any more.
    tombstones_since  INTEGER NOT NULL DEFAULT 0,
    -- The generation up to which all articles can be searched.
    indexed           INTEGER NOT NULL DEFAULT 0,
    -- The generation up to which fragments were made, and the look that they have.
    made           INTEGER NOT NULL DEFAULT 0,
    look              INTEGER NOT NULL DEFAULT 0,
    -- The hash up to which new_lookups were taken to lookups, and the term up to which new_members were to members.
    lookups_settled   INTEGER NOT NULL DEFAULT 0,
    members_settled   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What an article can be chosen by: kind is the position in Kind::ALL. A term stays once it was published.
CREATE TABLE terms (
    id          INTEGER PRIMARY KEY,
    kind        INTEGER NOT NULL,
    slug        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    title       TEXT,
    description TEXT,
    picture     TEXT,
    by_hand     INTEGER NOT NULL DEFAULT 0, -- these three are; else an `_index.md` may set them
    articles    INTEGER NOT NULL DEFAULT 0, -- public ones
    alias_of    INTEGER REFERENCES terms (id),
    deleted     INTEGER,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    -- The generation that its articles are to get since its name changed, until all have it.
    restamp     INTEGER,
    UNIQUE (kind, slug)
) STRICT;

-- The other names of a term.
CREATE INDEX terms_by_target ON terms (alias_of) WHERE alias_of IS NOT NULL;

-- The directories and the sidebar: the largest terms of a kind.
CREATE INDEX terms_by_size ON terms (kind, articles DESC, slug);

CREATE TABLE sources (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT    NOT NULL,
    location      TEXT    NOT NULL,
    -- Whom it is asked at; a folder has none.
    host          TEXT,
    first_slug    TEXT    NOT NULL UNIQUE,
    term          INTEGER NOT NULL UNIQUE REFERENCES terms (id),
    title         TEXT    NOT NULL,
    settings      TEXT    NOT NULL,
    info          TEXT    NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    -- How it was read: a zone or a base URL that changes makes the files of a folder be read once more, other rules a feed of
    -- which some kept articles out.
    read_with     TEXT,
    created       INTEGER NOT NULL,
    first_read    INTEGER,
    last_read     INTEGER,
    last_good     INTEGER,
    due           INTEGER,
    leased_until  INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER,
    error         TEXT,
    problems      TEXT    NOT NULL DEFAULT '[]',
    repairs       TEXT    NOT NULL DEFAULT '[]',
    hints         TEXT    NOT NULL DEFAULT '{}',
    -- Its server wishes not to be asked before, by its last good answer.
    not_before    INTEGER,
    -- Where it redirects to for good, and on how many readings running.
    redirect      TEXT,
    redirects     INTEGER NOT NULL DEFAULT 0,
    -- What of its troubles is in events: 0 nothing, 1 that it fails, 2 that it is gone.
    told          INTEGER NOT NULL DEFAULT 0,
    -- The generation since which what it says of itself stands in all of its articles.
    shown_since   INTEGER NOT NULL DEFAULT 0,
    removed       INTEGER,
    UNIQUE (location, kind)
) STRICT;

-- Other URLs that lead to a source: where it was before it moved, the page that it was found from.
CREATE TABLE former_urls (
    url    TEXT    PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id)
) STRICT, WITHOUT ROWID;

-- Whom sources are asked at: one request at once, and none before both times.
CREATE TABLE hosts (
    name        TEXT    PRIMARY KEY,
    taken_until INTEGER NOT NULL DEFAULT 0, -- it is being asked, or was just asked
    rests_until INTEGER NOT NULL DEFAULT 0  -- it wishes to be left alone (Retry-After)
) STRICT, WITHOUT ROWID;

-- What failed, moved, died and recovered; the newest thousand.
CREATE TABLE events (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources (id),
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    words  TEXT    NOT NULL
) STRICT;

-- The poller: what is due.
CREATE INDEX sources_due ON sources (due) WHERE removed IS NULL AND due IS NOT NULL;

-- id is the number in the order of discovery; no row is ever deleted, and it is published nowhere.
-- gone: 0 public, 1 withdrawn, 2 withdrawn with its source, 3 dropped by a rule. ruled: what rules did with it.
CREATE TABLE articles (
    id              INTEGER PRIMARY KEY,
    source          INTEGER NOT NULL REFERENCES sources (id),
    guid            TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    public_id       TEXT    NOT NULL,
    link            TEXT,
    link_key        INTEGER, -- a short hash of the page
    title           TEXT,
    language        TEXT,
    translation_key TEXT,
    in_menu         INTEGER NOT NULL DEFAULT 0,
    in_story        INTEGER NOT NULL DEFAULT 0, -- an article of another source leads to the same page
    listed          INTEGER NOT NULL,
    discovered      INTEGER NOT NULL,
    published       INTEGER,
    updated         INTEGER,
    fingerprint     BLOB    NOT NULL,
    details         TEXT    NOT NULL,
    ruled           TEXT,
    changed         INTEGER NOT NULL,
    generation      INTEGER NOT NULL,
    gone            INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, guid)
) STRICT;

-- What changed since a generation: the sets in memory, the search and the deltas follow it. The sets need no more than this.
CREATE INDEX articles_by_generation ON articles (generation, listed, gone, in_story, changed);
-- The withdrawn, by when that was.
CREATE INDEX articles_withdrawn ON articles (changed) WHERE gone != 0;
-- The public or withdrawn articles of a source, taken chunk by chunk, and when it posted; recognition by title and date.
CREATE INDEX articles_by_state ON articles (source, gone, published);
-- The translations of an article.
CREATE INDEX articles_by_translation ON articles (source, translation_key) WHERE translation_key IS NOT NULL;
-- The menus of the site.
CREATE INDEX articles_in_menus ON articles (id) WHERE in_menu = 1 AND gone = 0;

-- Articles by short hashes of their keys, their published ids and the pages that they lead to (link_key): for their own
-- pages, recognition by link, stories, and whether a name is taken. New ones wait apart (sqlite/waiting.rs).
CREATE TABLE lookups (
    hash    INTEGER NOT NULL,
    article INTEGER NOT NULL,
    PRIMARY KEY (hash, article)
) STRICT, WITHOUT ROWID;

CREATE TABLE new_lookups (
    hash    INTEGER NOT NULL,
    article INTEGER NOT NULL,
    PRIMARY KEY (hash, article)
) STRICT, WITHOUT ROWID;

-- The keys that articles would have by the guids that they got later: links to a file that was moved.
CREATE TABLE later_keys (
    key     TEXT PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles (id)
) STRICT, WITHOUT ROWID;

-- The long texts, out of the way of the rows that lists walk over.
CREATE TABLE bodies (
    article  INTEGER PRIMARY KEY,
    lead     TEXT,
    summary  TEXT,
    content  TEXT,
    markdown TEXT
) STRICT;

-- Articles as they stand in the feeds of a format, compressed; what is missing is made when it is asked for. Each format has
-- a stretch of its own: id is the article's in its low 40 bits, the format's place above them.
CREATE TABLE fragments (
    id         INTEGER PRIMARY KEY,
    look       INTEGER NOT NULL,
    generation INTEGER NOT NULL, -- of the article
    changed    INTEGER NOT NULL,
    language   TEXT,
    namespaces INTEGER NOT NULL, -- those that it uses
    length     INTEGER NOT NULL,
    crc        INTEGER NOT NULL,
    block      BLOB    NOT NULL
) STRICT;

-- What was made of an article goes when the article changes: whatever is there is right, without a look at the article.
CREATE TRIGGER fragments_follow AFTER UPDATE OF generation ON articles BEGIN
    DELETE FROM fragments WHERE id IN (new.id, new.id + (1 << 40), new.id + (2 << 40));
END;

-- Which article has which term. origins: see Origins; 0: it has left.
-- gone: 1 if it has left, its article is withdrawn or its term deleted; such rows stay, for tombstones and deltas.
-- Articles and terms stay for ever, so that no row needs to be checked for pointing to one that is there.
CREATE TABLE memberships (
    article  INTEGER NOT NULL,
    term     INTEGER NOT NULL,
    gone     INTEGER NOT NULL,
    origins  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (article, term)
) STRICT, WITHOUT ROWID;

-- The same by term, without those that have left: what the sets in memory are made of. New ones wait apart.
CREATE TABLE members (
    term    INTEGER NOT NULL,
    article INTEGER NOT NULL,
    gone    INTEGER NOT NULL,
    PRIMARY KEY (term, article)
) STRICT, WITHOUT ROWID;

CREATE TABLE new_members (
    term    INTEGER NOT NULL,
    article INTEGER NOT NULL,
    gone    INTEGER NOT NULL,
    PRIMARY KEY (term, article)
) STRICT, WITHOUT ROWID;

-- A folder's files as they were last read.
CREATE TABLE files (
    source   INTEGER NOT NULL REFERENCES sources (id),
    path     TEXT    NOT NULL,
    modified INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    guid     TEXT,
    revisit  INTEGER,
    uses     TEXT    NOT NULL DEFAULT '[]',
    problem  TEXT,
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;

-- Files of page bundles, served beside their article.
CREATE TABLE attachments (
    article    INTEGER NOT NULL REFERENCES articles (id),
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    bytes      BLOB    NOT NULL,
    PRIMARY KEY (article, name)
) STRICT;

-- What each public article can be found by: tokens of our own making (model/folding.rs) in segments that do not change
-- (store/postings). A state is 0: being made, 1: live, 2: replaced, to be deleted.
CREATE TABLE segments (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    state    INTEGER NOT NULL,
    -- Sets of articles: all that it was made of, and those of them that have changed or gone since.
    articles BLOB    NOT NULL,
    gone     BLOB    NOT NULL,
    -- How many it was made of, the lowest and the highest of them.
    size     INTEGER NOT NULL,
    lowest   INTEGER NOT NULL,
    highest  INTEGER NOT NULL
) STRICT;

CREATE TABLE postings (
    id      INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    -- The first token of the block.
    first   BLOB    NOT NULL,
    block   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX postings_by_token ON postings (segment, first);

-- WebSub, our hub: what subscribers asked for and have not confirmed. The last word about a topic and a callback counts.
CREATE TABLE intents (
    topic    TEXT    NOT NULL,
    callback TEXT    NOT NULL,
    host     TEXT    NOT NULL,
    mode     TEXT    NOT NULL,
    secret   TEXT,
    lease    INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    PRIMARY KEY (topic, callback)
) STRICT, WITHOUT ROWID;

-- Feeds that are subscribed to: what their terms were like when they were last looked at, and their document's hash.
CREATE TABLE topics (
    url      TEXT PRIMARY KEY,
    stamp    TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    topic         TEXT    NOT NULL,
    callback      TEXT    NOT NULL,
    host          TEXT    NOT NULL,
    secret        TEXT,
    lease_ends    INTEGER NOT NULL,
    sent          TEXT, -- the hash of the last document that arrived
    failing_since INTEGER,
    UNIQUE (topic, callback)
) STRICT;

-- How many a host has.
CREATE INDEX subscriptions_by_host ON subscriptions (host);

-- What is to be sent: of each subscription the newest document, by its hash.
CREATE TABLE deliveries (
    subscription INTEGER PRIMARY KEY REFERENCES subscriptions (id) ON DELETE CASCADE,
    document     TEXT    NOT NULL,
    due          INTEGER NOT NULL,
    tries        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The messenger: what is due.
CREATE INDEX deliveries_due ON deliveries (due);

-- Up to which generation another hub was told of changes.
CREATE TABLE pings (
    hub        TEXT    PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- WebSub, the other side: the hubs that sources name, and what we ask of them. base: where our callback stood when we
-- last asked; pending_until: until then the hub may ask whether it was us.
CREATE TABLE hubs (
    source        INTEGER PRIMARY KEY REFERENCES sources (id),
    hub           TEXT    NOT NULL,
    topic         TEXT    NOT NULL,
    token         TEXT    NOT NULL UNIQUE,
    secret        TEXT    NOT NULL,
    mode          TEXT    NOT NULL,
    base          TEXT,
    pending_until INTEGER NOT NULL DEFAULT 0,
    lease_ends    INTEGER NOT NULL DEFAULT 0,
    due           INTEGER NOT NULL,
    tries         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What hubs pushed, until it is read.
CREATE TABLE pushed (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    source  INTEGER NOT NULL REFERENCES sources (id),
    body    BLOB    NOT NULL,
    charset TEXT
) STRICT;
