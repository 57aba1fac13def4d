import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Compilation {
  /** The repository. */
  readonly root: string;
  /** The folder of the sources, absolute; the output has its structure. */
  readonly sources: string;
  /** The modules that are entries, absolute. What they import is compiled too, and nothing else: no tests. */
  readonly entries: readonly string[];
  /** The folder for modules, declarations and source maps. */
  readonly out: string;
  /** Names of packages or of `imports`, and the files that their declarations are in. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Whether others import it, so that it needs declarations. */
  readonly isLibrary: boolean;
  /** The tsconfig.json of the workspace, whose `lib` and `types` are used. */
  readonly config: string;
}

/** Compiles one workspace by tsc, a file for each module. @throws Error with what tsc says */
export function compile({ root, sources, entries, out, paths, isLibrary, config }: Compilation): void {
  const file = `${out}.tsconfig.json`;
  const options = {
    extends: config,
    compilerOptions: {
      noEmit: false,
      noEmitOnError: true,
      declaration: isLibrary,
      sourceMap: true,
      inlineSources: true,
      rewriteRelativeImportExtensions: true,
      rootDir: sources,
      outDir: out,
      paths,
    },
    include: [],
    files: entries,
  };
  writeFileSync(file, JSON.stringify(options, null, 2));
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', file], { encoding: 'utf8' });
  } catch (error) {
    throw new Error(`${relative(root, sources)} was not compiled:\n${(error as { stdout: string }).stdout}`);
  }
  copyGenerated(sources, out);
  nameCompiledFiles(out);
  const unwanted = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.test\.|(^|\/)testing\//.test(path),
  );
  if (unwanted.length > 0) throw new Error(`published code imports code for tests: ${unwanted.join(', ')}`);
}

/** Generated modules are JavaScript with declarations already: tsc reads those and writes nothing. */
function copyGenerated(sources: string, out: string): void {
  for (const path of globSync('**/generated/*.{js,d.ts}', { cwd: sources }))
    cpSync(join(sources, path), join(out, path));
}

/** tsc rewrites './x.ts' in modules, and leaves it in declarations, where older compilers do not follow it. */
function nameCompiledFiles(out: string): void {
  for (const path of globSync('**/*.d.ts', { cwd: out })) {
    const file = join(out, path);
    const text = readFileSync(file, 'utf8');
    const named = text.replace(/((?:from|import\()\s*')(\.{1,2}\/[^']+)\.ts'/g, "$1$2.js'");
    if (named !== text) writeFileSync(file, named);
  }
}
