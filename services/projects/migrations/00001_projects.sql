-- +goose Up

-- Project cards. planned, spent and granted are the sums over the budget lines,
-- the expenditures and the grants, kept with every change under the row's lock.
CREATE TABLE projects (
    id           TEXT   NOT NULL PRIMARY KEY,
    organisation TEXT   NOT NULL,
    match_name   TEXT   UNIQUE,
    currency     TEXT   NOT NULL,
    phase        TEXT   NOT NULL CHECK (phase IN ('INITIATION', 'PLANNING', 'EXECUTION', 'CLOSING', 'CLOSED')),
    territory    TEXT   NOT NULL,
    start_date   TEXT   NOT NULL,
    end_date     TEXT   NOT NULL CHECK (end_date >= start_date),
    closed       BIGINT NOT NULL CHECK (closed BETWEEN 0 AND 9000000000000000000),
    locks        BIGINT NOT NULL DEFAULT 0 CHECK (locks BETWEEN 0 AND 9000000000000000000),
    granted      BIGINT NOT NULL CHECK (granted BETWEEN 0 AND 9223372036854775807),
    planned      BIGINT NOT NULL CHECK (planned BETWEEN 0 AND 9223372036854775807),
    spent        BIGINT NOT NULL CHECK (spent BETWEEN 0 AND 9223372036854775807),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX projects_organisation ON projects (organisation);
CREATE INDEX projects_phase ON projects (phase);
CREATE INDEX projects_territory ON projects (territory);
CREATE INDEX projects_created ON projects (created, id);

-- Who takes part: what everybody's view of a project is joined with.
CREATE TABLE project_partners (
    project      TEXT    NOT NULL REFERENCES projects (id),
    organisation TEXT    NOT NULL,
    lead         BOOLEAN NOT NULL,
    PRIMARY KEY (organisation, project)
);
CREATE INDEX project_partners_project ON project_partners (project);
CREATE UNIQUE INDEX project_partners_lead ON project_partners (project) WHERE lead;

-- The programmes of a project's funders.
CREATE TABLE project_programmes (
    project   TEXT NOT NULL REFERENCES projects (id),
    programme TEXT NOT NULL,
    PRIMARY KEY (programme, project)
);
CREATE INDEX project_programmes_project ON project_programmes (project);

CREATE TABLE phase_moves (
    project TEXT   NOT NULL REFERENCES projects (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    moved   BIGINT NOT NULL CHECK (moved BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    PRIMARY KEY (project, version)
);

CREATE TABLE gates (
    project TEXT   NOT NULL REFERENCES projects (id),
    gate    TEXT   NOT NULL CHECK (gate IN ('rfp', 'rfe', 'rfc', 'close')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    PRIMARY KEY (project, gate)
);

-- One row at most: the network's own template in place of the default.
CREATE TABLE gate_template (
    id      TEXT   NOT NULL PRIMARY KEY CHECK (id = 'gateTemplate'),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);

CREATE TABLE risks (
    id      TEXT   NOT NULL PRIMARY KEY,
    project TEXT   NOT NULL REFERENCES projects (id),
    state   TEXT   NOT NULL CHECK (state IN ('OPEN', 'HAPPENED', 'CLOSED')),
    score   BIGINT NOT NULL CHECK (score BETWEEN 1 AND 25),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX risks_project ON risks (project);

-- The dates, float and done are computed; version does not cover them.
CREATE TABLE tasks (
    id           TEXT    NOT NULL PRIMARY KEY,
    project      TEXT    NOT NULL REFERENCES projects (id),
    organisation TEXT    NOT NULL,
    early_start  TEXT    NOT NULL,
    early_finish TEXT    NOT NULL,
    late_start   TEXT    NOT NULL,
    late_finish  TEXT    NOT NULL,
    total_float  BIGINT  NOT NULL CHECK (total_float BETWEEN -100000 AND 100000),
    critical     BOOLEAN NOT NULL,
    summary      BOOLEAN NOT NULL,
    done         BIGINT  NOT NULL CHECK (done BETWEEN 0 AND 100),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX tasks_project ON tasks (project);
CREATE INDEX tasks_pending ON tasks (early_finish, project) WHERE done < 100;

CREATE TABLE deliverables (
    id           TEXT   NOT NULL PRIMARY KEY,
    project      TEXT   NOT NULL REFERENCES projects (id),
    organisation TEXT   NOT NULL,
    task         TEXT   REFERENCES tasks (id),
    due_date     TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('PLANNED', 'SUBMITTED', 'ACCEPTED', 'RETURNED')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX deliverables_project ON deliverables (project);
CREATE INDEX deliverables_task ON deliverables (task);
CREATE INDEX deliverables_pending ON deliverables (due_date, project) WHERE state IN ('PLANNED', 'RETURNED');

-- Amounts in minor units of the project's currency.
CREATE TABLE budget_lines (
    id           TEXT   NOT NULL PRIMARY KEY,
    project      TEXT   NOT NULL REFERENCES projects (id),
    organisation TEXT   NOT NULL,
    category     TEXT   NOT NULL,
    amount       BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 9223372036854775807),
    spent        BIGINT NOT NULL CHECK (spent BETWEEN 0 AND 9223372036854775807),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX budget_lines_project ON budget_lines (project);

CREATE TABLE expenditures (
    id            TEXT   NOT NULL PRIMARY KEY,
    project       TEXT   NOT NULL REFERENCES projects (id),
    organisation  TEXT   NOT NULL,
    line          TEXT   NOT NULL REFERENCES budget_lines (id),
    document_date TEXT   NOT NULL,
    amount        BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 9223372036854775807),
    state         TEXT   NOT NULL CHECK (state IN ('RECORDED', 'VOIDED')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX expenditures_project ON expenditures (project);
CREATE INDEX expenditures_line ON expenditures (line);

-- organisation is the partner in charge of the cause. A cause has one open alert.
CREATE TABLE alerts (
    id           TEXT   NOT NULL PRIMARY KEY,
    project      TEXT   NOT NULL REFERENCES projects (id),
    organisation TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('TASK_LATE', 'LINE_OVERSPENT', 'DELIVERABLE_OVERDUE')),
    cause        TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('OPEN', 'CLOSED')),
    opened       BIGINT NOT NULL CHECK (opened BETWEEN 0 AND 9000000000000000000),
    closed       BIGINT NOT NULL CHECK (closed BETWEEN 0 AND 9000000000000000000),
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000)
);
CREATE INDEX alerts_project ON alerts (project);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, cause) WHERE state = 'OPEN';

CREATE TABLE lessons (
    id           TEXT   NOT NULL PRIMARY KEY,
    project      TEXT   NOT NULL REFERENCES projects (id),
    organisation TEXT   NOT NULL,
    sharing      TEXT   NOT NULL CHECK (sharing IN ('OWN', 'NETWORK', 'PUBLIC')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX lessons_project ON lessons (project);

CREATE TABLE lesson_tags (
    lesson TEXT NOT NULL REFERENCES lessons (id),
    tag    TEXT NOT NULL,
    PRIMARY KEY (tag, lesson)
);
CREATE INDEX lesson_tags_lesson ON lesson_tags (lesson);
