import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cutChangelog } from './changelog.ts';
import { compiledPath, publishedManifest } from './manifest.ts';
import { publishedPackages } from './packages.ts';
import { withVersion } from './version.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { version, repository } = read('package.json');

describe('the version', () => {
  test('is the same everywhere, as the root says it', () => {
    for (const { path, before, after } of withVersion(root, version)) expect(before, path).toBe(after);
  });

  test('of the next release reaches every file that names one', () => {
    const files = withVersion(root, '99.1.2');
    expect(files.filter(({ after }) => !after.includes('99.1.2')).map(({ path }) => path)).toEqual([]);
    expect(files.filter(({ after }) => after.includes(`"@whylight/core": "${version}"`))).toEqual([]);
  });
});

describe('the changelog', () => {
  const text = '# Changelog\n\n## [Unreleased]\n\n- New.\n\n## [0.1.0] - 2026-01-01\n\n- Old.\n';

  test('gives what is unreleased a version, and leaves a place for what comes', () => {
    expect(cutChangelog(text, '0.2.0', '2026-02-02')).toEqual({
      notes: '- New.',
      changelog:
        '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-02-02\n\n- New.\n\n## [0.1.0] - 2026-01-01\n\n- Old.\n',
    });
  });

  test('without news is refused', () => {
    expect(() => cutChangelog(text.replace('- New.\n', ''), '0.2.0', '2026-02-02')).toThrow('nothing stands');
  });
});

describe('a published package', () => {
  const workspaces = [...globSync('{packages,apps}/*/package.json', { cwd: root }), 'models/package.json'];
  const publishable = workspaces.filter((path) => !read(path).private);

  test('is every workspace that is not private', () => {
    const published = publishedPackages.map(({ workspace }) => `${workspace}/package.json`);
    expect(publishable.sort()).toEqual(published.sort());
  });

  test.each(publishedPackages)('$workspace leads to compiled files, and has what npm shows', (published) => {
    const inside = published.inside ? read(`${published.inside.workspace}/package.json`) : null;
    const own = read(`${published.workspace}/package.json`);
    const manifest = publishedManifest(published, own, inside, { repository });
    expect(JSON.stringify(manifest)).not.toMatch(/\.ts"(?<!\.d\.ts")|testing|devDependencies|"scripts"/);
    expect(manifest).toMatchObject({
      description: expect.any(String),
      license: 'Apache-2.0',
      keywords: expect.any(Array),
      engines: { node: expect.any(String) },
      repository: { directory: published.workspace },
    });
  });

  test('has its modules in dist', () => {
    expect(compiledPath('./src/methods/index.ts')).toBe('./dist/methods/index.js');
    expect(compiledPath('./shapes/draw.ts')).toBe('./dist/shapes/draw.js');
    expect(compiledPath('./src/index.ts', 'worker')).toBe('./worker/index.js');
  });
});
