import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/differentiate.ts';
import { gradientRules } from '../../autodiff/gradient.ts';
import { onesLike, sum } from '../../onnx/emit.ts';
import { spelledFunctions } from '../../onnx/operator-names.ts';
import { newGraph } from '../../operators/new-graph.ts';
import { built } from '../../programs/built.ts';
import { float32, sizeOf, type Tensor } from '../../tensor.ts';
import { values } from '../../testing/cases.ts';
import { expectClose } from '../../testing/close.ts';
import { cpu } from '../../testing/ort.ts';
import { type Spelling, spellings } from '../../testing/spellings.ts';
import { recogniseFunctions } from './recognise.ts';

const shape = [2, 8, 4, 4];
const x = values('float32', shape, -3, 3, 5);
const seed = values('float32', shape, 0.5, 1.5, 3);

/** dx of Σ seed·y, and the derivative of Σ seed·dx·(dx + y) then, of a function as one node or by its operators in turn. */
function differentiated(spelling: Spelling, whole: boolean) {
  const g = newGraph(17);
  const input = g.input('x', 'float32', [-1, ...shape.slice(1)]);
  const y = spelling(g, input);
  if (whole) recogniseFunctions(g, [y], 2 ** -21);
  const seeds = g.input('seed', 'float32', [-1, ...shape.slice(1)]);
  const [dx] = differentiate(g, new Map([[y, seeds]]), [input], gradientRules);
  return { g, y, dx: dx! };
}

async function run(bytes: Uint8Array): Promise<Record<string, Tensor>> {
  const session = await cpu.load(bytes);
  const found = await session.run({
    x: float32(shape, x.data as Float32Array<ArrayBuffer>),
    seed: seed as Tensor,
  });
  await session.close();
  return found;
}

function gradient(spelling: Spelling, whole: boolean) {
  const { g, y, dx } = differentiated(spelling, whole);
  return built(g, { y, dx });
}

function second(spelling: Spelling, whole: boolean) {
  const { g, y, dx } = differentiated(spelling, whole);
  const loss = sum(g, g.emit('Mul', [g.emit('Mul', ['seed', dx]), g.emit('Add', [dx, y])]), [1, 2, 3]);
  const [ddx] = differentiate(g, new Map([[loss, onesLike(g, loss)]]), ['x'], gradientRules);
  return built(g, { ddx: ddx! });
}

const cases = Object.entries(spellings).flatMap(([op, ways]) =>
  Object.entries(ways).map(([way, spelling]) => [op, way, spelling] as const),
);

describe('a function that is spelled out', () => {
  it('is here if ONNX has no operator for it', () => {
    expect(Object.keys(spellings)).toEqual(expect.arrayContaining([...spelledFunctions]));
  });

  it.each(cases)('%s, %s: has the derivative of its operators, at no more work', async (_, __, spelling) => {
    const [whole, pieces] = [gradient(spelling, true), gradient(spelling, false)];
    const [found, expected] = [await run(whole.bytes), await run(pieces.bytes)];
    expect(found.y!.data).toEqual(expected.y!.data);
    expectClose(found.dx!, expected.dx!);
    const work = ({ graph, outputs }: ReturnType<typeof gradient>) =>
      graph.nodes.length * sizeOf(outputs.dx!.map(Math.abs));
    expect(work(whole)).toBeLessThanOrEqual(work(pieces));
  });

  it.each(cases)('%s, %s: can be differentiated twice', async (_, __, spelling) => {
    const found = await run(second(spelling, true).bytes);
    const expected = await run(second(spelling, false).bytes);
    expectClose(found.ddx!, expected.ddx!);
  });
});
