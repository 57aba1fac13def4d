import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });

describe('tracked files', () => {
  // Written in pieces, so that this file does not hold what it forbids.
  const traces: readonly (readonly [what: string, pattern: RegExp])[] = [
    [
      "a developer's folder",
      new RegExp(
        String.raw`(^|[\s"'\`(=:])/(${['wo', 'rk'].join('')}|root|home/[a-z]+|Users/[A-Za-z]+)/`,
        'm',
      ),
    ],
    ['a temporary folder of one run', new RegExp(['/tm', 'p/(?!whylight)[a-z_]+[./]'].join(''))],
    ['the host of a package registry', new RegExp(['registry', 'npmjs', 'org'].join(String.raw`\.`))],
    ['the host of a package registry', new RegExp(['files', 'pythonhosted', 'org'].join(String.raw`\.`))],
    ['a key', new RegExp(['-----BEGIN [A-Z ]*PRIVATE', 'KEY-----'].join(' '))],
    ['a key', new RegExp(['_auth', 'Token|AK', 'IA[0-9A-Z]{16}'].join(''))],
  ];
  const text = git('ls-files', '-z')
    .split('\0')
    .filter((path) =>
      /\.(ts|js|mjs|json|jsonc|md|ya?ml|sh|py|sql|txt|template)$|(^|\/)(run|Dockerfile|\.[a-z]+rc)$/.test(
        path,
      ),
    );

  test.each(traces)('hold no trace of %s', (_, pattern) => {
    const found = text.filter((path) => {
      try {
        return pattern.test(readFileSync(join(root, path), 'utf8'));
      } catch {
        return false; // deleted in the working tree
      }
    });
    expect(found).toEqual([]);
  });

  test('a trace would be seen', () => {
    const samples = [
      ['see /wo', 'rk/main/docs'],
      ['/tm', 'p/core_face.md'],
      ['https://registry.', 'npmjs.org/zod'],
      ['https://files.', 'pythonhosted.org/packages'],
      ['-----BEGIN RSA PRIVATE', ' KEY-----'],
      ['//host/:_auth', 'Token=abc'],
    ];
    expect(traces.map(([, pattern], index) => pattern.test(samples[index]!.join('')))).toEqual(
      traces.map(() => true),
    );
  });

  test('what is looked through is the whole house', () => expect(text.length).toBeGreaterThan(100));
});

describe('package-lock.json', () => {
  interface Entry {
    readonly version?: string;
    readonly resolved?: string;
    readonly link?: boolean;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries<Entry>(lock.packages);

  test('names the packages of every platform, or npm ci refuses it: node .ci/complete-lock.mjs', () => {
    const wanted = entries.flatMap(([path, { optionalDependencies }]) =>
      Object.entries(optionalDependencies ?? {})
        .filter(([, version]) => /^\d/.test(version))
        .map(([name]) => ({ path, name })),
    );
    expect(wanted.length).toBeGreaterThan(50);
    const missing = wanted.filter(
      ({ path, name }) =>
        !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
    );
    expect(missing).toEqual([]);
  });

  test('names no registry', () => {
    expect(entries.filter(([, { link, resolved }]) => !link && resolved).map(([path]) => path)).toEqual([]);
  });

  test('holds one zod, so that the schemas of one workspace are schemas in another', () => {
    expect(entries.filter(([path]) => path.endsWith('node_modules/zod')).map(([path]) => path)).toEqual([
      'node_modules/zod',
    ]);
  });
});

const workspaces = globSync('{packages,apps}/*/package.json', { cwd: root }).map((path) => dirname(path));

describe.each([...workspaces, 'infra', 'test'])('%s has a README', (workspace) => {
  const text = () => readFileSync(join(root, workspace, 'README.md'), 'utf8');

  test('of 20 to 60 lines', () => {
    const lines = text().trimEnd().split('\n').length;
    expect(lines).toBeGreaterThanOrEqual(20);
    expect(lines).toBeLessThanOrEqual(60);
  });

  test('that names its folders, the workspaces that it imports, and how to run its tests', () => {
    const source = existsSync(join(root, workspace, 'src')) ? 'src' : '.';
    const folders = readdirSync(join(root, workspace, source), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const { dependencies = {} } = workspaces.includes(workspace)
      ? JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8'))
      : {};
    const imported = Object.keys(dependencies).filter((name) => name.startsWith('@whylight/'));
    const said = text();
    expect(
      folders.filter((name) => !said.includes(`\`${name}\``) && !said.includes(`src/${name}\``)),
    ).toEqual([]);
    expect(imported.filter((name) => !said.includes(`\`${name}\``))).toEqual([]);
    expect(said).toContain('./run test ');
  });
});

test('records of decisions are numbered without a gap, each number once', () => {
  const records = git('ls-files', 'docs/decisions').trim().split('\n').sort();
  const numbers = records.map((path) => Number(/decisions\/(\d{4})-/.exec(path)?.[1]));
  expect(numbers).toEqual(records.map((_, index) => index + 1));
  for (const [index, path] of records.entries())
    expect(readFileSync(join(root, path), 'utf8')).toMatch(new RegExp(`^# 0*${index + 1}: `));
});
