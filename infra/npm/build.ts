/**
 * `node infra/npm/build.ts`: builds the packages that are published into dist/npm: a folder for each, as npm gets it,
 * and beside it its tarball. Inside the repository nothing reads them: there every package runs from its sources.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.ts';
import { buildGateway } from './gateway.ts';
import { type Manifest, notices, type PublishedManifest, publishedManifest } from './manifest.ts';
import { type PublishedPackage, publishedPackages } from './packages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** Inside the repository, so that declarations of the packages find those of others. */
const out = join(root, 'dist/npm');

export interface BuiltPackage {
  readonly name: string;
  readonly folder: string;
  readonly tarball: string;
}

/**
 * Builds and packs the published packages, or those of some workspaces with all that they need.
 *
 * @throws Error with what the compiler or npm says
 */
export function buildPackages(workspaces?: readonly string[]): BuiltPackage[] {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const declarations: Record<string, string[]> = {};
  const wanted = publishedPackages.filter(({ workspace }) => workspaces?.includes(workspace) ?? true);
  return wanted.map((published) => {
    const folder = join(out, basename(published.workspace));
    const manifest = build(published, folder, declarations);
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', out], {
      cwd: folder,
      encoding: 'utf8',
    });
    const [{ filename }] = Object.values(JSON.parse(packed)) as [{ filename: string }];
    return { name: manifest.name, folder, tarball: join(out, filename) };
  });
}

/** Builds one package into `folder`, and records the paths of its entries' declarations. */
function build(
  published: PublishedPackage,
  folder: string,
  declarations: Record<string, string[]>,
): PublishedManifest {
  const { workspace, inside } = published;
  const own: Manifest = read(`${workspace}/package.json`);
  const manifest = publishedManifest(
    published,
    own,
    inside ? read(`${inside.workspace}/package.json`) : null,
    read('package.json'),
  );
  mkdirSync(folder);
  for (const pattern of own.files ?? [])
    for (const path of globSync(pattern, { cwd: join(root, workspace) }))
      cpSync(join(root, workspace, path), join(folder, path), { recursive: true });
  compileWorkspace(workspace, own, join(folder, 'dist'), {
    ...declarations,
    ...replacedModules(published, workspace),
  });
  if (inside) {
    const manifestInside: Manifest = read(`${inside.workspace}/package.json`);
    const { exports: entries, ...program } = manifestInside;
    const started = { ...program, imports: { ...entries, ...program.imports } };
    compileWorkspace(inside.workspace, started, join(folder, inside.folder), declarations);
  }
  if (own.files?.includes('gateway')) buildGateway(root, join(folder, 'gateway'));
  for (const file of ['LICENSE', 'NOTICE', ...(manifest.bin ? [notices] : [])])
    cpSync(join(root, file), join(folder, file));
  writeFileSync(join(folder, 'README.md'), readme(workspace, own.version));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const [subpath, target] of Object.entries(manifest.exports ?? {}))
    if (typeof target !== 'string') declarations[own.name + subpath.slice(1)] = [join(folder, target.types)];
  return manifest;
}

function compileWorkspace(
  workspace: string,
  { exports: entries = {}, imports = {} }: Manifest,
  out: string,
  paths: Record<string, string[]>,
): void {
  const folder = join(root, workspace);
  const isReplaced = (name: string) => name in paths;
  const modules = [
    ...Object.entries(entries).filter(([subpath]) => !subpath.startsWith('./testing')),
    ...Object.entries(imports).filter(([name]) => !isReplaced(name)),
  ]
    .map(([, target]) => target)
    .filter((target) => target.startsWith('./') && target.endsWith('.ts'));
  const sources = modules.some((module) => module.startsWith('./src/')) ? join(folder, 'src') : folder;
  compile({
    root,
    sources,
    entries: modules.map((module) => join(folder, module)),
    out,
    paths,
    isLibrary: Object.keys(entries).length > 0,
    config: join(folder, 'tsconfig.json'),
  });
}

/** Finds the source files of the `imports` that a published package replaces. */
const replacedModules = ({ imports = {} }: PublishedPackage, workspace: string): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(imports)
      .filter(([, target]) => target.startsWith('./dist/'))
      .map(([name, target]) => [
        name,
        [join(root, workspace, target.replace('./dist/', 'src/').replace(/js$/, 'ts'))],
      ]),
  );

/** The workspace's README; its links into the repository lead to the files of this version. */
function readme(workspace: string, version: string): string {
  const { repository } = read('package.json');
  const base = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/v${version}/`;
  return readFileSync(join(root, workspace, 'README.md'), 'utf8').replace(
    /\]\((?!https?:|#)([^)]+)\)/g,
    (_, path: string) => `](${new URL(path, `${base}${workspace}/`)})`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, tarball } of buildPackages()) console.log(`${name}\t${tarball}`);
}
