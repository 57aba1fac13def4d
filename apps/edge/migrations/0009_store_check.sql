-- Which headers the object store took that its signed URLs did not sign (JSON), and when that was tried. `store` is a hash of
-- where the store is: what is known of one says nothing of another.
CREATE TABLE store_check (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store TEXT NOT NULL,
  accepted TEXT NOT NULL,
  checked_at INTEGER NOT NULL
);

-- Objects of a trial that may still be in the store.
CREATE TABLE probe_objects (
  name TEXT PRIMARY KEY,
  made_at INTEGER NOT NULL
);
