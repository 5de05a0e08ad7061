-- +goose Up

-- One table for the six kinds of entries. What is filtered, sorted or joined by
-- has a column, the rest of an entry is in doc (JSON: card and body).
CREATE TABLE entries (
    name         TEXT   NOT NULL PRIMARY KEY, -- resource name
    kind         TEXT   NOT NULL CHECK (kind IN ('solution', 'service_offering', 'need', 'idea', 'job_profile', 'event')),
    organisation TEXT   NOT NULL, -- resource name of the owner
    state        TEXT   NOT NULL CHECK (state IN ('ENTRY_STATE_DRAFT', 'ENTRY_STATE_PUBLISHED', 'ENTRY_STATE_ARCHIVED')),
    visibility   TEXT   NOT NULL CHECK (visibility IN ('ENTRY_VISIBILITY_OWN', 'ENTRY_VISIBILITY_NETWORK', 'ENTRY_VISIBILITY_PUBLIC')),
    category     TEXT   NOT NULL,
    detail       TEXT   NOT NULL, -- maturity, mode, urgency, stage, area or kind of event
    starts       BIGINT NOT NULL CHECK (starts BETWEEN -62135596800000000 AND 253402300799999999), -- of an event; else 0
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    events       BIGINT NOT NULL CHECK (events BETWEEN 0 AND 9007199254740991), -- told to the world so far
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    updated      BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 253402300799999999),
    published    BIGINT NOT NULL CHECK (published BETWEEN 0 AND 253402300799999999), -- 0: never
    doc          TEXT   NOT NULL
);

CREATE INDEX entries_kind ON entries (kind, name);
CREATE INDEX entries_owner ON entries (organisation, kind, name);
CREATE INDEX entries_updated ON entries (kind, updated, name);
CREATE INDEX entries_starts ON entries (kind, starts, name);

-- +goose Down
DROP TABLE entries;
