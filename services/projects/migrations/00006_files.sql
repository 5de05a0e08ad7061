-- +goose Up

-- The contents in the file store, by their SHA-256. A content is written down
-- here before it is put there and struck out after it is removed from there, so
-- that nothing in the store is unknown. touched is when somebody last wanted it.
-- Once doomed is set nobody may point to it any more: it is being removed.
CREATE TABLE blobs (
    sha256     TEXT    NOT NULL PRIMARY KEY,
    size_bytes BIGINT  NOT NULL CHECK (size_bytes BETWEEN 1 AND 1073741824),
    touched    BIGINT  NOT NULL CHECK (touched BETWEEN 0 AND 9000000000000000000),
    doomed     BOOLEAN NOT NULL
);
CREATE INDEX blobs_touched ON blobs (touched);

-- shared: every partner of the project reads it, not only the organisation whose
-- it is.
CREATE TABLE files (
    id           TEXT    NOT NULL PRIMARY KEY,
    project      TEXT    NOT NULL REFERENCES projects (id),
    organisation TEXT    NOT NULL,
    sha256       TEXT    NOT NULL REFERENCES blobs (sha256),
    size_bytes   BIGINT  NOT NULL CHECK (size_bytes BETWEEN 1 AND 1073741824),
    media_type   TEXT    NOT NULL,
    shared       BOOLEAN NOT NULL,
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    UNIQUE (project, organisation, sha256)
);
CREATE INDEX files_project ON files (project, id);
CREATE INDEX files_sha256 ON files (sha256);

-- What refers to a file: user_name is a resource name. A file with a row here
-- cannot be deleted. reader is an organisation outside the project (a funder)
-- that may read the file because of it; empty for none.
CREATE TABLE file_uses (
    file      TEXT NOT NULL REFERENCES files (id),
    user_name TEXT NOT NULL,
    project   TEXT NOT NULL REFERENCES projects (id),
    reader    TEXT NOT NULL,
    PRIMARY KEY (file, user_name)
);
CREATE INDEX file_uses_user ON file_uses (user_name);
CREATE INDEX file_uses_reader ON file_uses (reader, project) WHERE reader <> '';
