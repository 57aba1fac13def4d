import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import {
  type Classifier,
  createExplainer,
  float32,
  InputError,
  inspect,
  type Runtime,
  sizeOf,
} from '@whylight/core';
import {
  checkModel,
  createRuntime,
  heldModel,
  ModelRegistry,
  type RegisteredModel,
  readingOf,
} from '@whylight/host';

// Every method that `whylight check` promises, on every network at hand: those of the reference material, the recorded ones,
// and the cases of foreign tools. What check found to work is run again, on other images than check has seen, two at once and
// for two classes (a network without classes is asked for the number that check chooses); what the file promised and check found not to work has to be a refusal that the list below knows.
//   node test/promises/run.ts [--once] [NETWORK...]       names or paths; --once leaves the second run out

const { values, positionals } = parseArgs({ allowPositionals: true, options: { once: { type: 'boolean' } } });

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const shared = process.env.WHYLIGHT_SHARED ?? here('../../../shared');
const places = [
  here('../../models/*/*.onnx'),
  here('../../packages/core/src/methods/zennit/*.onnx'),
  here('../torch-parity/recorded/*.onnx.gz'),
  join(shared, 'models/*.onnx'),
  join(shared, 'cases/models/**/*.onnx'),
];
const all = places.flatMap((place) => globSync(place).sort());
const files = positionals.length > 0 ? positionals.flatMap((wanted) => found(wanted)) : all;

/** Refusals that arise only when a method is built at its layer, and that say what to do. */
const known = [/^cam needs /, /takes? batches of \d+ only/, /^layer-feature-ablation hides each value/];

function found(wanted: string): string[] {
  if (existsSync(wanted)) return [wanted];
  return all.filter((file) => basename(file).includes(wanted));
}

async function modelOf(file: string): Promise<RegisteredModel> {
  if (!file.endsWith('.gz')) return (await ModelRegistry.open([file])).list()[0]!;
  const bytes = gunzipSync(readFileSync(file));
  return heldModel(basename(file, '.onnx.gz'), new Uint8Array(bytes), {});
}

/** Runs a working method on two different images, for the predicted class and for the first. */
async function runAgain(id: string, classifier: Classifier, runtime: Runtime): Promise<void> {
  const shape = [2, ...classifier.inputShape];
  const images = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.0113),
  );
  const explainer = await createExplainer(classifier, { method: id }, runtime);
  try {
    const { attribution } = await explainer.attribute(float32(shape, images), [-1, 0], { samples: 3 });
    if (attribution.shape[0] !== 2) throw new Error(`expected two attributions, got [${attribution.shape}]`);
  } finally {
    await explainer.close();
  }
}

const runtime = await createRuntime({ ep: 'cpu' });
const faults: string[] = [];
let promised = 0;
for (const file of files) {
  const model = await modelOf(file);
  const start = performance.now();
  try {
    const { report, classifier } = await checkModel(model, runtime, { budget: 3600, anyScore: true });
    const reading = { ...readingOf(model), score: classifier.score };
    const byFile = inspect(await model.bytes(), reading).methods.filter(({ works }) => works);
    const verdicts = new Map(report.methods.map((verdict) => [verdict.id, verdict]));
    const broken: string[] = [];
    for (const { id } of byFile) {
      const { works, reason } = verdicts.get(id)!;
      if (works === false && known.some((refusal) => refusal.test(reason ?? ''))) continue;
      promised++;
      if (!works) broken.push(`${id}: ${reason}`);
      else if (!values.once)
        await runAgain(id, classifier, runtime).catch((error: unknown) => {
          broken.push(`${id}: again: ${(error as Error).message}`);
        });
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${model.name}: ${byFile.length - broken.length} of ${byFile.length}, ${seconds} s`);
    for (const line of broken) console.log(`  ${line}`);
    faults.push(...broken);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.log(`${model.name}: not read: ${error.message}`);
  }
}
console.log(`${promised - faults.length} of ${promised} promised methods ran on ${files.length} networks`);
process.exitCode = faults.length > 0 || promised === 0 ? 1 : 0;
