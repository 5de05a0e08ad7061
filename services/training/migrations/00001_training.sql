-- Training: courses, editions with their seats, learners apart from their ledger
-- ids, attendance, certificates, notices.

-- +goose Up

CREATE TABLE courses (
  name            TEXT PRIMARY KEY,
  organisation  TEXT NOT NULL CHECK (organisation <> ''),
  state         TEXT NOT NULL CHECK (state IN ('DRAFT', 'PUBLISHED', 'ARCHIVED')),
  project       TEXT NOT NULL,
  threshold     BIGINT NOT NULL CHECK (threshold BETWEEN 1 AND 100),
  lock          BIGINT NOT NULL DEFAULT 0 CHECK (lock BETWEEN 0 AND 9007199254740991),
  next_interest BIGINT NOT NULL DEFAULT 1 CHECK (next_interest BETWEEN 1 AND 9007199254740991),
  version       BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created       BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated       BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991),
  doc           TEXT NOT NULL
);
CREATE INDEX courses_organisation ON courses (organisation, name);

-- Every text that a module ever had. Nothing here is changed or removed.
CREATE TABLE module_versions (
  course TEXT NOT NULL REFERENCES courses (name),
  module    TEXT NOT NULL,
  version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
  created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  doc       TEXT NOT NULL,
  PRIMARY KEY (course, module, version)
);

-- lock is counted up as the first statement of every transaction that touches the
-- edition's seats or registers: whoever comes second waits there, and then reads
-- what the first has written.
CREATE TABLE editions (
  name            TEXT PRIMARY KEY,
  organisation  TEXT NOT NULL CHECK (organisation <> ''),
  course     TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('COURSE', 'WEBINAR', 'EVENT')),
  number        BIGINT NOT NULL CHECK (number BETWEEN 0 AND 9999),
  state         TEXT NOT NULL CHECK (state IN ('INTEREST', 'SCHEDULED', 'OPEN', 'RUNNING', 'CLOSED', 'CANCELLED')),
  published     BOOLEAN NOT NULL,
  capacity      BIGINT NOT NULL CHECK (capacity BETWEEN 1 AND 100000),
  waiting_cap   BIGINT NOT NULL CHECK (waiting_cap BETWEEN 0 AND 100000),
  start_date    TEXT NOT NULL,
  project       TEXT NOT NULL,
  events        BIGINT NOT NULL CHECK (events BETWEEN 0 AND 9007199254740991), -- told to the suite so far
  next_sequence BIGINT NOT NULL CHECK (next_sequence BETWEEN 1 AND 9007199254740991),
  lock          BIGINT NOT NULL DEFAULT 0 CHECK (lock BETWEEN 0 AND 9007199254740991),
  version       BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created       BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated       BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991),
  doc           TEXT NOT NULL
);
CREATE UNIQUE INDEX editions_number ON editions (course, number) WHERE course <> '';
CREATE INDEX editions_organisation ON editions (organisation, name);

CREATE TABLE sessions (
  name         TEXT PRIMARY KEY,
  edition TEXT NOT NULL REFERENCES editions (name),
  module     TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('SCHEDULED', 'CANCELLED')),
  starts     BIGINT NOT NULL CHECK (starts BETWEEN -9007199254740991 AND 9007199254740991),
  ends       BIGINT NOT NULL CHECK (ends BETWEEN -9007199254740991 AND 9007199254740991),
  version    BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created    BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated    BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991),
  doc        TEXT NOT NULL,
  CHECK (starts < ends)
);
CREATE INDEX sessions_edition ON sessions (edition, starts);

-- Who somebody is stands here and nowhere else. The name holds the ledger id,
-- which is what all other tables, and all events, know a person by.
CREATE TABLE learners (
  name         TEXT PRIMARY KEY,
  organisation TEXT NOT NULL,
  subject      TEXT NOT NULL,
  given_name   TEXT NOT NULL,
  family_name  TEXT NOT NULL,
  mail         TEXT NOT NULL,
  role         TEXT NOT NULL,
  lock         BIGINT NOT NULL DEFAULT 0 CHECK (lock BETWEEN 0 AND 9007199254740991),
  version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated      BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991)
);
CREATE UNIQUE INDEX learners_subject ON learners (subject) WHERE subject <> '';
CREATE UNIQUE INDEX learners_mail ON learners (organisation, mail) WHERE mail <> '';
CREATE INDEX learners_organisation ON learners (organisation, name);

CREATE TABLE interests (
  name                   TEXT PRIMARY KEY,
  course            TEXT NOT NULL REFERENCES courses (name),
  organisation         TEXT NOT NULL CHECK (organisation <> ''),
  learner              TEXT NOT NULL,
  learner_organisation TEXT NOT NULL,
  role                 TEXT NOT NULL,
  territory            TEXT NOT NULL,
  sequence             BIGINT NOT NULL CHECK (sequence BETWEEN 1 AND 9007199254740991),
  state                TEXT NOT NULL CHECK (state IN ('OPEN', 'CONVERTED', 'WITHDRAWN')),
  enrolment         TEXT NOT NULL,
  version              BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created              BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated              BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991)
);
CREATE UNIQUE INDEX interests_one_open ON interests (course, learner) WHERE state = 'OPEN';
CREATE UNIQUE INDEX interests_order ON interests (course, sequence);
CREATE INDEX interests_enrolment ON interests (enrolment) WHERE enrolment <> '';

CREATE TABLE enrolments (
  name                   TEXT PRIMARY KEY,
  edition           TEXT NOT NULL REFERENCES editions (name),
  course            TEXT NOT NULL,
  organisation         TEXT NOT NULL CHECK (organisation <> ''),
  project              TEXT NOT NULL,
  learner              TEXT NOT NULL,
  learner_organisation TEXT NOT NULL,
  role                 TEXT NOT NULL,
  state                TEXT NOT NULL CHECK (state IN ('ENROLLED', 'OFFERED', 'WAITING', 'COMPLETED', 'CANCELLED', 'DECLINED', 'EXPIRED')),
  sequence             BIGINT NOT NULL CHECK (sequence BETWEEN 1 AND 9007199254740991),
  offer_expires        BIGINT NOT NULL CHECK (offer_expires BETWEEN 0 AND 9007199254740991),
  enrolled             BIGINT NOT NULL CHECK (enrolled BETWEEN 0 AND 9007199254740991),
  completed            BIGINT NOT NULL CHECK (completed BETWEEN 0 AND 9007199254740991),
  minutes              BIGINT NOT NULL CHECK (minutes BETWEEN 0 AND 10000000),
  cancel_reason        TEXT NOT NULL,
  version              BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
  created              BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  updated              BIGINT NOT NULL CHECK (updated BETWEEN 0 AND 9007199254740991),
  CHECK (state <> 'OFFERED' OR offer_expires > 0)
);
-- The database's own word on one live claim per person and edition.
CREATE UNIQUE INDEX enrolments_one_claim ON enrolments (edition, learner)
  WHERE state IN ('ENROLLED', 'OFFERED', 'WAITING', 'COMPLETED');
CREATE INDEX enrolments_seats ON enrolments (edition, state, sequence);
CREATE INDEX enrolments_learner ON enrolments (learner, edition);
CREATE INDEX enrolments_organisation ON enrolments (organisation, name);
CREATE INDEX enrolments_learner_organisation ON enrolments (learner_organisation, name);
CREATE INDEX enrolments_offers ON enrolments (offer_expires) WHERE state = 'OFFERED';

-- A learner's line in a session's register as it stands.
CREATE TABLE presences (
  session   TEXT NOT NULL REFERENCES sessions (name),
  enrolment TEXT NOT NULL REFERENCES enrolments (name),
  learner      TEXT NOT NULL,
  minutes      BIGINT NOT NULL CHECK (minutes BETWEEN 0 AND 1440),
  revision     BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 1000000),
  first_in     BIGINT NOT NULL CHECK (first_in BETWEEN -9007199254740991 AND 9007199254740991),
  last_out     BIGINT NOT NULL CHECK (last_out BETWEEN -9007199254740991 AND 9007199254740991),
  doc          TEXT NOT NULL,
  PRIMARY KEY (session, enrolment)
);
CREATE INDEX presences_enrolment ON presences (enrolment);
CREATE INDEX presences_learner ON presences (learner, first_in);

-- Every entry and correction. Nothing here is changed or removed.
CREATE TABLE presence_revisions (
  session   TEXT NOT NULL,
  enrolment TEXT NOT NULL,
  revision     BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 1000000),
  minutes      BIGINT NOT NULL CHECK (minutes BETWEEN 0 AND 1440),
  reason       TEXT NOT NULL,
  recorded_by  TEXT NOT NULL,
  recorded     BIGINT NOT NULL CHECK (recorded BETWEEN 0 AND 9007199254740991),
  doc          TEXT NOT NULL,
  PRIMARY KEY (session, enrolment, revision)
);

CREATE TABLE certificates (
  name                   TEXT PRIMARY KEY,
  enrolment         TEXT NOT NULL UNIQUE REFERENCES enrolments (name),
  organisation         TEXT NOT NULL CHECK (organisation <> ''),
  learner              TEXT NOT NULL,
  learner_organisation TEXT NOT NULL,
  edition           TEXT NOT NULL,
  course            TEXT NOT NULL,
  number               TEXT NOT NULL,
  code                 TEXT NOT NULL UNIQUE CHECK (code <> ''),
  issued               BIGINT NOT NULL CHECK (issued BETWEEN 0 AND 9007199254740991),
  doc                  TEXT NOT NULL,
  UNIQUE (organisation, number)
);
CREATE INDEX certificates_course ON certificates (course);

-- The last certificate number of an issuer in a year.
CREATE TABLE certificate_numbers (
  organisation TEXT NOT NULL,
  year         BIGINT NOT NULL CHECK (year BETWEEN 1970 AND 9999),
  last         BIGINT NOT NULL CHECK (last BETWEEN 1 AND 999999999),
  PRIMARY KEY (organisation, year)
);

-- What is to be said to whom. The text is written when it is sent, so that no
-- personal data waits here.
CREATE TABLE notices (
  name           TEXT PRIMARY KEY,
  enrolment TEXT NOT NULL REFERENCES enrolments (name),
  learner      TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('CONFIRMED', 'WAITING', 'OFFERED', 'ENDED')),
  state        TEXT NOT NULL CHECK (state IN ('PENDING', 'SENT', 'UNADDRESSED')),
  created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9007199254740991),
  sent         BIGINT NOT NULL CHECK (sent BETWEEN 0 AND 9007199254740991)
);
CREATE INDEX notices_pending ON notices (created) WHERE state = 'PENDING';

-- +goose Down

DROP TABLE notices;
DROP TABLE certificate_numbers;
DROP TABLE certificates;
DROP TABLE presence_revisions;
DROP TABLE presences;
DROP TABLE enrolments;
DROP TABLE interests;
DROP TABLE learners;
DROP TABLE sessions;
DROP TABLE editions;
DROP TABLE module_versions;
DROP TABLE courses;
