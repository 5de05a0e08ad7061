-- +goose Up

-- Funders' rule sets. version is that of the newest; doc has its title and
-- funder.
CREATE TABLE rule_sets (
    slug      TEXT    NOT NULL PRIMARY KEY,
    programme TEXT    NOT NULL,
    shipped   BOOLEAN NOT NULL,
    version   BIGINT  NOT NULL CHECK (version BETWEEN 1 AND 999999),
    created   BIGINT  NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated   BIGINT  NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc       TEXT    NOT NULL
);
CREATE INDEX rule_sets_created ON rule_sets (created, slug);

-- Versions are only ever added. effective_to is empty for until the next one
-- begins. source is the document as it was published: what a claim was submitted
-- under is compiled from it again.
CREATE TABLE rule_set_versions (
    slug           TEXT   NOT NULL REFERENCES rule_sets (slug),
    version        BIGINT NOT NULL CHECK (version BETWEEN 1 AND 999999),
    effective_from TEXT   NOT NULL,
    effective_to   TEXT   NOT NULL,
    source         TEXT   NOT NULL,
    sha256         TEXT   NOT NULL,
    publisher      TEXT   NOT NULL,
    created        BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    PRIMARY KEY (slug, version)
);
