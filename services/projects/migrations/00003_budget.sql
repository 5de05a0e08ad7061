-- +goose Up

-- How a line's amount is found and what it is for. work_package and deliverable
-- are ids of the project's own tasks and deliverables, empty for none.
ALTER TABLE budget_lines ADD COLUMN work_package TEXT NOT NULL DEFAULT '';
ALTER TABLE budget_lines ADD COLUMN method TEXT NOT NULL DEFAULT 'REAL' CHECK (method IN ('REAL', 'FLAT_RATE', 'UNIT_COST', 'LUMP_SUM'));
ALTER TABLE budget_lines ADD COLUMN deliverable TEXT NOT NULL DEFAULT '';
CREATE INDEX budget_lines_work_package ON budget_lines (work_package) WHERE work_package <> '';
CREATE INDEX budget_lines_deliverable ON budget_lines (deliverable) WHERE deliverable <> '';

-- Approved budgets, kept as they were.
CREATE TABLE budget_versions (
    id      TEXT   NOT NULL PRIMARY KEY,
    project TEXT   NOT NULL REFERENCES projects (id),
    number  BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    UNIQUE (project, number)
);

-- The rows of imported tables, by the key that they have in their source. line is
-- the budget line that a project's amount went to, or the expenditure that a
-- payment became; project is NULL for details of several.
CREATE TABLE imported_rows (
    source  TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('PROJECTS', 'DETAILS', 'PAYMENTS')),
    key     TEXT NOT NULL,
    hash    TEXT NOT NULL,
    cup     TEXT NOT NULL,
    project TEXT REFERENCES projects (id),
    line    TEXT NOT NULL,
    PRIMARY KEY (source, kind, key)
);
CREATE INDEX imported_rows_cup ON imported_rows (source, cup) WHERE kind = 'PROJECTS' AND cup <> '';
CREATE INDEX imported_rows_project ON imported_rows (project);
