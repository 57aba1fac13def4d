import type { Built } from '../graphs/built.ts';
import type { Request } from '../graphs/request.ts';
import {
  baselineModel,
  chunkModel,
  finishModel,
  firstModel,
  ofBaseline,
  prepareModel,
  rowsTogether,
} from '../graphs/sampled.ts';
import type { Sampled, Values } from '../methods/method.ts';
import type { ValueInfo } from '../onnx/graph.ts';
import { rowsWithin } from '../run/rows.ts';
import { Assembly } from './assembly.ts';
import type { Compiled } from './compiled.ts';
import { summedUp, turnsOf } from './samples.ts';

/**
 * A sampled method as one graph: image [N, C, H, W], class_index [N] → attribution, logits, target. A loop over the
 * images holds what `attribute` does for each: its scores and what the method prepares, a loop over chunks of samples
 * that adds up sums, and the end. So the memory is that of one chunk, however many samples and images there are.
 */
export function compileSampled(request: Request<Sampled<never>>, memory: number | undefined): Compiled {
  const { classifier, method, setting } = request;
  const assembly = new Assembly(['image', 'class_index', 'attribution', 'logits', 'target']);
  const together = rowsTogether(request);
  const first = firstModel(request);
  const prepare = method.preparesBaseline ? prepareModel(request) : undefined;
  const { logits, target, class_weights, score, ...own } = first.outputs;
  const prepared = { ...own, ...(prepare && ofBaseline(prepare.outputs)) };
  const samples = method.samples(setting, {});
  const fixed = method.fixed?.(setting, {}) ?? {};
  const chunk = chunkModel(request, samples, fixed, prepared);
  const turns = turnsOf(request, samples, together * rowsWithin(memory, chunk, { device: 'cpu' }));
  const finish = finishModel(request, chunk.outputs, fixed, prepared, false);

  /** What the method is given of one image. */
  const beginning = (image: string, asked: string): Values => {
    const begun = assembly.place(first.graph, 'first', { image, class_index: asked });
    const constants = Object.entries(fixed).map(([name, value]) => [name, assembly.constant(value, name)]);
    const same = { ...begun, ...Object.fromEntries(constants), image };
    if (!prepare) return same;
    const { baseline } = assembly.place(baselineModel(request).graph, 'baseline', { image });
    return {
      ...same,
      ...ofBaseline(assembly.place(prepare.graph, 'baseline', { ...same, image: baseline! })),
    };
  };
  const explained = (image: string, asked: string): ValueInfo[] => {
    const given = beginning(image, asked);
    const sums = summedUp(assembly, chunk, samples, turns, given);
    const { attribution } = assembly.place(finish.graph, 'finish', { ...given, ...sums });
    return [
      single(assembly, attribution!, finish, 'attribution'),
      single(assembly, given.logits!, first, 'logits'),
      single(assembly, given.target!, first, 'target'),
    ];
  };
  const image = { name: 'image', dtype: 'float32', shape: classifier.inputShape } as const;
  const index = { name: 'class_index', dtype: 'int64', shape: [] } as const;
  const [attribution, ...answers] = assembly.scan({
    name: 'images',
    over: [image, index].map((value) => ({ ...value, of: value.name })),
    body: (_, taken) => {
      const [one, asked] = taken.map((row) => assembly.emit('Unsqueeze', [row, assembly.ints(0)]));
      return { outputs: explained(one!, asked!) };
    },
  }) as [string, string, string];
  return {
    graph: assembly.graph([image, index].map(batched), {
      attribution,
      logits: answers[0]!,
      target: answers[1]!,
    }),
    outputs: [typeOf(finish, 'attribution'), typeOf(first, 'logits'), typeOf(first, 'target')].map(batched),
  };
}

const batched = (row: ValueInfo): ValueInfo => ({ ...row, shape: ['batch', ...row.shape] });

/** The type of an output for one image, without the axis of images. */
function typeOf({ types }: Built, output: string): ValueInfo {
  const type = types.find(({ name }) => name === output)!;
  return { ...type, shape: type.shape.slice(1) };
}

/** An output for one image without the axis of images. */
const single = (assembly: Assembly, value: string, built: Built, output: string): ValueInfo => ({
  ...typeOf(built, output),
  name: assembly.emit('Squeeze', [value, assembly.ints(0)]),
});
