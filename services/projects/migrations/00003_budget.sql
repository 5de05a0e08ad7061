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
