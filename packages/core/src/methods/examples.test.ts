import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createExplainer, type ExplainerSpec } from '../explainer.ts';
import { readClassifier } from '../model/classifier.ts';
import { tinyImages } from '../testing/network.ts';
import { cpu } from '../testing/ort.ts';
import { networkFor } from '../testing/specs.ts';
import { methods, resolveMethod } from './index.ts';

// What a method's file shows as its example is run as it stands there, on a small network.

/** The text of each method's file, by id. */
const files = new Map(
  globSync('{cams,gradients,layers,perturbation}/*.ts', { cwd: import.meta.dirname })
    .map((path) => readFileSync(join(import.meta.dirname, path), 'utf8'))
    .flatMap((text) => Array.from(text.matchAll(/^ +id: '([a-z-]+)',$/gm), ([, id]) => [id!, text] as const)),
);

/** The calls that a file's comments show, without the comments' stars. */
const examplesOf = (text: string): string[] =>
  Array.from(text.matchAll(/^ \* @example(.*?)(?=^ \* @|^ \*\/)/gms), ([, example]) =>
    example!.replaceAll(/^ \*/gm, '').trim(),
  );

/** Parameters that many methods have; a method's own are the rest. */
const common = ['normalized', 'fuse', 'eigen_smooth'];

const tried = methods.map(({ id, kind }) => ({ id, kind }));

it.each(tried)('$id: the example in its file runs', async ({ id, kind }) => {
  const examples = examplesOf(files.get(id) ?? '');
  expect(examples).toHaveLength(1);
  const images = tinyImages();
  const specs: ExplainerSpec[] = [];
  const create: typeof createExplainer = (classifier, spec, runtime) => {
    specs.push(spec);
    return createExplainer(classifier, spec, runtime);
  };
  const example = runInThisContext(`(createExplainer, classifier, runtime) => ${examples[0]}`);
  const explainer = await example(create, readClassifier(networkFor({ method: id })()), cpu);
  try {
    const { attribution } = await explainer.attribute(images, [0, -1]);
    expect(specs.map(({ method }) => method)).toEqual([id]);
    expect(attribution.shape).toEqual(kind === 'map' ? [2, 6, 6] : images.shape);
    expect(attribution.data.every(Number.isFinite)).toBe(true);
    expect(attribution.data.some((value: number) => value !== 0)).toBe(true);
  } finally {
    await explainer.close();
  }
});

it.each(tried)('$id: the example shows a parameter of its own, if there is one', ({ id }) => {
  const own = Object.keys(resolveMethod({ method: id }).parameters).filter((name) => !common.includes(name));
  const [example = ''] = examplesOf(files.get(id) ?? '');
  expect(own.length === 0 || own.some((name) => example.includes(`${name}: `))).toBe(true);
});
