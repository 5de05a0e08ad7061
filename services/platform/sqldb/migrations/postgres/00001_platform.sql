-- +goose Up
CREATE TABLE outbox (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        TEXT   NOT NULL UNIQUE,
    aggregate TEXT   NOT NULL,
    version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9223372036854775807),
    type      TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    payload   BYTEA  NOT NULL,
    created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
    published BIGINT CHECK (published BETWEEN 0 AND 9223372036854775807)
);
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published IS NULL;
CREATE INDEX outbox_published ON outbox (published) WHERE published IS NOT NULL;

CREATE TABLE inbox (
    consumer TEXT   NOT NULL,
    event_id TEXT   NOT NULL,
    received BIGINT NOT NULL CHECK (received BETWEEN 0 AND 9223372036854775807),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received ON inbox (received);

CREATE TABLE idempotency (
    subject      TEXT   NOT NULL,
    method       TEXT   NOT NULL,
    request_id   TEXT   NOT NULL,
    request_hash BYTEA  NOT NULL,
    response     BYTEA  NOT NULL,
    created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
    PRIMARY KEY (subject, method, request_id)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- +goose Down
DROP TABLE idempotency;
DROP TABLE inbox;
DROP TABLE outbox;
