-- +goose Up

-- The normalised number, date, total and currency of a document, whoever issued
-- it ('' where there is none): by it a document is found that was recorded once
-- by its issuer's name and once by their VAT number. Rows of before stay empty
-- until they are changed.
ALTER TABLE expenditures ADD COLUMN document_paper TEXT NOT NULL DEFAULT '';
CREATE INDEX expenditures_document_paper ON expenditures (document_paper) WHERE document_paper <> '';
