ALTER TABLE tenants ADD COLUMN suspended_at TEXT;
