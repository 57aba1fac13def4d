import { InputError } from '../errors.ts';
import type { Made } from '../methods/method.ts';
import { Expression } from '../onnx/expression.ts';
import type { Graph } from '../onnx/graph.ts';
import { renamed } from '../onnx/rename.ts';
import { newGraph } from '../operators/new-graph.ts';
import { int64, sizeOf, type Tensor } from '../tensor.ts';
import type { Assembly } from './assembly.ts';
import { zeroFilled } from './batch.ts';
import { samplesOf } from './block.ts';
import type { CutLoop } from './cut.ts';
import { rowsWithin } from './rows.ts';

/** Most bytes of samples in a file; samples that the graph draws take no bytes. */
const mostBytes = 2 ** 28;

/** The number of iterations that the samples are divided into, and the number of samples of each. */
interface Turns {
  readonly count: number;
  readonly samples: number;
}

/** Divides samples into iterations, as equal as possible, of as many rows as fit into memory. */
export function turnsOf({ loop, body }: CutLoop, memory: number | undefined): Turns {
  const all = samplesOf(loop);
  const built = body.segments.find((segment) => segment)?.built;
  const most = loop.together ?? (built ? rowsWithin(memory, built, { device: 'cpu' }) : all);
  const count = Math.ceil(all / most);
  return { count, samples: loop.together ?? Math.ceil(all / count) };
}

/** Makes the value of which each iteration takes a row: its samples, or the number of the first sample to draw. */
export function sourceOf(assembly: Assembly, name: string, sample: Tensor | Made, { count, samples }: Turns) {
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
  const drawn = draw(new Expression(g, g.input('start', 'int64', [])), samples);
  return renamed(g.graph('draw', [drawn.name]), { drawn: drawn.name });
}

/** @throws InputError method_not_supported when the samples are too many to be constants */
export function checkBytes(samples: Iterable<Tensor | Made>): void {
  const bytes = [...samples]
    .filter((sample) => !('draw' in sample && sample.draw))
    .reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * (dtype === 'int64' ? 8 : 4), 0);
  if (bytes > mostBytes)
    throw new InputError(
      'method_not_supported',
      `the samples would take ${bytes} bytes of the file, at most ${mostBytes} are allowed: ask for fewer samples`,
    );
}
