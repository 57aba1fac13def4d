import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  compileExplainer,
  forwardModel,
  InputError,
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    forms: { type: 'string', default: 'torchscript@13,dynamo@18' },
  },
});
const exporter = join(import.meta.dirname, 'export.py');

/** Largest difference over the largest value of one row of `b`. */
function rowErrors(a: Tensor, b: Tensor): number[] {
  return Array.from({ length: b.shape[0]! }, (_, n) => {
    const [found, expected] = [row(a, n).data, row(b, n).data].map((data) => data as Float32Array);
    const largest = expected!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    return found!.reduce((m, v, i) => Math.max(m, Math.abs(v - expected![i]!)), 0) / largest;
  });
}

/** One pass over a batch, in pieces of the size that the model has baked in. */
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

/** CPU time of `a` over that of `b`, run in turn; the median of five. */
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

async function measure(name: string, form: string, directory: string): Promise<string[]> {
  const [kind, opset] = form.split('@') as [string, string];
  try {
    execFileSync(values.python, [exporter, name, kind, opset, directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const said = String((error as { stderr: Buffer }).stderr)
      .trim()
      .split('\n')
      .at(-1)!;
    return [name, kind, opset, '', '', `not exported: ${said.slice(0, 100)}`, '', ''];
  }
  const about = JSON.parse(readFileSync(join(directory, 'about.json'), 'utf8'));
  const bytes = readFileSync(join(directory, 'model.onnx'));
  const inputShape = [3, about.size, about.size];
  const report = inspect(bytes, { inputShape });
  const missing = report.unsupported.map(({ op, nodes }) => `${op} (${nodes.length})`).join(', ');
  const head = [name, kind, String(report.opset), String(report.nodes), missing || 'none'];
  if (missing) return [...head, '', '', ''];
  const classifier = readClassifier(bytes, { inputShape });
  const started = performance.now();
  const gradient = await cpu.load(
    compileExplainer(classifier, { method: 'saliency', params: { abs: false } }),
  );
  const forward = await cpu.load(forwardModel(classifier));
  const seconds = (performance.now() - started) / 1000;
  const npy = (file: string) => readNpy(readFileSync(join(directory, file)));
  const errors: number[] = [];
  const floors: number[] = [];
  for (const [k, seed] of about.seeds.entries()) {
    const exact = npy(`grad_${seed}.npy`);
    errors.push(
      ...rowErrors(await run(gradient, npy(`x_${seed}.npy`), about.classes[k], classifier.batch), exact),
    );
    floors.push(...rowErrors(npy(`floor_${seed}.npy`), exact));
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
  const range = (list: number[]) =>
    `${Math.min(...list).toExponential(0)} … ${Math.max(...list).toExponential(0)}`;
  return [...head, range(errors), range(floors), cost.toFixed(1), seconds.toFixed(1)];
}

console.log(
  '| network | exporter | opset | nodes | without rule | error, best and worst of 6 | torch float32 itself | ratio to forward | load, s |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const name of positionals)
  for (const form of values.forms.split(',')) {
    const directory = mkdtempSync(join(tmpdir(), 'parity-'));
    try {
      console.log(`| ${(await measure(name, form, directory)).join(' | ')} |`);
    } catch (error) {
      const said = error instanceof InputError ? `${error.code}: ${error.message}` : String(error);
      const bytes = statSync(join(directory, 'model.onnx'), { throwIfNoEntry: false })?.size ?? 0;
      console.log(`| ${name} | ${form} | | ${bytes} bytes | ${said.slice(0, 300)} |`);
      if (process.env.WHYLIGHT_KEEP) console.error(directory, error);
    } finally {
      if (!process.env.WHYLIGHT_KEEP) rmSync(directory, { recursive: true, force: true });
    }
  }
