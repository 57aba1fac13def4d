import { readFile, writeFile } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';

const edge = (path: string): string => fileURLToPath(new URL(`../../apps/edge/${path}`, import.meta.url));

/** The names of the classes of Durable Objects in earlier releases, by their present names. */
export const olderClasses: Readonly<Record<string, string>> = {
  Computation: 'Flight',
  WebhookDeliveries: 'Courier',
  TenantCleanup: 'Janitor',
  ModelValidation: 'Registration',
};

interface Binding {
  readonly class_name: string;
}

interface Migration {
  readonly renamed_classes?: unknown;
}

/** Writes to `file` the gateway's configuration as it was before its classes were renamed. */
export async function writeOlderConfig(file: string): Promise<void> {
  const text = await readFile(edge('wrangler.jsonc'), 'utf8');
  // Comments of that file stand on lines of their own.
  const { env: _, $schema: __, ...own } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''));
  const bindings = own.durable_objects.bindings.map((binding: Binding) => ({
    ...binding,
    class_name: olderClasses[binding.class_name] ?? binding.class_name,
  }));
  const config = {
    ...own,
    main: edge('test/older-names/index.ts'),
    assets: { ...own.assets, directory: edge(own.assets.directory) },
    d1_databases: own.d1_databases.map((each: object) => ({ ...each, migrations_dir: edge('migrations') })),
    durable_objects: { bindings },
    migrations: own.migrations.filter(({ renamed_classes }: Migration) => !renamed_classes),
  };
  await writeFile(file, JSON.stringify(config));
}

/** Gives the values of one Durable Object their earlier names. @returns the number of renamed values */
export function renameStored(database: DatabaseSync): number {
  const rows = database.prepare('SELECT key, value FROM _cf_KV').all() as {
    key: string;
    value: Uint8Array;
  }[];
  const put = database.prepare('UPDATE _cf_KV SET key = ?, value = ? WHERE key = ?');
  let renamed = 0;
  for (const { key, value } of rows) {
    const older = key === 'retention' ? 'shelf' : key === 'deletions' ? 'sweeps' : olderRendering(key);
    const stored = deserialize(value);
    const run = /^run\/\d+$/.test(key) && olderRun(stored);
    if (older === key && !run) continue;
    put.run(older, serialize(run || stored), key);
    renamed++;
  }
  return renamed;
}

const olderRendering = (key: string): string => key.replace(/^rendering(?=\/|-begun\/)/, 'drawing');

interface Waiter {
  readonly notified: boolean;
  readonly outcome: object | null;
  readonly style: object | null;
  readonly renderedAt: number | null;
}

/** Converts a run to the release in which waiters were riders. */
function olderRun(run: {
  readonly waiters: Readonly<Record<string, Waiter>>;
  readonly accepted: boolean;
  readonly submission: { readonly style: object };
}): object {
  const { waiters, accepted: taken, submission, ...rest } = run;
  const { style: look, ...submitted } = submission;
  const riders = Object.entries(waiters).map(
    ([id, { notified: told, outcome: exit, style, renderedAt: _, ...waiter }]) => [
      id,
      { ...waiter, told, exit, look: style },
    ],
  );
  return { ...rest, submission: { ...submitted, look }, taken, riders: Object.fromEntries(riders) };
}

/** Undoes the migration of a database that named the table of active computations. */
export function renameTables(database: DatabaseSync): void {
  database.exec(
    `INSERT OR REPLACE INTO active_flights SELECT key, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM waiting_work WHERE kind = 'computation';
     DROP TABLE active_computations;
     DROP TABLE waiting_work;
     DELETE FROM d1_migrations WHERE name IN ('0010_active_computations.sql', '0011_waiting_work.sql');`,
  );
}
