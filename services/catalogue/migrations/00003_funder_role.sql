-- +goose Up

-- A membership may give the role of a funder (finanziatore).
CREATE TABLE memberships_new (
    name         TEXT   NOT NULL PRIMARY KEY,
    organisation TEXT   NOT NULL,
    subject      TEXT   NOT NULL CHECK (subject <> ''),
    role         TEXT   NOT NULL CHECK (role IN ('ROLE_ORGANISATION_ADMIN', 'ROLE_PROJECT_MANAGER', 'ROLE_PROJECT_PARTNER', 'ROLE_TRAINER', 'ROLE_LEARNER', 'ROLE_SUPPLIER', 'ROLE_FUNDER')),
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 253402300799999999),
    UNIQUE (subject, organisation, role)
);
INSERT INTO memberships_new (name, organisation, subject, role, created) SELECT name, organisation, subject, role, created FROM memberships;
DROP TABLE memberships;
ALTER TABLE memberships_new RENAME TO memberships;
CREATE INDEX memberships_organisation ON memberships (organisation, name);
