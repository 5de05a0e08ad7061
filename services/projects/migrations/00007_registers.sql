-- +goose Up

-- The entries of a project's registers: issues, decisions and so on, one register
-- for each collection of resource names. pending: it still asks for something;
-- due: until when, empty for no date.
CREATE TABLE register_entries (
    register     TEXT    NOT NULL CHECK (register IN ('risks', 'issues', 'decisions', 'changeRequests', 'communications',
                                                      'procurements', 'qualityChecks', 'responsibilities', 'gateApprovals')),
    id           TEXT    NOT NULL,
    project      TEXT    NOT NULL REFERENCES projects (id),
    organisation TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state <> ''),
    pending      BOOLEAN NOT NULL,
    due          TEXT    NOT NULL,
    task         TEXT    NOT NULL,
    deliverable  TEXT    NOT NULL,
    score        BIGINT  NOT NULL CHECK (score BETWEEN 0 AND 25),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    PRIMARY KEY (register, id),
    CHECK (state IN ('OPEN', 'HAPPENED', 'CLOSED') OR register <> 'risks'),
    CHECK (state IN ('OPEN', 'IN_PROGRESS', 'RESOLVED', 'CLOSED') OR register <> 'issues'),
    CHECK (state IN ('DRAFT', 'TAKEN', 'SUPERSEDED') OR register <> 'decisions'),
    CHECK (state IN ('PROPOSED', 'UNDER_REVIEW', 'APPROVED', 'REJECTED', 'IMPLEMENTED', 'WITHDRAWN') OR register <> 'changeRequests'),
    CHECK (state IN ('ACTIVE', 'ENDED') OR register <> 'communications'),
    CHECK (state IN ('PLANNED', 'LAUNCHED', 'AWARDED', 'DELIVERED', 'CLOSED', 'CANCELLED') OR register <> 'procurements'),
    CHECK (state IN ('PLANNED', 'PASSED', 'FAILED') OR register <> 'qualityChecks'),
    CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN') OR register <> 'gateApprovals')
);
CREATE INDEX register_entries_project ON register_entries (project, register, id);
CREATE INDEX register_entries_due ON register_entries (due, project) WHERE pending;
CREATE INDEX register_entries_project_due ON register_entries (project, due) WHERE pending;
CREATE UNIQUE INDEX register_entries_approval ON register_entries (project) WHERE register = 'gateApprovals' AND state = 'PENDING';

INSERT INTO register_entries (register, id, project, organisation, state, pending, due, task, deliverable, score, version, created, updated, doc)
    SELECT 'risks', id, project, '', state, state = 'OPEN', '', '', '', score, version, created, updated, doc FROM risks;
DROP TABLE risks;

-- What was done to gates and registers; nothing of it changes or goes away.
CREATE TABLE trail (
    id       TEXT   NOT NULL PRIMARY KEY,
    project  TEXT   NOT NULL REFERENCES projects (id),
    resource TEXT   NOT NULL,
    action   TEXT   NOT NULL,
    act_time BIGINT NOT NULL CHECK (act_time BETWEEN 0 AND 9000000000000000000),
    doc      TEXT   NOT NULL
);
CREATE INDEX trail_project ON trail (project, id);

-- The templates of the network, its programmes and its bodies, in place of or
-- beside those shipped.
CREATE TABLE gate_templates (
    id           TEXT   NOT NULL PRIMARY KEY,
    programme    TEXT   NOT NULL,
    organisation TEXT   NOT NULL,
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX gate_templates_programme ON gate_templates (programme) WHERE programme <> '';
CREATE INDEX gate_templates_organisation ON gate_templates (organisation) WHERE organisation <> '';

INSERT INTO gate_templates (id, programme, organisation, version, created, updated, doc)
    SELECT 'default', '', '', version, created, updated, '{"title":{"text":"Modello della rete","language":"it"},' || SUBSTR(doc, 2) FROM gate_template;
DROP TABLE gate_template;
