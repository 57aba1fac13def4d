import { type Classifier, createExplainer, type Runtime, readClassifier, type Tensor } from '@whylight/core';
import { type Agreement, agreement, type Tolerance } from './agreement.ts';
import { type Comparison, comparisonsOf } from './calls.ts';
import type { Entry, Manifest, Output } from './manifest.ts';
import { available, bytesOf, jsonOf, npyOf } from './reference.ts';

const root = 'goldens/real';
export const models = ['resnet18_ktb', 'squeezenet1_1'] as const;
const photos = ['both', 'kitten', 'swan-3299528_1280', 'zebra'];

export const realAvailable = available(`${root}/index.json`);

/** One recorded output. */
interface Case {
  readonly photo: string;
  readonly entry: Entry;
  readonly output: Output;
  readonly comparison: Comparison;
}

/** All recorded outputs that one explainer of one model computes. */
export interface Group {
  readonly model: string;
  readonly name: string;
  readonly cases: readonly Case[];
}

/** @param all every photo, target and call; otherwise the first photo and target, and calls of up to 30 forward passes */
export function groupsOf(model: string, all: boolean): Group[] {
  const cases = photos.slice(0, all ? undefined : 1).flatMap((photo) => {
    const { entries } = jsonOf(`${root}/${model}/${photo}/manifest.json`) as Manifest;
    return entries
      .filter((entry) => all || (entry.target === entries[0]!.target && (entry.forward_rows ?? 0) <= 30))
      .flatMap((entry) =>
        comparisonsOf(entry).flatMap((comparison) => {
          const output = entry.outputs.find((o) => o.role === comparison.role);
          return output ? [{ photo, entry, output, comparison }] : [];
        }),
      );
  });
  const named = (c: Case) => `${c.entry.id.replace(/\.t\d+$/, '')} ${c.output.role}`;
  return [...Map.groupBy(cases, named)].map(([name, found]) => ({ model, name, cases: found }));
}

export interface Measured {
  readonly photo: string;
  readonly target: number;
  readonly found: Agreement;
  readonly tolerance: Tolerance;
  /** For a sampled output, the distance of its length and sum of magnitudes from those of the whole reference. */
  readonly rest: number;
}

const classifiers = new Map<string, Classifier>();
function classifierOf(model: string): Classifier {
  const known = classifiers.get(model) ?? readClassifier(bytesOf(`models/${model}.onnx`));
  classifiers.set(model, known);
  return known;
}

export async function measure({ model, cases }: Group, runtime: Runtime): Promise<Measured[]> {
  const explainer = await createExplainer(classifierOf(model), cases[0]!.comparison.spec, runtime);
  const rows: Measured[] = [];
  for (const { photo, entry, output, comparison } of cases) {
    const image = npyOf(`${root}/inputs/${photo}.input.npy`);
    const found = await explainer.attribute(image, [entry.target], {
      aux: comparison.aux?.(`${root}/${model}/${photo}`),
    });
    const expected = npyOf(`${root}/${model}/${photo}/${output.file}`);
    const stored = comparison.of?.(found) ?? storedPart(found.attribution, output);
    rows.push({
      photo,
      target: entry.target,
      found: agreement(stored, expected.data as Float32Array),
      tolerance: comparison.tolerance,
      rest: output.form.includes('sampled') ? distanceOfStats(found.attribution, output) : 0,
    });
  }
  await explainer.close();
  return rows;
}

/** The elements of an attribution that the reference keeps. */
function storedPart({ shape, data }: Tensor, { form }: Output): Float32Array {
  const values = data as Float32Array;
  const last = form === 'sampled_hwc' ? shape.at(-1)! : 1;
  const [height, width] = (last === 1 ? shape.slice(-2) : shape.slice(-3)) as [number, number];
  const planes = form.startsWith('chan0') ? shape[0]! : values.length / (height * width * last);
  if (!form.includes('sampled')) return values.subarray(0, planes * height * width);
  const kept: number[] = [];
  for (let plane = 0; plane < planes; plane++)
    for (let y = 3; y < height; y += 8)
      for (let x = 3; x < width; x += 8) {
        const at = ((plane * height + y) * width + x) * last;
        kept.push(...values.subarray(at, at + last));
      }
  return Float32Array.from(kept);
}

function distanceOfStats({ data }: Tensor, { stats }: Output): number {
  let [magnitudes, squares] = [0, 0];
  for (const v of data as Float32Array) {
    magnitudes += Math.abs(v);
    squares += v * v;
  }
  return Math.max(Math.abs(magnitudes / stats.sum_abs - 1), Math.abs(Math.sqrt(squares) / stats.l2 - 1));
}
