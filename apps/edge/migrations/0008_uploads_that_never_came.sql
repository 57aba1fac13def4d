-- What never came, or came otherwise than announced, is forgotten after a while: see EXPLANATION_DAYS in src/env.ts.
CREATE INDEX uploads_never_came ON uploads (id) WHERE swept IN ('expired', 'rejected');
