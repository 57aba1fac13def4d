import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { float32, writeNpy } from '@whylight/core';
import { networkOf } from '@whylight/core/testing';
import { encodePng } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { draw } from '../../../models/shapes/draw.ts';
import { failureOf } from '../src/failure.ts';
import { program } from '../src/program.ts';
import { whylight } from './run.ts';

const shapes = fileURLToPath(new URL('../../../models/shapes/shapes.onnx', import.meta.url));

/** Every JavaScript object inherits these names. A look-up that does not ask for own keys finds them. */
const inherited = [
  'toString',
  'constructor',
  'valueOf',
  'hasOwnProperty',
  '__proto__',
  'isPrototypeOf',
  '__defineGetter__',
  'toLocaleString',
];
/** A name of the same form that nothing has, inherited or not: what is said of it is right for `name` too. */
const unknownLike = (name: string): string => name.replace(/[a-z]/gi, 'q');

let home: string;
const inHome = (name: string): string => join(home, name);
const written = async (name: string, content: unknown): Promise<string> => {
  await writeFile(inHome(name), JSON.stringify(content));
  return inHome(name);
};
const member = (name: string, value: unknown): object => Object.fromEntries([[name, value]]);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-names-'));
  vi.stubEnv('WHYLIGHT_HOME', home);
  await writeFile(inHome('photo.png'), await encodePng(draw(1).picture));
  await writeFile(inHome('in.npy'), writeNpy(float32([1, 3, 128, 128], new Float32Array(3 * 128 * 128))));
  await copyFile(shapes, inHome('net.onnx'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

/** How the command line ends, in this process: of many runs each would take a second. */
async function ending(
  args: readonly string[],
): Promise<{ exitCode: number | string; code: string; message: string }> {
  process.exitCode = undefined;
  const said: string[] = [];
  const silenced = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => said.push(String(text)) > 0),
  );
  try {
    await program.parseAsync(['node', 'whylight', ...args]);
    return { exitCode: process.exitCode ?? 0, code: 'done', message: said.join('') };
  } catch (error) {
    return failureOf(error);
  } finally {
    for (const spy of silenced) spy.mockRestore();
    process.exitCode = undefined;
  }
}

const explain = (...more: string[]) => ['explain', inHome('photo.png'), '-o', inHome('out'), ...more];
const attribute = (...more: string[]) => [
  ...['attribute', '--model', 'shapes', '--tensor', inHome('in.npy'), '--target', '0'],
  ...['-o', inHome('out.npy'), ...more],
];
const job = (more: object) => ({
  ...{ model: 'shapes', tensor: inHome('in.npy'), method: 'smooth-grad', target: 0, out: inHome('out.npy') },
  ...more,
});
const jobs = async (more: object) => ['attribute', '--jobs', await written('jobs.json', [job(more)])];
/** A model with a manifest beside it. */
const beside = async (manifest: object): Promise<string> => {
  await written('net.json', manifest);
  return inHome('net.onnx');
};

/** Everything on the command line, and in files that it reads, that is looked up by name. */
const places: Readonly<Record<string, (name: string) => readonly string[] | Promise<readonly string[]>>> = {
  'explain --method': (name) => explain('--method', name),
  'explain --method, among others': (name) => explain('--method', `grad-cam,${name}`),
  'explain --param': (name) => explain('--param', `${name}=1`),
  'explain --param of several methods': (name) =>
    explain('--method', 'grad-cam,saliency', '--param', `${name}=1`),
  'explain --convention': (name) => explain('--convention', name),
  'explain --score': (name) => explain('--score', name),
  'explain --target': (name) => explain('--target', name),
  'explain --layer': (name) => explain('--layer', name),
  'explain --model': (name) => explain('--model', name),
  'explain --panels': (name) => explain('--panels', name),
  'explain --signs': (name) => explain('--panels', 'heat_map', '--signs', name),
  'explain --colormap': (name) => explain('--colormap', name),
  'explain --lang': (name) => explain('--lang', name),
  'explain --ep': (name) => explain('--ep', name),
  'attribute --param': (name) => attribute('--method', 'smooth-grad', '--param', `${name}=1`),
  'attribute --aux': (name) => attribute('--method', 'smooth-grad', '--aux', `${name}=${inHome('in.npy')}`),
  'attribute --input': (name) => attribute('--method', 'saliency', '--input', `${name}=1`),
  'attribute --scores': (name) => attribute('--method', 'saliency', '--scores', name),
  'attribute --jobs: a member': (name) => jobs(member(name, 1)),
  'attribute --jobs: params': (name) => jobs({ params: member(name, 1) }),
  'attribute --jobs: aux': (name) => jobs({ aux: member(name, inHome('in.npy')) }),
  'attribute --jobs: inputs': (name) => jobs({ inputs: member(name, 1) }),
  'attribute --jobs: method': (name) => jobs({ method: name }),
  'attribute --jobs: convention': (name) => jobs({ convention: name }),
  'check --input': (name) => ['check', 'shapes', '--input', `${name}=1`],
  'check --scores': (name) => ['check', 'shapes', '--scores', name],
  'check: a manifest that fixes an input': async (name) => [
    'check',
    await beside({ fixed_inputs: member(name, 1) }),
  ],
  'check: a manifest with labels by index': async (name) => [
    'check',
    await beside({ labels: member(name, 'x') }),
  ],
  'compile --method': (name) => ['compile', 'shapes', '--method', name, '-o', inHome('out.onnx')],
  'compile --param': (name) => [
    ...['compile', 'shapes', '--method', 'grad-cam', '--param', `${name}=1`, '-o', inHome('out.onnx')],
  ],
  'bench --method': (name) => ['bench', '--method', name],
  'evaluate --method': (name) => ['evaluate', '--drawings', '1', '--method', name, '-o', inHome('out')],
  'evaluate --metric': (name) => ['evaluate', '--drawings', '1', '--metric', name, '-o', inHome('out')],
  'methods ID': (name) => ['methods', name],
  'models add --preset': async (name) => ['models', 'add', await beside({}), '--preset', name],
  'models add --input': async (name) => ['models', 'add', await beside({}), '--input', `${name}=1`],
  'models add --labels': async (name) => [
    ...['models', 'add', await beside({}), '--labels', await written('labels.json', member(name, 'x'))],
  ],
  'models pull': (name) => ['models', 'pull', name],
  'models remove': (name) => ['models', 'remove', name],
  'serve --model': (name) => ['serve', '--model', name],
  'keys --scopes': (name) => ['keys', 'create', '--scope', name],
};

describe('names that every object inherits', () => {
  it.each(Object.entries(places))(
    'L12: %s: said of them what is said of any name that nothing has',
    {
      timeout: 120_000,
    },
    async (_, args) => {
      for (const name of inherited) {
        const [got, right] = [await ending(await args(name)), await ending(await args(unknownLike(name)))];
        expect(got.exitCode, `${name}: ${got.message}`).toBe(2);
        expect(got.code).toBe(right.code);
        expect(got.message.replaceAll(name, '<name>')).toBe(
          right.message.replaceAll(unknownLike(name), '<name>'),
        );
      }
    },
  );

  it('L12: a whole run says so on stderr, and ends with 2', async () => {
    for (const name of ['toString', '__proto__']) {
      const { code, stderr, stdout } = await whylight(home, ...explain('--param', `${name}=1`), '--json');
      expect([code, JSON.parse(stdout).error.code]).toEqual([2, 'invalid_parameter']);
      expect(stderr).toContain(`has no parameter "${name}"`);
    }
  });

  it('L12: an input of a network that is called so is fixed like any other', {
    timeout: 120_000,
  }, async () => {
    for (const name of inherited) {
      const network = networkOf([3, 8, 8], (layer, image, g) => {
        const scale = g.input(name, 'float32', [1]);
        const pooled = layer('pooled', 'GlobalAveragePool', [layer('scaled', 'Mul', [image, scale])]);
        return layer('scores', 'Flatten', [pooled]);
      });
      await writeFile(inHome('named.onnx'), network);
      const fixed = await ending(['check', inHome('named.onnx'), '--input', `${name}=2`, '--json']);
      expect([fixed.exitCode, JSON.parse(fixed.message).classes]).toEqual([0, 3]);
      const input = ['--tensor', inHome('small.npy'), '--method', 'input-x-gradient', '--target', '0'];
      const ones = new Float32Array(3 * 64).fill(1);
      await writeFile(inHome('small.npy'), writeNpy(float32([1, 3, 8, 8], ones)));
      const run = (...args: string[]) =>
        ending(['attribute', '--model', inHome('named.onnx'), ...input, '-o', inHome('a.npy'), ...args]);
      expect(await run('--input', `${name}=2`)).toMatchObject({ exitCode: 0 });
      const doubled = await readFile(inHome('a.npy'));
      await writeFile(inHome('named.json'), JSON.stringify({ fixed_inputs: member(name, 2) }));
      expect(await run()).toMatchObject({ exitCode: 0 });
      expect(await readFile(inHome('a.npy'))).toEqual(doubled);
      await rm(inHome('named.json'));
      expect(await run('--input', `${name}=1`)).toMatchObject({ exitCode: 0 });
      expect(await readFile(inHome('a.npy'))).not.toEqual(doubled);
    }
  });
});
