/**
 * `node test/consumers/run.ts`: packs the packages that are published, installs the tarballs into empty folders outside the
 * repository, and uses them as strangers do. It prints a table and fails if a consumer fails. Tools: the npm registry.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPackages } from '../../infra/npm/build.ts';
import { checks } from './checks.ts';
import { install, Place } from './place.ts';
import { Table } from './table.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'whylight-consumers-'));
const table = new Table();

function newPlace(name: string): Place {
  const folder = join(home, name);
  mkdirSync(folder);
  copyFileSync(join(root, 'apps/cli/photos/coffee.jpg'), join(folder, 'photo.jpg'));
  copyFileSync(join(root, 'models/shapes/shapes.onnx'), join(folder, 'm.onnx'));
  return new Place(folder);
}

try {
  const packages = buildPackages();
  for (const check of checks(packages, newPlace, install)) await table.run(check);
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(table.text());
process.exitCode = table.failed ? 1 : 0;
