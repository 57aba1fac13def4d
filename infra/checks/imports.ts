import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';
import { importRules, type PackageRules } from './import-rules.ts';

/** The rules by package; a package without a row has no rules. */
type Rules = Readonly<Record<string, PackageRules>>;

const isTest = (path: string): boolean => /\.test\.ts$|\/test(ing)?\//.test(path);
/** Formats a list of the table for a sentence. */
const listOf = (text: string, empty: string): string => {
  const words = wordsOf(text).map((word) => (word === '.' ? 'files of src itself' : word));
  return words.join(', ') || empty;
};
const wordsOf = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** Lists the names in `import`, `import type`, `export ... from` and `import(...)` of a file, each once. */
export function importsOf(path: string, text: string): string[] {
  const { module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: cannot parse: ${errors[0]!.message}`);
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  return [
    ...new Set([
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
      ...exported.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
      ...Array.from(text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g), ([, name]) => name!),
    ]),
  ];
}

/** `packages/host/src/codec/decode.ts` lies in the package `packages/host`, in the room `codec`. */
function placeOf(path: string, rules: Rules): { home: string; room: string | null } {
  const [, home = '', inside] = /^([^/]+\/[^/]+)(?:\/src\/(.+))?/.exec(path) ?? [];
  const rooms = rules[home]?.rooms;
  if (inside === undefined || !rooms) return { home, room: null };
  const [first, ...below] = inside.split('/') as [string, ...string[]];
  return { home, room: below.length > 0 || Object.hasOwn(rooms, first) ? first : '.' };
}

/** Says why the file at `path` may not import `name`, and what to do; null if it may. */
export function refusalOf(path: string, name: string, rules: Rules = importRules): string | null {
  if (isTest(path)) return null;
  const { home, room } = placeOf(path, rules);
  const refuse = (reason: string, advice: string) =>
    `${path} imports ${name}: ${reason}. ${advice} The rules are in infra/checks/import-rules.ts.`;
  const own = rules[home];
  if (!own) return refuse(`${home} has no rules`, 'Add a row for it.');
  if (room !== null && !Object.hasOwn(own.rooms!, room))
    return refuse(`the folder ${room} has no rules`, `Add a row for it to ${home}.`);

  if (name.startsWith('.')) {
    const target = placeOf(posix.join(posix.dirname(path), name), rules);
    if (target.home !== home)
      return Object.hasOwn(rules, target.home)
        ? refuse(`this is a path into ${target.home}`, 'Import a package by its name, through its exports.')
        : null;
    const allowed = room === null ? '*' : own.rooms![room]!;
    if (allowed === '*' || target.room === room || wordsOf(allowed).includes(target.room!)) return null;
    return refuse(
      `${listOf(room!, '')} may import ${listOf(allowed, 'no other room')}; not ${listOf(target.room!, '')}`,
      'Pass what it needs as an argument, or move the code to a room that both may import.',
    );
  }

  const ours = /^@whylight\/(.+)$/.exec(name)?.[1];
  if (ours !== undefined)
    return wordsOf(own.packages).some((one) => ours === one || ours.startsWith(`${one}/`))
      ? null
      : refuse(
          `${home} may import ${listOf(own.packages, 'no other package')}; not ${ours}`,
          'Pass what it needs as an argument, or move the code to a package that both may import.',
        );

  const library = Object.entries(own.libraries ?? {}).find(([start]) => isOf(name, start));
  if (library && room !== null && !wordsOf(library[1]).includes(room))
    return refuse(`only ${listOf(library[1], 'no room')} may import it`, 'Call the room that imports it.');
  if (!library && name.startsWith('cloudflare:'))
    return refuse('only the gateway (apps/edge) knows Cloudflare', 'Declare what you need as an interface.');
  return null;
}

/** `hono` is the library of `hono/cors` and not of `hono-rate-limiter`; `@hono/` and `cloudflare:` begin many names. */
const isOf = (name: string, start: string): boolean =>
  /[/:]$/.test(start) ? name.startsWith(start) : name === start || name.startsWith(`${start}/`);
