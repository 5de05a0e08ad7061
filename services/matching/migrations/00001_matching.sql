-- +goose Up

-- What may be matched: the catalogue's entries as events told of them, reduced
-- to what judging looks at. version is the catalogue's, so that a late event
-- never overwrites a newer one; an entry that was taken out of view stays as a
-- tombstone with listed = FALSE.
CREATE TABLE entries (
    name         TEXT    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL CHECK (kind IN ('need', 'solution', 'service_offering')),
    organisation TEXT    NOT NULL,
    version      BIGINT  NOT NULL CHECK (version BETWEEN 1 AND 9223372036854775807),
    listed       BOOLEAN NOT NULL,
    doc          TEXT    NOT NULL
);

-- The words by which two entries find each other.
CREATE TABLE entry_keys (
    key   TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (key, entry)
);
CREATE INDEX entry_keys_entry ON entry_keys (entry);

CREATE TABLE programmes (
    id          TEXT   NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9223372036854775807),
    create_time BIGINT NOT NULL CHECK (create_time BETWEEN 1 AND 9223372036854775807),
    update_time BIGINT NOT NULL CHECK (update_time BETWEEN 1 AND 9223372036854775807),
    doc         TEXT   NOT NULL
);

-- Every pair that keeps its programme's rules. id is supply|demand: unique
-- within a programme, and equal scores go by the supply's name.
CREATE TABLE candidates (
    programme           TEXT   NOT NULL,
    id                  TEXT   NOT NULL,
    demand              TEXT   NOT NULL,
    demand_organisation TEXT   NOT NULL,
    supply              TEXT   NOT NULL,
    supply_organisation TEXT   NOT NULL,
    score               BIGINT NOT NULL CHECK (score BETWEEN 0 AND 1000000),
    doc                 TEXT   NOT NULL,
    PRIMARY KEY (programme, id)
);
CREATE INDEX candidates_demand ON candidates (programme, demand, score);
CREATE INDEX candidates_score ON candidates (programme, score);
CREATE INDEX candidates_of_demand ON candidates (demand);
CREATE INDEX candidates_of_supply ON candidates (supply);

CREATE TABLE matches (
    id                  TEXT   NOT NULL PRIMARY KEY,
    version             BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9223372036854775807),
    programme           TEXT   NOT NULL,
    demand              TEXT   NOT NULL,
    demand_organisation TEXT   NOT NULL,
    supply              TEXT   NOT NULL,
    supply_organisation TEXT   NOT NULL,
    state               TEXT   NOT NULL CHECK (state IN ('proposed', 'active', 'declined', 'expired')),
    score               BIGINT NOT NULL CHECK (score BETWEEN 0 AND 1000000),
    expire_time         BIGINT NOT NULL CHECK (expire_time BETWEEN 1 AND 9223372036854775807),
    create_time         BIGINT NOT NULL CHECK (create_time BETWEEN 1 AND 9223372036854775807),
    update_time         BIGINT NOT NULL CHECK (update_time BETWEEN 1 AND 9223372036854775807),
    doc                 TEXT   NOT NULL
);
-- A pair has one live match at a time.
CREATE UNIQUE INDEX matches_live ON matches (programme, demand, supply) WHERE state IN ('proposed', 'active');
CREATE INDEX matches_demand_organisation ON matches (demand_organisation);
CREATE INDEX matches_supply_organisation ON matches (supply_organisation);
CREATE INDEX matches_expiry ON matches (expire_time) WHERE state = 'proposed';

-- One row whose update is the lock of every computation of candidates: an event
-- and a changed programme never compute at the same time.
CREATE TABLE recompute_lock (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT  NOT NULL
);
INSERT INTO recompute_lock (id, n) VALUES (1, 0);
