-- Rows of explanations go when their time is over (EXPLANATION_DAYS in src/env.ts): which those are must be quick to find.
UPDATE explanations SET expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', created_at, '+30 days')
WHERE expires_at IS NULL;
CREATE INDEX explanations_by_end ON explanations (expires_at);
-- Who rests on the same result.
CREATE INDEX explanations_by_run ON explanations (key, run, expires_at);
