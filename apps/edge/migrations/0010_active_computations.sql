-- Computations that wait or run: the table active_flights under the name of today. That one stays for now, because the
-- release before still writes it while this one is being deployed.
CREATE TABLE active_computations (
  key TEXT PRIMARY KEY,
  since TEXT NOT NULL
);
INSERT INTO active_computations (key, since) SELECT key, since FROM active_flights;
