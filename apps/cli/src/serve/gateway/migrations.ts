/** One file of the gateway's migrations, statement by statement. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

interface Statement {
  bind(...values: unknown[]): Statement;
  all<T>(): Promise<{ results: T[] }>;
}

interface Database {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
}

/** The table in which `wrangler d1 migrations apply` remembers applied migrations, so that both can be used. */
const remembered = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** A worker that brings the database up to date: POST the migrations, get the names of those that were missing. */
export default {
  async fetch(request: Request, { DB }: { readonly DB: Database }): Promise<Response> {
    const migrations = (await request.json()) as Migration[];
    await DB.prepare(remembered).all();
    const { results } = await DB.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
    const done = new Set(results.map(({ name }) => name));
    const missing = migrations.filter(({ name }) => !done.has(name));
    for (const { name, statements } of missing)
      await DB.batch([
        ...statements.map((sql) => DB.prepare(sql)),
        DB.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
      ]);
    return Response.json(missing.map(({ name }) => name));
  },
};
