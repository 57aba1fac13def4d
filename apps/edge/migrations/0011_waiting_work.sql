-- Work that waits for a worker or has one, of every kind; the scaler counts it. Whoever waits refreshes its row from time to
-- time, so that a row whose owner is gone stops to count at `expires_at` (unix milliseconds). Moves the rows of
-- active_computations. That table stays for now, because the release before still writes it while this one is being deployed.
CREATE TABLE waiting_work (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
);
INSERT INTO waiting_work (kind, key, expires_at)
SELECT 'computation', key, (unixepoch() + 300) * 1000 FROM active_computations
WHERE unixepoch(since) > unixepoch() - 1800;
