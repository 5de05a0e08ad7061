-- +goose Up

-- Theories of change: the working copy. An empty organisation is the network.
CREATE TABLE theories (
    id           TEXT   NOT NULL PRIMARY KEY,
    organisation TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    published    BIGINT NOT NULL CHECK (published BETWEEN 0 AND 1000000000),
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated      BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc          TEXT   NOT NULL
);
CREATE INDEX theories_organisation ON theories (organisation, id);

-- Theories as published, for good.
CREATE TABLE theory_versions (
    theory    TEXT   NOT NULL REFERENCES theories (id),
    number    BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000000000),
    published BIGINT NOT NULL CHECK (published BETWEEN 0 AND 9000000000000000000),
    doc       TEXT   NOT NULL,
    PRIMARY KEY (theory, number)
);

-- Indicators, as their newest version has them.
CREATE TABLE indicators (
    id           TEXT    NOT NULL PRIMARY KEY,
    organisation TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    method       TEXT    NOT NULL CHECK (method IN ('SUM', 'RATIO', 'MEAN', 'WEIGHTED_MEAN', 'MINIMUM', 'MAXIMUM',
                                                    'STOCK_LAST', 'ORDINAL_HISTOGRAM', 'UNIQUE_COUNT')),
    theory       TEXT    NOT NULL,
    node         TEXT    NOT NULL,
    headline     BOOLEAN NOT NULL,
    automatic    BOOLEAN NOT NULL,
    retired      BOOLEAN NOT NULL,
    number       BIGINT  NOT NULL CHECK (number BETWEEN 1 AND 1000000000),
    version      BIGINT  NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created      BIGINT  NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated      BIGINT  NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc          TEXT    NOT NULL,
    CHECK ((theory = '') = (node = ''))
);
CREATE INDEX indicators_organisation ON indicators (organisation, id);
CREATE INDEX indicators_theory ON indicators (theory, node);

-- Indicators' versions, for good. doc holds the whole row.
CREATE TABLE indicator_versions (
    indicator TEXT   NOT NULL REFERENCES indicators (id),
    number    BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000000000),
    created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    doc       TEXT   NOT NULL,
    PRIMARY KEY (indicator, number)
);

-- Measurements with their newest revision.
CREATE TABLE measurements (
    id           TEXT   NOT NULL PRIMARY KEY,
    indicator    TEXT   NOT NULL,
    organisation TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('DRAFT', 'SUBMITTED', 'ACCEPTED', 'RETURNED', 'WITHDRAWN')),
    counts       BOOLEAN NOT NULL, -- a revision of it is in roll-ups
    start_date   TEXT   NOT NULL,
    end_date     TEXT   NOT NULL CHECK (end_date > start_date),
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9000000000000000000),
    updated      BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9000000000000000000),
    doc          TEXT   NOT NULL
);
CREATE INDEX measurements_organisation ON measurements (organisation, id);
CREATE INDEX measurements_series ON measurements (indicator, organisation);

-- Everything that happened to a measurement; never changed, never removed.
CREATE TABLE measurement_changes (
    measurement TEXT   NOT NULL REFERENCES measurements (id),
    version     BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    changed     BIGINT NOT NULL CHECK (changed BETWEEN 0 AND 9000000000000000000),
    actor       TEXT   NOT NULL,
    doc         TEXT   NOT NULL,
    PRIMARY KEY (measurement, version)
);

-- What counts or counted in roll-ups, and from which version of its source. For
-- a measurement the source is itself.
CREATE TABLE facts (
    fact      TEXT   NOT NULL,
    indicator TEXT   NOT NULL,
    version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    revision  BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 9000000000000000000),
    PRIMARY KEY (fact, indicator)
);

-- The leaves of roll-ups, with the time during which they were what was known:
-- known_until 0 is now. Days are yyyymmdd; value is a mergeable state. A leaf
-- without a place is where its organisation is.
CREATE TABLE leaves (
    fact         TEXT   NOT NULL,
    indicator    TEXT   NOT NULL,
    revision     BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 9000000000000000000),
    part         BIGINT NOT NULL CHECK (part BETWEEN 0 AND 1000000000),
    organisation TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    place        TEXT   NOT NULL,
    start_day    BIGINT NOT NULL CHECK (start_day BETWEEN 19000101 AND 30000101),
    end_day      BIGINT NOT NULL CHECK (end_day BETWEEN 19000102 AND 30000102),
    value        TEXT   NOT NULL,
    known_from   BIGINT NOT NULL CHECK (known_from BETWEEN 0 AND 9000000000000000000),
    known_until  BIGINT NOT NULL CHECK (known_until BETWEEN 0 AND 9000000000000000000),
    PRIMARY KEY (fact, indicator, revision, part)
);
CREATE INDEX leaves_current ON leaves (indicator, organisation, project, place, start_day) WHERE known_until = 0;
CREATE INDEX leaves_asof ON leaves (indicator, start_day);

-- Taken before the cells of an indicator and organisation are read and written,
-- so that two writers of them follow one another.
CREATE TABLE turns (
    indicator    TEXT   NOT NULL,
    organisation TEXT   NOT NULL,
    turn         BIGINT NOT NULL CHECK (turn BETWEEN 1 AND 9000000000000000000),
    PRIMARY KEY (indicator, organisation)
);

-- Leaves merged ahead of every question: one row for each indicator, calendar
-- bucket (or exact period), organisation, project and place.
CREATE TABLE cells (
    indicator    TEXT   NOT NULL,
    bucket       TEXT   NOT NULL,
    start_day    BIGINT NOT NULL CHECK (start_day BETWEEN 19000101 AND 30000101),
    end_day      BIGINT NOT NULL CHECK (end_day BETWEEN 19000102 AND 30000102),
    organisation TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    place        TEXT   NOT NULL,
    value        TEXT   NOT NULL,
    PRIMARY KEY (indicator, bucket, start_day, end_day, organisation, project, place)
);
CREATE INDEX cells_organisation ON cells (organisation, indicator, bucket);
CREATE INDEX cells_project ON cells (project, indicator, bucket);

-- Totals of attendance that training told of, one row for each event.
CREATE TABLE attendance_marks (
    enrolment    TEXT   NOT NULL,
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000),
    minutes      BIGINT NOT NULL CHECK (minutes BETWEEN 0 AND 10000000),
    day          BIGINT NOT NULL CHECK (day BETWEEN 19000101 AND 30000101),
    organisation TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    PRIMARY KEY (enrolment, version)
);

-- What the catalogue and the projects service tell of the axes.
CREATE TABLE organisations (
    name         TEXT    NOT NULL PRIMARY KEY,
    title        TEXT    NOT NULL,
    parent       TEXT    NOT NULL,
    published    BOOLEAN NOT NULL,
    country      TEXT    NOT NULL,
    region       TEXT    NOT NULL,
    nuts1        TEXT    NOT NULL,
    nuts2        TEXT    NOT NULL,
    nuts3        TEXT    NOT NULL,
    municipality TEXT    NOT NULL,
    version      BIGINT  NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000)
);

CREATE TABLE projects (
    name         TEXT   NOT NULL PRIMARY KEY,
    organisation TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9000000000000000000)
);

-- The network's headline indicators that the suite's own events feed.
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000001', '', 'Persone iscritte', 'persons', 'UNIQUE_COUNT', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Persone iscritte", "language": "it", "translations": {"en": "People enrolled"}}, "description": {"text": "Persone diverse con un posto in un''edizione, qualunque sia il numero delle loro iscrizioni.", "language": "it", "translations": {"en": "Different people with a seat in an edition, however many enrolments they have."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000002', '', 'Persone formate', 'persons', 'UNIQUE_COUNT', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Persone formate", "language": "it", "translations": {"en": "People trained"}}, "description": {"text": "Persone diverse che hanno completato almeno un''edizione.", "language": "it", "translations": {"en": "Different people who completed at least one edition."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000003', '', 'Ore di formazione frequentate', 'h', 'SUM', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Ore di formazione frequentate", "language": "it", "translations": {"en": "Training hours attended"}}, "description": {"text": "Ore frequentate secondo i registri presenze, nel giorno dell''incontro.", "language": "it", "translations": {"en": "Hours attended by the registers, on the day of the session."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000004', '', 'Progetti chiusi', 'projects', 'SUM', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Progetti chiusi", "language": "it", "translations": {"en": "Projects closed"}}, "description": {"text": "Progetti arrivati alla chiusura.", "language": "it", "translations": {"en": "Projects that reached their closing."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000005', '', 'Importo speso', 'EUR', 'SUM', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Importo speso", "language": "it", "translations": {"en": "Amount spent"}}, "description": {"text": "Spese registrate nei progetti e non annullate, in euro.", "language": "it", "translations": {"en": "Expenditures recorded in projects and not voided, in euros."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
VALUES ('0197f000-0000-7000-8000-000000000006', '', 'Abbinamenti attivati', 'matches', 'SUM', '', '', TRUE, TRUE, FALSE, 1, 1, 0, 0,
        '{"title": {"text": "Abbinamenti attivati", "language": "it", "translations": {"en": "Matches made"}}, "description": {"text": "Abbinamenti accettati da entrambe le parti.", "language": "it", "translations": {"en": "Matches accepted by both sides."}}, "direction": "INCREASE", "baseline": "0", "headline": true}');
INSERT INTO indicator_versions (indicator, number, created, doc) SELECT id, 1, 0, doc FROM indicators;
