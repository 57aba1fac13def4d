import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  compileExplainer,
  createExplainer,
  type ExplainerSpec,
  readClassifier,
  readNpy,
  type Tensor,
  writeNpy,
} from '@whylight/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyImages } from '../../packages/core/src/testing/network.ts';
import { cpu } from '../../packages/core/src/testing/ort.ts';
import { everySpec, networkFor } from '../../packages/core/src/testing/specs.ts';

/** A Python that has onnxruntime: WHYLIGHT_PYTHON, or the one of this machine. */
const python = process.env.WHYLIGHT_PYTHON ?? 'python3';
const there = spawnSync(python, ['-c', 'import numpy, onnxruntime']).status === 0;
if (!there) console.warn(`${python} has no onnxruntime: compiled explainers are not run in Python`);

const isAugmented = ({ parameters }: ExplainerSpec): boolean => parameters?.aug_smooth === true;
const named = everySpec.map(
  (spec) =>
    [
      `${spec.method}-${spec.convention}${isAugmented(spec) ? '-augmented' : ''}`,
      { ...spec, memory: 2e4 },
    ] as const,
);
const [images, targets] = [tinyImages(), [0, -1]];

describe.skipIf(!there)("compiled explainers in Python's ONNX Runtime", () => {
  let directory: string;
  let report: {
    checked: boolean;
    files: Record<string, { metadata: Record<string, string>; domains: string[] | null }>;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'whylight-compiled-'));
    const class_index = { dtype: 'int64', shape: [2], data: BigInt64Array.from(targets, BigInt) } as const;
    await writeFile(join(directory, 'image.npy'), writeNpy(images));
    await writeFile(join(directory, 'class_index.npy'), writeNpy(class_index));
    for (const [name, spec] of named)
      await writeFile(
        join(directory, `${name}.onnx`),
        compileExplainer(readClassifier(networkFor(spec)()), spec),
      );
    const script = fileURLToPath(new URL('./run.py', import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, directory], { maxBuffer: 2 ** 24 });
    report = JSON.parse(stdout);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const written = async (name: string, output: string): Promise<Tensor> =>
    readNpy(new Uint8Array(await readFile(join(directory, `${name}.${output}.npy`))));

  it.each(named)('%s gives what `attribute` gives', async (name, spec) => {
    const explainer = await createExplainer(readClassifier(networkFor(spec)()), spec, cpu);
    const expected = await explainer.attribute(images, targets);
    await explainer.close();
    const attribution = await written(name, 'attribution');
    expect(attribution.shape).toEqual(expected.attribution.shape);
    expect(apart(attribution, expected.attribution)).toBeLessThan(1e-5); // another build of ONNX Runtime
    expect(apart(await written(name, 'logits'), expected.logits)).toBeLessThan(1e-5);
    expect(Array.from((await written(name, 'target')).data as BigInt64Array, Number)).toEqual(
      expected.targets,
    );
  });

  it.each(named)('%s is of the standard domain alone and says what it is', (name, spec) => {
    const { domains, metadata } = report.files[name]!;
    if (report.checked) expect(domains).toEqual(['']);
    expect(metadata).toMatchObject({
      'whylight.method': spec.method,
      'whylight.convention': spec.convention,
      'whylight.inputs': expect.stringContaining('class_index'),
      'whylight.outputs': expect.stringContaining('attribution'),
    });
  });
});

/** Largest difference over the largest value. */
function apart(found: Tensor, expected: Tensor): number {
  const [a, b] = [found.data as Float32Array, expected.data as Float32Array];
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / (Math.max(...b.map(Math.abs)) || 1);
}
