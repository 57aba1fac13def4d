-- Where a tenant is told of what has ended. Of the secret only the generation is here: see src/domain/webhook-secret.ts.
CREATE TABLE webhook_endpoints (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL REFERENCES tenants (id),
  url TEXT NOT NULL,
  status TEXT NOT NULL,
  disabled_reason TEXT,
  generation INTEGER NOT NULL,
  previous_until TEXT,
  created_at TEXT NOT NULL
);
CREATE INDEX webhook_endpoints_by_tenant ON webhook_endpoints (tenant, id);
