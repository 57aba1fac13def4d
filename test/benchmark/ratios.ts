import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type Classifier,
  createExplainer,
  type Explainer,
  float32,
  forwardModel,
  type Runtime,
  readClassifier,
  sizeOf,
} from '@whylight/core';
import { methods } from '@whylight/core/methods';
import { createRuntime } from '@whylight/host';

// What each method costs, as a ratio to the model's own forward pass, both measured in turn in this run:
//   node test/benchmark/ratios.ts MODEL.onnx... [--method ID]... [--runs 7] [--batch 1] [--json]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    method: { type: 'string', multiple: true },
    runs: { type: 'string', default: '7' },
    batch: { type: 'string', default: '1' },
    ep: { type: 'string', default: 'cpu' },
    json: { type: 'boolean', default: false },
  },
});

interface Row {
  readonly model: string;
  readonly method: string;
  readonly median_ms: number;
  readonly forward_ms: number;
  /** Median over the runs of method / forward pass measured next to it. */
  readonly ratio: number;
  readonly runs: number;
}

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!;

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Pseudo-random pixels: the time does not depend on what a picture shows. */
function noise(shape: readonly number[]) {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * 12.9898) * 2;
  return float32(shape, data);
}

async function measure(model: string, classifier: Classifier, id: string, runtime: Runtime): Promise<Row> {
  const batch = noise([Number(values.batch), ...classifier.inputShape]);
  const targets = Array<number>(Number(values.batch)).fill(-1);
  const forward = await runtime.load(forwardModel(classifier));
  const explainer: Explainer = await createExplainer(classifier, { method: id }, runtime);
  const runs = Number(values.runs);
  const forwards: number[] = [];
  const explained: number[] = [];
  for (let run = -1; run < runs; run++) {
    const single = await milliseconds(() => forward.run({ image: batch }));
    const whole = await milliseconds(() => explainer.attribute(batch, targets));
    if (run < 0) continue; // the first warms up
    forwards.push(single);
    explained.push(whole);
  }
  await Promise.all([forward.close(), explainer.close()]);
  return {
    model,
    method: id,
    median_ms: median(explained),
    forward_ms: median(forwards),
    ratio: median(explained.map((ms, i) => ms / forwards[i]!)),
    runs,
  };
}

const runtime = await createRuntime({ ep: values.ep as 'cpu' });
const rows: Row[] = [];
for (const path of positionals) {
  const classifier = readClassifier(readFileSync(path));
  const name = path.replace(/^.*\//, '').replace(/\.onnx$/, '');
  for (const id of values.method ?? methods.map((m) => m.id)) {
    const row = await measure(name, classifier, id, runtime);
    rows.push(row);
    if (!values.json)
      console.log(
        `${row.model.padEnd(24)} ${row.method.padEnd(24)} ${row.median_ms.toFixed(1).padStart(9)} ms ${row.ratio.toFixed(2).padStart(8)} x forward (${row.forward_ms.toFixed(1)} ms)`,
      );
  }
}
if (values.json)
  console.log(JSON.stringify({ device: runtime.device, batch: Number(values.batch), rows }, null, 2));
