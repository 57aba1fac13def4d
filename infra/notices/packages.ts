import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

/** A third-party package that Whylight is shipped with. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** Whether it is installed only if it fits the system, so that its files may not be on this machine. */
  readonly native: boolean;
  readonly folder: string;
}

const root = new URL('../../', import.meta.url);

/** Lists the packages of package-lock.json that users get: all except those for development only. */
export function shippedPackages(): ShippedPackage[] {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'));
  const packages = Object.entries<LockEntry>(lock.packages)
    .filter(
      ([path, { link, dev, devOptional }]) => path.includes('node_modules/') && !link && !dev && !devOptional,
    )
    .map(([path, entry]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version ?? '',
      licence: (entry.license ?? 'none stated').replace(/^\((.*)\)$/, '$1'),
      native: entry.optional === true,
      folder: fileURLToPath(new URL(path, root)),
    }));
  const unique = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** Reads the licence and notice files of a package. */
export function licenceTexts({ folder }: ShippedPackage): string[] {
  return readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file) && !/\.(js|ts|json)$/.test(file))
    .sort()
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8').replaceAll('\r\n', '\n').trim());
}

const allowed = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT']);

/** Licences that are accepted for one package only, each for a reason. */
const exceptions: readonly { readonly name: RegExp; readonly licence: string }[] = [
  // libvips is a library of its own that sharp loads: anyone may put another build in its place.
  { name: /^@img\/sharp-(libvips-.+|win32-.+|wasm32)$/, licence: 'LGPL-3.0-or-later' },
];

/** Whether a package may be shipped with an Apache-2.0 project: all of its licences, or one of those it offers. */
export function mayShip({ name, licence }: Pick<ShippedPackage, 'name' | 'licence'>): boolean {
  const one = (id: string): boolean =>
    allowed.has(id) || exceptions.some((exception) => exception.licence === id && exception.name.test(name));
  return licence.split(' OR ').some((choice) => choice.split(' AND ').every(one));
}
