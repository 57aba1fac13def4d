import type { PublishedPackage } from './packages.ts';

/** File that licences of bundled code require: only the command line, with its gateway, contains code of others. */
export const notices = 'THIRD_PARTY_NOTICES.md';

type Targets = Readonly<Record<string, string>>;

/** The members of a package.json that this code reads and writes. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Targets;
  readonly exports?: Targets;
  readonly imports?: Targets;
  readonly files?: readonly string[];
  readonly scripts?: Targets;
  readonly dependencies?: Targets;
  readonly devDependencies?: Targets;
}

/** A manifest with compiled files in place of TypeScript sources. */
export interface PublishedManifest extends Omit<Manifest, 'exports'> {
  readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly repository: unknown;
}

/** Gives the path of a compiled file: those of `src` in `dist`, the others (models) in `dist` with their folders. */
export function compiledPath(source: string, folder = 'dist'): string {
  return source.replace(/^\.\/(src\/)?(.*)\.ts$/, `./${folder}/$2.js`);
}

const isSource = (target: string): boolean => target.endsWith('.ts');
/** Whether only tests of this repository import the entry. */
const isForTests = (subpath: string): boolean => subpath.startsWith('./testing');

/**
 * The package.json that is published: entries lead to compiled files with their declarations; scripts, development dependencies
 * and entries for tests are left out.
 */
export function publishedManifest(
  published: PublishedPackage,
  own: Manifest,
  inside: Manifest | null,
  root: { readonly repository: { readonly url: string } },
): PublishedManifest {
  const { scripts: _, devDependencies: __, exports: entries, imports, ...kept } = own;
  const entry = (target: string) =>
    isSource(target)
      ? { types: compiledPath(target).replace(/\.js$/, '.d.ts'), default: compiledPath(target) }
      : target;
  return {
    ...kept,
    repository: { ...root.repository, directory: published.workspace },
    ...(entries && {
      exports: {
        ...Object.fromEntries(
          Object.entries(entries)
            .filter(([subpath]) => !isForTests(subpath))
            .map(([subpath, target]) => [subpath, entry(target)]),
        ),
        './package.json': './package.json',
      },
    }),
    ...((imports || inside?.imports) && {
      imports: {
        ...compiledTargets(imports),
        ...compiledTargets(inside?.imports, published.inside?.folder),
        ...published.imports,
      },
    }),
    files: ['dist', ...(own.files ?? []), 'NOTICE', ...(own.bin ? [notices] : [])],
    dependencies: sorted({ ...inside?.dependencies, ...own.dependencies }),
  };
}

const compiledTargets = (targets: Targets = {}, folder?: string): Targets =>
  Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, compiledPath(target, folder)]));

const sorted = (values: Targets): Targets =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
