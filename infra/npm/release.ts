/**
 * `npm run release -- VERSION [--dry-run]`: makes a release. Sets the version everywhere, cuts CHANGELOG.md, builds the packages,
 * writes dist/release (tarballs, SHA256SUMS, sbom.cdx.json, notes.md), commits and tags. It publishes nothing: it prints the
 * commands that do. With --dry-run it does the same up to the commit, and puts every file back.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildPackages } from './build.ts';
import { cutChangelog } from './changelog.ts';
import { withVersion } from './version.ts';

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const release = join(root, 'dist/release');
const {
  values: { 'dry-run': isDry },
  positionals: [version = ''],
} = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } }, allowPositionals: true });

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }).trim();

function fail(message: string): never {
  console.error(`release: ${message}`);
  process.exit(2);
}

const current: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const parts = (text: string): number[] => text.split('.').map(Number);
const isNewer = (): boolean => {
  const [next, now] = [parts(version), parts(current)];
  const at = next.findIndex((part, index) => part !== now[index]);
  return at >= 0 && next[at]! > now[at]!;
};
const isFirst = (): boolean => version === current && run('git', 'tag', '--list', `v${version}`) === '';
if (!/^\d+\.\d+\.\d+$/.test(version) || !(isNewer() || isFirst()))
  fail(`expected a version above ${current}, such as 0.2.0; got "${version}"`);
if (!isDry && run('git', 'status', '--porcelain') !== '')
  fail('expected a clean working tree; commit your changes first');

const today = new Date().toISOString().slice(0, 10);
const before = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const { changelog, notes } = cutChangelog(before, version, today);
const files = [...withVersion(root, version), { path: 'CHANGELOG.md', before, after: changelog }];
const restore = (): void => {
  for (const file of files) writeFileSync(join(root, file.path), file.before);
};

try {
  for (const { path, after } of files) writeFileSync(join(root, path), after);
  writeRelease();
  const said = run(process.execPath, 'apps/cli/bin/whylight.js', '--version');
  if (said !== version) throw new Error(`whylight --version says ${said}, expected ${version}`);
} catch (error) {
  restore();
  fail((error as Error).message);
}
const changed = files.filter(({ before: old, after }) => old !== after).map(({ path }) => path);
console.log(`version ${current} -> ${version} in:\n  ${changed.join('\n  ')}`);
console.log(`\n${release}:\n${readFileSync(join(release, 'SHA256SUMS'), 'utf8')}`);

if (isDry) {
  restore();
  console.log('dry run: every file is as it was; nothing was committed, tagged or published');
} else {
  run('git', 'commit', '--quiet', '-m', `Release ${version}`, '--', ...changed);
  run('git', 'tag', '-a', `v${version}`, '-m', `Whylight ${version}`);
  console.log(`Committed and tagged v${version}. To publish:
  git push --follow-tags
  for package in dist/release/*.tgz; do npm publish --access public --provenance "$package"; done`);
}

function writeRelease(): void {
  rmSync(release, { recursive: true, force: true });
  mkdirSync(release, { recursive: true });
  for (const { tarball } of buildPackages()) copyFileSync(tarball, join(release, basename(tarball)));
  const sbom = run('npm', 'sbom', '--package-lock-only', '--omit', 'dev', '--sbom-format', 'cyclonedx');
  writeFileSync(join(release, 'sbom.cdx.json'), `${sbom}\n`);
  writeFileSync(join(release, 'notes.md'), `${notes}\n`);
  const names = run('ls', release).split('\n');
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(release, name)))
      .digest('hex');
  writeFileSync(join(release, 'SHA256SUMS'), names.map((name) => `${digest(name)}  ${name}\n`).join(''));
}
