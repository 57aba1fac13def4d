-- How an explanation is drawn (JSON of contract's Look), until when its result is kept, and what its owner notes.
-- Null: made by an earlier release.
ALTER TABLE explanations ADD COLUMN look TEXT;
ALTER TABLE explanations ADD COLUMN expires_at TEXT;
ALTER TABLE explanations ADD COLUMN metadata TEXT;

-- Set once the object store need not be asked any more: the bytes never came, or were not those announced.
ALTER TABLE uploads ADD COLUMN swept TEXT;
CREATE INDEX uploads_unswept ON uploads (tenant, created_at) WHERE swept IS NULL;
