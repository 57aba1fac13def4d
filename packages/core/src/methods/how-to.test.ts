import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { compileExplainer } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import { int64, type Tensor } from '../tensor.ts';
import { explain } from '../testing/explain.ts';
import { tinyImages, tinyNetwork } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { methods } from './list.ts';
import type { Method } from './method.ts';

// The methods of docs/how-to/add-a-method.md are put together from the page itself, and enter the list as it says.

const repository = join(import.meta.dirname, '../../../..');
const page = readFileSync(join(repository, 'docs/how-to/add-a-method.md'), 'utf8');

/** The files that the page shows, by the path in their first line. */
const blocks = new Map(
  Array.from(page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms), ([, path, text]) => [path!, text!] as const),
);

/** What a file exports, of the one name that it exports; its imports are found from where the page puts it. */
async function exportOf(path: string): Promise<Method> {
  const code = stripTypeScriptTypes(blocks.get(path)!);
  const imported: Record<string, unknown> = {};
  for (const [, names, from] of code.matchAll(/^import \{([^}]*)\} from '([^']+)';$/gm)) {
    const module = await import(from!.startsWith('.') ? join(repository, dirname(path), from!) : from!);
    for (const name of names!.split(',').map((each) => each.trim())) imported[name] = module[name];
  }
  const body = code.replaceAll(/^import .*$/gm, '').replace(/^export const \w+ =/m, 'return');
  return runInThisContext(`({ ${Object.keys(imported).join(', ')} }) => {${body}}`)(imported);
}

/** Does something while a method is in the list. */
async function listed<T>(method: Method, during: () => Promise<T>): Promise<T> {
  const list = methods as Method[];
  list.push(method);
  try {
    return await during();
  } finally {
    list.pop();
  }
}

const targets = [0, 2];
const attributionOf = async (method: string, spec: object = {}): Promise<Tensor> =>
  (await explain(tinyNetwork(), { method, ...spec }, tinyImages(), targets)).attribution;

function expectSame(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape);
  const [found, expected] = [a, b].map(({ data }) => Array.from(data, Number)) as [number[], number[]];
  const size = Math.max(...expected.map(Math.abs));
  expect(size).toBeGreaterThan(0);
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * size);
}

const path = 'packages/core/src/methods/cams/positive-grad-cam.ts';

it('a class activation map is a file of fewer than 25 lines', () => {
  expect(blocks.get(path)!.trimEnd().split('\n').length).toBeLessThan(25);
});

it('the class activation map is LayerCAM where the gradient is the same at every place', async () => {
  const method = await exportOf(path);
  await listed(method, async () => {
    const of = (id: string) => attributionOf(id, { layers: ['r2'], parameters: { normalized: false } });
    expectSame(await of('positive-grad-cam'), await of('layer-cam'));
  });
});

it('the method with samples is the gradient that integrated gradients average, run and compiled', async () => {
  const method = await exportOf('packages/core/src/methods/gradients/fading-gradient.ts');
  await listed(method, async () => {
    const spec = { method: 'fading-gradient', parameters: { n_copies: 7 } };
    const parameters = { n_steps: 7, quadrature: 'riemann_right', multiply_by_inputs: false };
    const expected = await attributionOf('integrated-gradients', { parameters });
    expectSame(await attributionOf(spec.method, spec), expected);
    const session = await cpu.load(compileExplainer(readClassifier(tinyNetwork()), spec));
    const given = { image: tinyImages(), class_index: int64([2], targets) };
    expectSame((await session.run(given)).attribution!, expected);
    await session.close();
  });
});

it('SmoothGrad of Grad-CAM is Grad-CAM where the copies have no noise, and another map where they have', async () => {
  expect(page).toContain('--method smooth-grad --param base=grad-cam');
  const smooth = (stdevs: number) =>
    attributionOf('smooth-grad', { parameters: { base: 'grad-cam', nt_samples: 3, stdevs } });
  const plain = await attributionOf('grad-cam', { parameters: { normalized: false } });
  expectSame(await smooth(0), plain);
  expect((await smooth(0.3)).shape).toEqual(plain.shape);
  expect((await smooth(0.3)).data).not.toEqual(plain.data);
});
