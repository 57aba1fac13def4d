import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  compileExplainer,
  forwardModel,
  inspect,
  int64,
  readClassifier,
  readNpy,
  row,
  type Session,
  type Tensor,
} from '@whylight/core';
import { cpu } from '@whylight/core/testing';

// Whole networks against PyTorch, one Markdown row each. Needs Python with torch and torchvision (and timm):
//   node test/torch-parity/table.ts --python PYTHON [--forms torchscript@13,dynamo@18] NETWORK...
// Forms are torchscript or dynamo @OPSET (export.py) or, of networks of keras.applications, keras@OPSET (from_keras.py, with
// TensorFlow in --tensorflow PYTHON).

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    tensorflow: { type: 'string', default: 'python3' },
    forms: { type: 'string', default: 'torchscript@11,torchscript@17,dynamo@18,dynamo@23' },
    /** Folder in which exported files stay and are found again; without it they are removed. */
    keep: { type: 'string' },
  },
});
const forms = values.forms.split(',');
const byKeras = (form: string) => form.startsWith('keras@');
/** Forms that are exported together, by one script into one folder. */
const batches = [
  { python: values.python, script: 'export.py', forms: forms.filter((form) => !byKeras(form)) },
  { python: values.tensorflow, script: 'from_keras.py', forms: forms.filter(byKeras) },
].filter((batch) => batch.forms.length > 0);

interface About {
  readonly seeds: readonly number[];
  /** The class of each row, by seed. */
  readonly classes: readonly (readonly number[])[];
  readonly size: number;
  readonly layout?: 'NHWC';
  readonly failed: Readonly<Record<string, string>>;
}

/** Computes the errors of `a` against `b` by row: the largest difference over the largest value, and |a - b| / |b|. */
function errorsOf(a: Tensor, b: Tensor): { largest: number; norm: number }[] {
  return Array.from({ length: b.shape[0]! }, (_, n) => {
    const [found, expected] = [row(a, n).data, row(b, n).data].map((data) => data as Float32Array);
    let [difference, value, squares, total] = [0, 0, 0, 0];
    expected!.forEach((v, i) => {
      const d = found![i]! - v;
      difference = Math.max(difference, Math.abs(d));
      value = Math.max(value, Math.abs(v));
      squares += d * d;
      total += v * v;
    });
    return { largest: difference / value, norm: Math.sqrt(squares / total) };
  });
}

/** Runs one pass over a batch, in pieces of the fixed batch size of the model. */
async function run(session: Session, image: Tensor, classes: readonly number[], baked: number | undefined) {
  const rows = image.shape[0]!;
  const size = baked ?? rows;
  const results: Tensor[] = [];
  for (let start = 0; start < rows; start += size) {
    const piece = size === rows ? image : row(image, start);
    const feeds = { image: piece, class_index: int64([size], classes.slice(start, start + size)) };
    results.push((await session.run(feeds)).attribution!);
  }
  const data = results.flatMap((r) => Array.from(r.data as Float32Array));
  return { dtype: 'float32', shape: image.shape, data: Float32Array.from(data) } as Tensor;
}

/** Measures the CPU time of `a` over that of `b`, run in turn; the median of five. */
async function ratio(a: () => Promise<unknown>, b: () => Promise<unknown>): Promise<number> {
  const spent = async (work: () => Promise<unknown>) => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  await a();
  await b();
  const ratios: number[] = [];
  for (let i = 0; i < 5; i++) ratios.push((await spent(a)) / (await spent(b)));
  return ratios.sort((p, q) => p - q)[2]!;
}

const scientific = (value: number) => value.toExponential(0);
const worst = (list: readonly number[]) => scientific(Math.max(...list));
const best = (list: readonly number[]) => scientific(Math.min(...list));

/** Measures the cells of a row after network, exporter and opset. */
async function measure(form: string, about: About, directory: string): Promise<string[]> {
  const failure = about.failed[form];
  if (failure !== undefined) return ['', `not exported: ${failure.replaceAll('|', '/').slice(0, 80)}`];
  const bytes = readFileSync(join(directory, `${form}.onnx`));
  const inputShape = about.layout ? [about.size, about.size, 3] : [3, about.size, about.size];
  const report = inspect(bytes, { inputShape });
  const missing = report.unsupported.map(({ op, nodes }) => `${op} (${nodes.length})`).join(', ');
  if (missing) return [String(report.nodes), missing];
  const classifier = readClassifier(bytes, { inputShape });
  const started = performance.now();
  const gradient = await cpu.load(
    compileExplainer(classifier, { method: 'saliency', parameters: { abs: false } }),
  );
  const forward = await cpu.load(forwardModel(classifier));
  const seconds = (performance.now() - started) / 1000;
  const npy = (file: string) => readNpy(readFileSync(join(directory, file)));
  const errors: ReturnType<typeof errorsOf> = [];
  const floors: ReturnType<typeof errorsOf> = [];
  for (const [k, seed] of about.seeds.entries()) {
    const exact = npy(`grad_${seed}.npy`);
    const found = await run(gradient, npy(`x_${seed}.npy`), about.classes[k]!, classifier.batch);
    errors.push(...errorsOf(found, exact));
    floors.push(...errorsOf(npy(`floor_${seed}.npy`), exact));
  }
  const size = classifier.batch ?? 2;
  const image = size === 1 ? row(npy('x_0.npy'), 0) : npy('x_0.npy');
  const feeds = { image, class_index: int64([size], Array(size).fill(0)) };
  const cost = await ratio(
    () => gradient.run(feeds),
    () => forward.run({ image }),
  );
  await gradient.close();
  await forward.close();
  return [
    String(report.nodes),
    'none',
    best(errors.map((e) => e.largest)),
    worst(errors.map((e) => e.norm)),
    worst(floors.map((e) => e.norm)),
    cost.toFixed(1),
    seconds.toFixed(1),
  ];
}

const titles = [
  'network',
  'exporter',
  'opset',
  'nodes',
  'without rule',
  'largest difference, cleanest of 6',
  'relative L2, worst of 6',
  'torch float32 itself',
  'ratio to forward',
  'load, s',
];
console.log(`| ${titles.join(' | ')} |\n|${'---|'.repeat(titles.length)}`);
for (const name of positionals)
  for (const { python, script, forms } of batches) {
    const kept = values.keep && join(values.keep, `${name.replace(/\W/g, '_')}-${forms[0]}`);
    if (kept) mkdirSync(kept, { recursive: true });
    const directory = kept ?? mkdtempSync(join(tmpdir(), 'parity-'));
    const print = (form: string, cells: readonly string[]) => {
      const all = [name, ...form.split('@'), ...cells];
      console.log(`| ${titles.map((_, i) => all[i] ?? '').join(' | ')} |`);
    };
    try {
      if (!existsSync(join(directory, 'about.json')))
        execFileSync(python, [join(import.meta.dirname, script), name, directory, ...forms], {
          stdio: ['ignore', 'ignore', 'pipe'],
        });
      const about: About = JSON.parse(readFileSync(join(directory, 'about.json'), 'utf8'));
      for (const form of forms)
        try {
          print(form, await measure(form, about, directory));
        } catch (error) {
          print(form, ['', String(error).replaceAll('|', '/').slice(0, 200)]);
        }
    } catch (error) {
      const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
      print(forms[0]!, ['', said.split('\n').at(-1)!.slice(0, 100)]);
    } finally {
      if (!kept) rmSync(directory, { recursive: true, force: true });
    }
  }
