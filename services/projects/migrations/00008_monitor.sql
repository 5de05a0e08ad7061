-- +goose Up

-- What was reported done, and when: earned value over time. The percentage is
-- what the task had from then on.
CREATE TABLE progress_log (
    project TEXT   NOT NULL,
    task    TEXT   NOT NULL,
    at      BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000000),
    percent BIGINT NOT NULL CHECK (percent BETWEEN 0 AND 100),
    PRIMARY KEY (project, task, at)
);

-- How often each part of the projects has changed, by the end of their ids: what
-- a replica keeps in memory of a part is good as long as this is the same. Every
-- transaction that locks a project counts its part up.
CREATE TABLE project_parts (
    part    TEXT   NOT NULL PRIMARY KEY,
    changes BIGINT NOT NULL CHECK (changes BETWEEN 1 AND 9000000000000000000)
);
CREATE INDEX projects_part ON projects (substr(id, 34, 3));
CREATE INDEX tasks_unfinished ON tasks (project, finish_date) WHERE done < 100 AND NOT summary;

-- When the alert rules are to be looked at again, in microseconds. Every change
-- of a project sets it to 0 and counts up changes.
CREATE TABLE watches (
    project TEXT   NOT NULL PRIMARY KEY REFERENCES projects (id),
    due     BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9000000000000000000),
    changes BIGINT NOT NULL CHECK (changes BETWEEN 0 AND 9000000000000000000)
);
CREATE INDEX watches_due ON watches (due, project);
INSERT INTO watches (project, due, changes) SELECT id, 0, 0 FROM projects;

-- What the network (project '') or a project has changed of the rules that are
-- shipped, or added to them.
CREATE TABLE alert_rules (
    project TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc     TEXT   NOT NULL,
    PRIMARY KEY (project, id)
);

-- organisation is the partner in charge of the cause; where costs is true only it
-- and the lead see the alert. A cause has one open alert for each rule. escalates
-- is when it does, 0 for never; told lists the recipients, each between commas.
DROP TABLE alerts;
CREATE TABLE alerts (
    id           TEXT    NOT NULL PRIMARY KEY,
    project      TEXT    NOT NULL REFERENCES projects (id),
    organisation TEXT    NOT NULL,
    rule         TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    cause        TEXT    NOT NULL,
    told         TEXT    NOT NULL,
    severity     TEXT    NOT NULL CHECK (severity IN ('NOTICE', 'WARNING', 'CRITICAL')),
    costs        BOOLEAN NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('OPEN', 'CLOSED')),
    opened       BIGINT  NOT NULL CHECK (opened BETWEEN 0 AND 9000000000000000000),
    closed       BIGINT  NOT NULL CHECK (closed BETWEEN 0 AND 9000000000000000000),
    escalates    BIGINT  NOT NULL CHECK (escalates BETWEEN 0 AND 9000000000000000000),
    acknowledged BIGINT  NOT NULL CHECK (acknowledged BETWEEN 0 AND 9000000000000000000),
    version      BIGINT  NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    doc          TEXT    NOT NULL
);
CREATE INDEX alerts_project ON alerts (project);
CREATE INDEX alerts_open_project ON alerts (project, severity) WHERE state = 'OPEN';
CREATE UNIQUE INDEX alerts_open ON alerts (project, rule, cause) WHERE state = 'OPEN';

-- Every change of an alert, with the alert as it then was, numbered in the order
-- of commit: the number is taken under the lock of the one row of
-- alert_sequence, which is held until the commit.
CREATE TABLE alert_changes (
    sequence BIGINT NOT NULL PRIMARY KEY CHECK (sequence BETWEEN 1 AND 900000000000000000),
    project  TEXT   NOT NULL,
    at       BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000000),
    doc      TEXT   NOT NULL
);
CREATE INDEX alert_changes_at ON alert_changes (at);
CREATE TABLE alert_sequence (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id IN (1)),
    last BIGINT NOT NULL CHECK (last BETWEEN 0 AND 900000000000000000),
    -- All changes up to this one may have been forgotten.
    gone BIGINT NOT NULL CHECK (gone BETWEEN 0 AND 900000000000000000)
);
INSERT INTO alert_sequence (id, last, gone) VALUES (1, 0, 0);

ALTER TABLE lessons ADD COLUMN phase TEXT NOT NULL DEFAULT '';
ALTER TABLE lessons ADD COLUMN category TEXT NOT NULL DEFAULT '';
ALTER TABLE lessons ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
-- How many words a lesson has, by their weights.
ALTER TABLE lessons ADD COLUMN words BIGINT NOT NULL DEFAULT 0 CHECK (words BETWEEN 0 AND 100000000);
CREATE INDEX lessons_sharing ON lessons (sharing, project, words);

-- The words of each lesson by their stems, with what ranking needs of the lesson,
-- so that a search reads nothing else.
CREATE TABLE lesson_words (
    word    TEXT   NOT NULL,
    lesson  TEXT   NOT NULL REFERENCES lessons (id),
    project TEXT   NOT NULL,
    sharing TEXT   NOT NULL,
    weight  BIGINT NOT NULL CHECK (weight BETWEEN 1 AND 100000000),
    words   BIGINT NOT NULL CHECK (words BETWEEN 1 AND 100000000),
    PRIMARY KEY (word, lesson)
);
CREATE INDEX lesson_words_all ON lesson_words (word, sharing, project, lesson, weight, words);
CREATE INDEX lesson_words_lesson ON lesson_words (lesson);
