/**
 * Says what is in a built image: `node infra/gpu-worker/report-image.ts ROOT OUT`. ROOT is the image's file system. Writes
 * report.json, npm.cdx.json (CycloneDX, by npm) and debian-packages.txt (by dpkg) to OUT. Fails if something is inside that must not be.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwanted } from './image-contents.ts';

const [root, out] = process.argv.slice(2);
if (!root || !out) {
  console.error('usage: node infra/gpu-worker/report-image.ts ROOT OUT');
  process.exit(2);
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
// Not by Node's recursive readdir, which follows links, and so leaves the image.
const listed = execFileSync('find', [root, '!', '-type', 'd', '-printf', '%s %P\\0'], {
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
const sizes = new Map(
  listed
    .split('\0')
    .filter(Boolean)
    .map((line): [path: string, size: number] => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), Number(line.slice(0, space))];
    }),
);
const sizeOf = (folder: string): number =>
  megabytes([...sizes].reduce((sum, [path, size]) => (path.startsWith(folder) ? sum + size : sum), 0));

const debian = execFileSync(
  'dpkg-query',
  [`--admindir=${join(root, 'var/lib/dpkg')}`, '-W', '-f', `\${Package}\t\${Version}\t\${Architecture}\n`],
  { encoding: 'utf8' },
);
writeFileSync(join(out, 'debian-packages.txt'), debian);

const sbom = readFileSync(join(root, 'usr/share/whylight/npm.cdx.json'), 'utf8');
writeFileSync(join(out, 'npm.cdx.json'), sbom);

const found = [...sizes.keys()].flatMap((path) => {
  const reason = unwanted(path);
  return reason ? [`${path}: ${reason}`] : [];
});
const pack = 'whylight/models/efficientnet-lite0/efficientnet-lite0.onnx';
if (!existsSync(join(root, pack))) found.push(`${pack}: missing; the image must hold the default network`);

const report = {
  megabytes: {
    all: sizeOf(''),
    packages: sizeOf('whylight/node_modules/'),
    models: sizeOf('whylight/models/'),
    node: sizeOf('usr/local/bin/node'),
  },
  files: sizes.size,
  npm_packages: (JSON.parse(sbom) as { components: unknown[] }).components.length,
  debian_packages: debian.trim().split('\n').length,
  unwanted: found,
};
writeFileSync(join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
console.log(JSON.stringify(report, null, 2));
if (found.length > 0) {
  console.error(`${found.length} files must not be in the image; report.json lists them`);
  process.exit(1);
}
