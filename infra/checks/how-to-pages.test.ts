import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importsOf, refusalOf } from './imports.ts';

// The pages that show how to add something hold whole files, and changes of existing files. They are put into a copy of the
// repository, compiled and linted there, so that a page does not fall behind the code.

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['docs/how-to/add-an-http-resource.md', 'docs/how-to/add-a-cli-command.md'];

interface Block {
  readonly path: string;
  readonly text: string;
  /** Lines of a file that is there, each with a blank, a plus or a minus before it. */
  readonly isChange: boolean;
}

/** What a page shows of files, which each block names in its first line. */
const blocksOf = (page: string): Block[] =>
  Array.from(
    readFileSync(join(root, page), 'utf8').matchAll(/^```(ts|sql|diff)\n(?:\/\/|--) (\S+)\n(.*?)^```$/gms),
    ([, language, path, text]) => ({ path: path!, text: text!, isChange: language === 'diff' }),
  );
const blocks = pages.flatMap(blocksOf);

/** @throws Error that names the line of the change that the file does not have */
function applyChange(path: string, file: string, change: string): string {
  const lines = file.split('\n');
  let at = 0;
  for (const line of change.trimEnd().split('\n')) {
    const text = line.slice(1);
    if (line.startsWith('+')) lines.splice(at, 0, text);
    else {
      const found = lines.indexOf(text, at);
      if (found < 0)
        throw new Error(
          `${path}: expected the line "${text.trim()}", which a how-to page shows; update the page`,
        );
      if (line.startsWith('-')) lines.splice(found, 1);
      at = found;
    }
    if (!line.startsWith('-')) at++;
  }
  return lines.join('\n');
}

/** The sources, and the packages that they import, in a folder where workspaces find each other. */
function copyOfRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'whylight-how-to-pages-'));
  const files = execFileSync(
    'git',
    ['ls-files', '-z', '*.ts', '*.json', '*.jsonc', '*.sql', '*.js', '*.html'],
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
  )
    .split('\0')
    .filter((path) => /^(apps|packages|models|infra)\/|^[^/]+$/.test(path));
  for (const path of files) cpSync(join(root, path), join(copy, path), { force: true });
  mkdirSync(join(copy, 'node_modules/@whylight'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@whylight') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  for (const path of globSync('{packages/*,apps/*,models}/package.json', { cwd: root })) {
    const { name } = JSON.parse(readFileSync(join(root, path), 'utf8'));
    if (name.startsWith('@whylight/'))
      symlinkSync(join(copy, dirname(path)), join(copy, 'node_modules', name));
  }
  return copy;
}

let copy: string;
const run = (command: string, args: string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', command), args, {
    cwd,
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}` };
};

beforeAll(() => {
  copy = copyOfRepository();
}, 120_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test.each(pages)('%s shows a file, a change and a test', (page) => {
  const paths = blocksOf(page).map(({ path }) => path);
  expect(paths.some((path) => path.endsWith('.test.ts'))).toBe(true);
  expect(new Set(blocksOf(page).map(({ isChange }) => isChange)).size).toBe(2);
});

test.each(pages)('%s names no file that is not there', (page) => {
  const shown = new Set(blocks.map(({ path }) => path));
  const text = readFileSync(join(root, page), 'utf8');
  const named = [...text.matchAll(/`((?:apps|packages|infra|docs|test)\/[\w./-]+\.\w+)`/g)].map(
    ([, path]) => path!,
  );
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((path) => !shown.has(path) && globSync(path, { cwd: root }).length === 0)).toEqual([]);
});

describe('a copy of the repository with what the pages show', () => {
  beforeAll(() => {
    for (const { path, text, isChange } of blocks) {
      const file = join(copy, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, isChange ? applyChange(path, readFileSync(file, 'utf8'), text) : text);
    }
  });

  // Each compiles what it imports too: the gateway and the contract by their tests.
  test.each(['apps/edge/test', 'apps/cli'])(
    '%s compiles',
    (project) => {
      expect(run('tsc', ['--noEmit', '-p', project], copy)).toEqual({ status: 0, said: '' });
    },
    120_000,
  );

  test('is formatted, and imports what it may', () => {
    const config = JSON.parse(readFileSync(join(copy, 'biome.json'), 'utf8'));
    writeFileSync(join(copy, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
    const paths = [...new Set(blocks.map(({ path }) => path))].filter((path) => path.endsWith('.ts'));
    const { status, said } = run('biome', ['check', '--error-on-warnings', ...paths], copy);
    expect(status, said).toBe(0);
    expect(said).toContain(`Checked ${paths.length} files`);
    const refusals = paths.flatMap((path) =>
      importsOf(path, readFileSync(join(copy, path), 'utf8')).flatMap((name) => refusalOf(path, name) ?? []),
    );
    expect(refusals).toEqual([]);
  }, 120_000);

  test('no migration has a number twice, and the new one is the next', () => {
    const numbers = readdirSync(join(copy, 'apps/edge/migrations'))
      .filter((name) => name.endsWith('.sql'))
      .map((name) => Number(name.slice(0, 4)))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});
