import { type Key, type NewKey, type Scope, scopes } from '@whylight/contract';
import { Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { withJson } from '../options.ts';
import { note, print, printJson, table } from '../output.ts';
import { openClient } from '../remote/credentials.ts';
import { seconds } from '../remote/duration.ts';
import { known } from '../remote/known.ts';

const create = withJson(
  new Command('create')
    .description('Create an API key, and show its secret this one time')
    .option('--name <name>', 'name of the key, such as what you use it for')
    .option(
      '--scopes <scope,scope>',
      'scopes of the key, separated by commas (default: the scopes of your own key)',
      scopeList,
    )
    .option('--expires <time>', 'time at which the key expires, in UTC: 2027-01-31T00:00:00Z', time),
).action(async ({ name, scopes: wanted, expires, json }: CreateOptions) => {
  const wish = {
    ...(name ? { name } : {}),
    ...(wanted ? { scopes: wanted } : {}),
    ...(expires ? { expires_at: expires } : {}),
  };
  show(await (await openClient()).createKey(wish), json);
});

interface CreateOptions {
  readonly name?: string;
  readonly scopes?: Scope[];
  readonly expires?: string;
  readonly json?: boolean;
}

const list = withJson(new Command('list').description('List API keys, newest first')).action(
  async ({ json }: { json?: boolean }) => {
    const keys: Key[] = [];
    for await (const key of (await openClient()).keys()) keys.push(key);
    if (json) return printJson(keys);
    print(table(keys.map((key) => [key.id, key.name ?? '', stateOf(key), key.scopes.join(' ')])));
  },
);

const rotate = withJson(
  new Command('rotate')
    .description('Replace an API key with a new one of the same scopes')
    .argument('<key>', 'id of the key: key_...')
    .option('--grace <duration>', 'how long the old key stays valid, such as 24h', seconds, 0),
).action(async (id: string, { grace, json }: { grace: number; json?: boolean }) => {
  show(await known(`key ${id}`, (await openClient()).rotateKey(id, grace)), json);
});

const revoke = withJson(
  new Command('revoke').description('Revoke an API key at once').argument('<key>', 'id of the key: key_...'),
).action(async (id: string, { json }: { json?: boolean }) => {
  await known(`key ${id}`, (await openClient()).revokeKey(id));
  if (json) printJson({ id, revoked: true });
  else print(`${id} is revoked`);
});

export const keys = new Command('keys')
  .description("Manage your tenant's API keys")
  .addCommand(list, { isDefault: true })
  .addCommand(create)
  .addCommand(rotate)
  .addCommand(revoke);

function show(key: NewKey, json: boolean | undefined): void {
  if (json) printJson(key);
  else {
    print(key.secret);
    note(`${key.id}: ${key.scopes.join(' ')}. It is not shown again.`);
  }
}

function stateOf({ revoked_at, expires_at }: Key): string {
  if (revoked_at) return 'revoked';
  if (!expires_at) return 'active';
  return Date.parse(expires_at) <= Date.now() ? 'expired' : `until ${expires_at}`;
}

function time(text: string): string {
  if (!z.iso.datetime().safeParse(text).success)
    throw new InvalidArgumentError('Expected a time in UTC such as 2027-01-31T00:00:00Z.');
  return text;
}

function scopeList(text: string): Scope[] {
  return text.split(',').map((part) => {
    const scope = scopes.find((known) => known === part.trim());
    if (!scope)
      throw new InvalidArgumentError(
        `Expected scopes of ${scopes.join(', ')}, separated by commas; got "${part}".`,
      );
    return scope;
  });
}
