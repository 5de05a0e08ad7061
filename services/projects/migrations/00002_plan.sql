-- +goose Up

-- Floats are minutes from now on, which the old column's range does not hold.
-- start_date and finish_date are the days of the scheduled dates, computed is the
-- rest of what is computed, as JSON.
ALTER TABLE tasks DROP COLUMN total_float;
ALTER TABLE tasks ADD COLUMN float_minutes BIGINT NOT NULL DEFAULT 0 CHECK (float_minutes BETWEEN -1000000000 AND 1000000000);
ALTER TABLE tasks ADD COLUMN start_date TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN finish_date TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN computed TEXT NOT NULL DEFAULT '{}';
UPDATE tasks SET start_date = early_start, finish_date = early_finish;
DROP INDEX tasks_pending;
CREATE INDEX tasks_pending ON tasks (finish_date, project) WHERE done < 100;

-- Working calendars.
CREATE TABLE calendars (
    id      TEXT   NOT NULL PRIMARY KEY,
    project TEXT   NOT NULL REFERENCES projects (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX calendars_project ON calendars (project);

-- Who and what does the work.
CREATE TABLE resources (
    id           TEXT   NOT NULL PRIMARY KEY,
    project      TEXT   NOT NULL REFERENCES projects (id),
    organisation TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('PERSON', 'EQUIPMENT')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX resources_project ON resources (project);

-- How a plan is scheduled as a whole; a project without a row has the defaults.
-- plan_version counts the changes of the plan, version those of the settings;
-- plan_token is another after each change of the plan, never to come again.
CREATE TABLE schedules (
    project      TEXT   NOT NULL PRIMARY KEY REFERENCES projects (id),
    plan_version BIGINT NOT NULL CHECK (plan_version BETWEEN 0 AND 9000000000000000000),
    plan_token   TEXT   NOT NULL,
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);

CREATE TABLE baselines (
    id      TEXT   NOT NULL PRIMARY KEY,
    project TEXT   NOT NULL REFERENCES projects (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL
);
CREATE INDEX baselines_project ON baselines (project);

-- The tasks of a baseline stay when the task itself is deleted.
CREATE TABLE baseline_tasks (
    baseline TEXT NOT NULL REFERENCES baselines (id),
    task     TEXT NOT NULL,
    start_time TEXT NOT NULL,
    doc      TEXT NOT NULL,
    PRIMARY KEY (baseline, task)
);
