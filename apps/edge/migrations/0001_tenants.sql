CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL REFERENCES tenants (id),
  name TEXT,
  secret_sha256 TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT
);
CREATE INDEX keys_by_tenant ON keys (tenant, id);

CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL REFERENCES tenants (id),
  object TEXT NOT NULL,
  content_type TEXT NOT NULL,
  content_length INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX uploads_by_content ON uploads (tenant, sha256, id);

-- One row per request; the computation itself lives in the Flight of `key`, as its run number `run`.
CREATE TABLE explanations (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL REFERENCES tenants (id),
  key TEXT NOT NULL,
  run INTEGER NOT NULL,
  cache_status TEXT NOT NULL,
  model_name TEXT NOT NULL,
  request_id TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX explanations_by_tenant ON explanations (tenant, id);

-- Flights that wait or run, so that the backlog can be counted without waking every one of them.
CREATE TABLE active_flights (
  key TEXT PRIMARY KEY,
  since TEXT NOT NULL
);

-- The worker's last catalog, for when no worker is up.
CREATE TABLE catalog (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL,
  seen_at TEXT NOT NULL
);
