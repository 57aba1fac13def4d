import { InputError } from '../errors.ts';
import type { Built } from '../graphs/built.ts';
import type { Request } from '../graphs/request.ts';
import { rowsTogether } from '../graphs/sampled.ts';
import type { Made, Sampled, Values } from '../methods/method.ts';
import type { Value } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { renamed } from '../onnx/rename.ts';
import { newGraph } from '../operators/new-graph.ts';
import { getOwn } from '../own.ts';
import { zeroFilled } from '../run/batch.ts';
import { int64, sizeOf, type Tensor } from '../tensor.ts';
import type { Assembly } from './assembly.ts';

type Samples = Readonly<Record<string, Tensor | Made>>;

/** Into how many turns the samples are cut, and how many samples each takes. */
export interface Turns {
  readonly count: number;
  readonly samples: number;
}

/** Bytes of samples that a file may hold; what is drawn in the graph takes none. */
const mostBytes = 2 ** 28;

/** Turns of at most `rows` rows, as equal as can be; of as many as the model takes, where its batch is baked in. */
export function turnsOf(request: Request<Sampled<never>>, samples: Samples, rows: number): Turns {
  const { batch } = request.classifier;
  const together = rowsTogether(request);
  const all = Object.values(samples)[0]!.shape[0]!;
  const count = Math.ceil(all / Math.max(1, Math.floor((batch ?? rows) / together)));
  return { count, samples: batch === undefined ? Math.ceil(all / count) : batch / together };
}

/**
 * The sums over all samples of one image: a loop over the samples, which are constants or drawn turn by turn.
 *
 * @throws InputError method_not_supported when the samples are too many to be constants
 */
export function summedUp(
  assembly: Assembly,
  chunk: Built,
  samples: Samples,
  turns: Turns,
  given: Values,
): Values {
  checkBytes(samples);
  const sources = Object.entries(samples).map(([name, sample]) => sourceOf(assembly, name, sample, turns));
  const sums = Object.entries(chunk.outputs);
  const state = sums.map(([name, shape]) => {
    const first = assembly.emit('ConstantOfShape', [assembly.ints(...shape)], {}, `zero/${name}`);
    return { name, dtype: 'float32', shape, first } as const;
  });
  const totals = assembly.scan({
    name: 'samples',
    state,
    over: sources,
    body(before, rows) {
      const taken = sources.map(({ name, drawing }, i) => [
        name,
        drawing ? assembly.place(drawing, 'draw', { start: rows[i]! }).drawn! : rows[i]!,
      ]);
      const part = assembly.place(chunk.graph, 'each', { ...given, ...Object.fromEntries(taken) });
      return {
        state: sums.map(([name], i) =>
          assembly.emit('Add', [before[i]!, getOwn(part, name)!], {}, `sum/${name}`),
        ),
      };
    },
  });
  return Object.fromEntries(sums.map(([name], i) => [name, totals[i]!]));
}

/** What the loop takes a row of each turn: the turn's samples, or the number of the first of them to draw. */
function sourceOf(assembly: Assembly, name: string, sample: Tensor | Made, { count, samples }: Turns) {
  if ('draw' in sample && sample.draw) {
    const starts = Array.from({ length: count }, (_, turn) => turn * samples);
    const of = assembly.constant(int64([count], starts), `${name}_start`);
    return { name, dtype: 'int64', shape: [], of, drawing: drawingOf(sample.draw, samples) } as const;
  }
  const all = zeroFilled('make' in sample ? sample.make(0, sample.shape[0]!) : sample, count * samples);
  const shape = [samples, ...sample.shape.slice(1)];
  return {
    name,
    dtype: sample.dtype,
    shape,
    of: assembly.constant({ ...all, shape: [count, ...shape] }, name),
  };
}

function drawingOf(draw: NonNullable<Made['draw']>, samples: number): Graph {
  const g = newGraph(18);
  const drawn: Value = draw(g, g.input('start', 'int64', []), samples);
  return renamed(g.graph('draw', [drawn]), { drawn });
}

function checkBytes(samples: Samples): void {
  const bytes = Object.values(samples)
    .filter((sample) => !('draw' in sample && sample.draw))
    .reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * (dtype === 'int64' ? 8 : 4), 0);
  if (bytes > mostBytes)
    throw new InputError(
      'method_not_supported',
      `the samples would take ${bytes} bytes of the file, at most ${mostBytes} are allowed: ask for fewer samples`,
    );
}
