-- +goose Up

-- Organisations (enti). What is filtered, sorted or joined by has a column, the
-- whole profile is in doc (JSON). Resource names are the keys.
CREATE TABLE organisations (
    name              TEXT   NOT NULL PRIMARY KEY,
    state             TEXT   NOT NULL CHECK (state IN ('ORGANISATION_STATE_DRAFT', 'ORGANISATION_STATE_PUBLISHED', 'ORGANISATION_STATE_ARCHIVED')),
    display_name      TEXT   NOT NULL CHECK (display_name <> ''),
    legal_form        TEXT   NOT NULL CHECK (legal_form <> ''),
    kinds             TEXT   NOT NULL, -- separated by spaces
    sectors           TEXT   NOT NULL, -- separated by spaces
    country           TEXT   NOT NULL,
    region            TEXT   NOT NULL,
    nuts              TEXT   NOT NULL,
    municipality_code TEXT   NOT NULL,
    province          TEXT   NOT NULL,
    parent_network    TEXT   NOT NULL CHECK (parent_network <> name),
    version           BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    events            BIGINT NOT NULL CHECK (events BETWEEN 0 AND 9007199254740991), -- told to the world so far
    created           BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    updated           BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 253402300799999999),
    published         BIGINT NOT NULL CHECK (published BETWEEN 0 AND 253402300799999999), -- 0: never
    doc               TEXT   NOT NULL
);

CREATE INDEX organisations_display_name ON organisations (display_name, name);
CREATE INDEX organisations_created ON organisations (created, name);
CREATE INDEX organisations_updated ON organisations (updated, name);
CREATE INDEX organisations_parent_network ON organisations (parent_network) WHERE parent_network <> '';

-- Identifiers that at most one organisation may hold: type/value.
CREATE TABLE organisation_identifiers (
    identifier   TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL
);

-- Changes of parent networks go one after another through this row, so that two
-- of them cannot close a cycle that neither sees.
CREATE TABLE parent_network_turn (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id IN (1)),
    turn BIGINT NOT NULL CHECK (turn BETWEEN 0 AND 9007199254740991)
);
INSERT INTO parent_network_turn (id, turn) VALUES (1, 0);

-- Who belongs to which organisation, with which role (appartenenze).
CREATE TABLE memberships (
    name         TEXT   NOT NULL PRIMARY KEY,
    organisation TEXT   NOT NULL,
    subject      TEXT   NOT NULL CHECK (subject <> ''),
    role         TEXT   NOT NULL CHECK (role IN ('ROLE_ORGANISATION_ADMIN', 'ROLE_PROJECT_MANAGER', 'ROLE_PROJECT_PARTNER', 'ROLE_TRAINER', 'ROLE_LEARNER', 'ROLE_SUPPLIER')),
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    UNIQUE (subject, organisation, role)
);

CREATE INDEX memberships_organisation ON memberships (organisation, name);

-- Controlled lists, each in one edition (vocabolari).
CREATE TABLE vocabularies (
    name       TEXT   NOT NULL PRIMARY KEY,
    code       TEXT   NOT NULL CHECK (code <> ''),
    edition    TEXT   NOT NULL CHECK (edition <> ''),
    valid_from TEXT   NOT NULL,
    valid_to   TEXT   NOT NULL,
    version    BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    -- Changes of broader terms go one after another through this column.
    turn       BIGINT NOT NULL DEFAULT 0 CHECK (turn BETWEEN 0 AND 9007199254740991),
    created    BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    updated    BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 253402300799999999),
    doc        TEXT   NOT NULL,
    UNIQUE (code, edition)
);

-- Their terms (voci).
CREATE TABLE terms (
    name          TEXT   NOT NULL PRIMARY KEY,
    vocabulary    TEXT   NOT NULL,
    code          TEXT   NOT NULL CHECK (code <> ''),
    label         TEXT   NOT NULL CHECK (label <> ''),
    broader       TEXT   NOT NULL CHECK (broader <> name),
    external_code TEXT   NOT NULL,
    valid_from    TEXT   NOT NULL,
    valid_to      TEXT   NOT NULL,
    version       BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    created       BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    updated       BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 253402300799999999),
    doc           TEXT   NOT NULL,
    UNIQUE (vocabulary, code)
);

CREATE INDEX terms_vocabulary ON terms (vocabulary, name);

-- +goose Down
DROP TABLE terms;
DROP TABLE vocabularies;
DROP TABLE memberships;
DROP TABLE parent_network_turn;
DROP TABLE organisation_identifiers;
DROP TABLE organisations;
