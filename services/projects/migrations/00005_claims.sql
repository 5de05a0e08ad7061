-- +goose Up

-- What of an expenditure is in submitted claims, certified and paid, in minor
-- units. Several funders may share one cost: reported and certified are the
-- largest figure that any one of them was shown, paid is what all of them paid.
-- The dates are those of the first submission and certification, '' before.
-- document is the normalised issuer, number and date; document_key adds the
-- total and the currency, and is what double funding is looked for by ('' where
-- there is no document, or no claim can be made on it).
ALTER TABLE expenditures ADD COLUMN reported BIGINT NOT NULL DEFAULT 0 CHECK (reported BETWEEN 0 AND 9223372036854775807);
ALTER TABLE expenditures ADD COLUMN certified BIGINT NOT NULL DEFAULT 0 CHECK (certified BETWEEN 0 AND 9223372036854775807);
ALTER TABLE expenditures ADD COLUMN paid BIGINT NOT NULL DEFAULT 0 CHECK (paid BETWEEN 0 AND 9223372036854775807);
ALTER TABLE expenditures ADD COLUMN reported_date TEXT NOT NULL DEFAULT '';
ALTER TABLE expenditures ADD COLUMN certified_date TEXT NOT NULL DEFAULT '';
ALTER TABLE expenditures ADD COLUMN document TEXT NOT NULL DEFAULT '';
ALTER TABLE expenditures ADD COLUMN document_key TEXT NOT NULL DEFAULT '';
ALTER TABLE expenditures ADD COLUMN document_total BIGINT NOT NULL DEFAULT 0 CHECK (document_total BETWEEN 0 AND 9223372036854775807);
CREATE INDEX expenditures_document ON expenditures (document) WHERE document <> '';
CREATE INDEX expenditures_document_key ON expenditures (document_key) WHERE document_key <> '';
CREATE INDEX expenditures_document_date ON expenditures (project, document_date);
CREATE INDEX budget_lines_organisation ON budget_lines (organisation, project);

ALTER TABLE projects ADD COLUMN reported BIGINT NOT NULL DEFAULT 0 CHECK (reported BETWEEN 0 AND 9223372036854775807);
ALTER TABLE projects ADD COLUMN certified BIGINT NOT NULL DEFAULT 0 CHECK (certified BETWEEN 0 AND 9223372036854775807);
ALTER TABLE projects ADD COLUMN paid BIGINT NOT NULL DEFAULT 0 CHECK (paid BETWEEN 0 AND 9223372036854775807);

-- One partner's report to one funder for one period (rendicontazione). The sums
-- are those of the claim's lines; funder_organisation is empty where the funder
-- is not in the catalogue.
CREATE TABLE claims (
    id                  TEXT   NOT NULL PRIMARY KEY,
    project             TEXT   NOT NULL REFERENCES projects (id),
    organisation        TEXT   NOT NULL,
    funder              TEXT   NOT NULL,
    funder_organisation TEXT   NOT NULL,
    period              TEXT   NOT NULL,
    start_date          TEXT   NOT NULL,
    end_date            TEXT   NOT NULL,
    state               TEXT   NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'IN_CONTROL', 'CERTIFIED', 'PAID', 'RETURNED', 'WITHDRAWN')),
    seen                BOOLEAN NOT NULL,
    submitted           BIGINT NOT NULL CHECK (submitted BETWEEN 0 AND 9000000000000000000),
    line_count          BIGINT NOT NULL CHECK (line_count BETWEEN 0 AND 1000000),
    claimed             BIGINT NOT NULL CHECK (claimed BETWEEN 0 AND 9223372036854775807),
    cut                 BIGINT NOT NULL CHECK (cut BETWEEN 0 AND 9223372036854775807),
    parked              BIGINT NOT NULL CHECK (parked BETWEEN 0 AND 9223372036854775807),
    certified           BIGINT NOT NULL CHECK (certified BETWEEN 0 AND 9223372036854775807),
    funding             BIGINT NOT NULL CHECK (funding BETWEEN 0 AND 9223372036854775807),
    paid                BIGINT NOT NULL CHECK (paid BETWEEN 0 AND 9223372036854775807),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    CHECK (cut + parked <= claimed),
    CHECK (paid <= funding)
);
CREATE INDEX claims_project ON claims (project, id);
CREATE INDEX claims_organisation ON claims (organisation, id);
CREATE INDEX claims_funder ON claims (funder_organisation, id) WHERE seen;
CREATE INDEX claims_state ON claims (state, id);

-- expenditure is NULL in a line that is computed (flat rate).
CREATE TABLE claim_lines (
    id          TEXT   NOT NULL PRIMARY KEY,
    claim       TEXT   NOT NULL REFERENCES claims (id),
    project     TEXT   NOT NULL REFERENCES projects (id),
    funder      TEXT   NOT NULL,
    expenditure TEXT   REFERENCES expenditures (id),
    budget_line TEXT   NOT NULL,
    category    TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('INCLUDED', 'CORRECTED', 'PARKED', 'REINCLUDED')),
    claimed     BIGINT NOT NULL CHECK (claimed BETWEEN 0 AND 9223372036854775807),
    cut         BIGINT NOT NULL CHECK (cut BETWEEN 0 AND 9223372036854775807),
    parked      BIGINT NOT NULL CHECK (parked BETWEEN 0 AND 9223372036854775807),
    funding     BIGINT NOT NULL CHECK (funding BETWEEN 0 AND 9223372036854775807),
    paid        BIGINT NOT NULL CHECK (paid BETWEEN 0 AND 9223372036854775807),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    doc         TEXT   NOT NULL,
    CHECK (cut + parked <= claimed),
    UNIQUE (claim, expenditure)
);
CREATE INDEX claim_lines_claim ON claim_lines (claim, id);
CREATE INDEX claim_lines_expenditure ON claim_lines (expenditure) WHERE expenditure IS NOT NULL;
CREATE INDEX claim_lines_budget_line ON claim_lines (budget_line);

-- Who did what with a claim, when and why.
CREATE TABLE claim_events (
    claim    TEXT   NOT NULL REFERENCES claims (id),
    sequence BIGINT NOT NULL CHECK (sequence BETWEEN 1 AND 9000000000000000000),
    happened BIGINT NOT NULL CHECK (happened BETWEEN 0 AND 9000000000000000000),
    doc      TEXT   NOT NULL,
    PRIMARY KEY (claim, sequence)
);

-- What the funder's rules said of a claim as it was submitted.
CREATE TABLE claim_findings (
    claim    TEXT   NOT NULL REFERENCES claims (id),
    sequence BIGINT NOT NULL CHECK (sequence BETWEEN 1 AND 9000000000000000000),
    severity TEXT   NOT NULL CHECK (severity IN ('BLOCK', 'WARN')),
    doc      TEXT   NOT NULL,
    PRIMARY KEY (claim, sequence)
);

-- What of each document is claimed over all projects of the network: never more
-- than its total (doppio finanziamento).
CREATE TABLE claimed_documents (
    document_key TEXT   NOT NULL PRIMARY KEY,
    total        BIGINT NOT NULL CHECK (total BETWEEN 1 AND 9223372036854775807),
    claimed      BIGINT NOT NULL CHECK (claimed BETWEEN 0 AND 9223372036854775807),
    locks        BIGINT NOT NULL DEFAULT 0 CHECK (locks BETWEEN 0 AND 9000000000000000000),
    CHECK (claimed <= total)
);
