-- One row: what is true of the whole store.
CREATE TABLE store (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    id         TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    -- What of the configuration stands in every document, and since when.
    settings          TEXT    NOT NULL DEFAULT '',
    settings_modified INTEGER NOT NULL DEFAULT 0
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
    first_slug    TEXT    NOT NULL UNIQUE,
    term          INTEGER NOT NULL UNIQUE REFERENCES terms (id),
    title         TEXT    NOT NULL,
    settings      TEXT    NOT NULL,
    info          TEXT    NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    -- How its files were read: a zone or a base URL that changes makes them be read once more.
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
    removed       INTEGER,
    UNIQUE (kind, location)
) STRICT;

-- The poller: what is due.
CREATE INDEX sources_due ON sources (due) WHERE removed IS NULL AND due IS NOT NULL;

-- id is the number in the order of discovery; it is never used again and published nowhere.
-- gone: 0 public, 1 withdrawn, 2 withdrawn with its source, 3 dropped by a rule. ruled: what rules did with it.
CREATE TABLE articles (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    source          INTEGER NOT NULL REFERENCES sources (id),
    guid            TEXT    NOT NULL,
    key             TEXT    NOT NULL UNIQUE,
    public_id       TEXT    NOT NULL UNIQUE,
    link            TEXT,
    link_key        TEXT,
    title           TEXT,
    language        TEXT,
    translation_key TEXT,
    in_menu         INTEGER NOT NULL DEFAULT 0,
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

-- Everything, newest first.
CREATE INDEX articles_newest ON articles (listed DESC, id DESC) WHERE gone = 0;
-- The public or withdrawn articles of a source, taken chunk by chunk.
CREATE INDEX articles_by_state ON articles (source, gone);
-- Recognition by link within a source; whether any article has a link.
CREATE INDEX articles_by_link ON articles (link_key, source) WHERE link_key IS NOT NULL;
-- Recognition by title and date within a source.
CREATE INDEX articles_by_date ON articles (source, published);
-- Recognition of a file that was moved.
CREATE INDEX articles_by_fingerprint ON articles (source, fingerprint);
-- The translations of an article.
CREATE INDEX articles_by_translation ON articles (source, translation_key) WHERE translation_key IS NOT NULL;
-- The menus of the site.
CREATE INDEX articles_in_menus ON articles (id) WHERE in_menu = 1 AND gone = 0;

-- The keys that articles would have by the guids that they got later: links to a file that was moved.
CREATE TABLE later_keys (
    key     TEXT PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles (id)
) STRICT, WITHOUT ROWID;

-- The long texts, out of the way of the rows that lists walk over.
CREATE TABLE bodies (
    article  INTEGER PRIMARY KEY REFERENCES articles (id),
    lead     TEXT,
    summary  TEXT,
    content  TEXT,
    markdown TEXT
) STRICT;

-- Which article has which term, clustered for "the newest of a term". origins: see Origins; 0: it has left.
-- gone: 1 if it has left, its article is withdrawn or its term deleted; such rows stay, for tombstones and deltas.
CREATE TABLE memberships (
    term       INTEGER NOT NULL REFERENCES terms (id),
    gone       INTEGER NOT NULL,
    listed     INTEGER NOT NULL,
    article    INTEGER NOT NULL REFERENCES articles (id),
    origins    INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (term, gone, listed DESC, article DESC)
) STRICT, WITHOUT ROWID;

-- The terms of an article.
CREATE INDEX memberships_of_article ON memberships (article, term);

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
