-- +goose Up

-- Who takes part in a project, or has, as the projects service tells. A project
-- without a row here is one that nothing is known of yet.
CREATE TABLE project_partners (
    project      TEXT NOT NULL,
    organisation TEXT NOT NULL,
    PRIMARY KEY (project, organisation)
);
