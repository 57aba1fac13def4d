-- Models that tenants have brought. Of one registration (name, bytes, manifest) there is one row.
CREATE TABLE models (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content_length INTEGER NOT NULL,
  manifest TEXT NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  object TEXT NOT NULL,
  -- Of the multipart upload under way.
  upload_id TEXT,
  status TEXT NOT NULL,
  facts TEXT,
  report TEXT,
  error TEXT,
  created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX models_by_content ON models (tenant, name, sha256, manifest_sha256);
CREATE INDEX models_by_tenant ON models (tenant, id);

ALTER TABLE explanations ADD COLUMN model_id TEXT;

-- Keys that were given everything there was.
UPDATE keys SET scopes = scopes || ' models:write'
WHERE scopes = 'uploads:write uploads:read explanations:write explanations:read models:read usage:read admin:keys admin:audit';
