import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundle } from './site.ts';
import type { Tab } from './tab.ts';

export interface Speed {
  readonly threads: number;
  /** Milliseconds of the network's own forward pass: the median. */
  readonly forward: number;
  /** Times of the forward pass: medians of calls that alternate with it. */
  readonly times: Readonly<Record<string, number>>;
  /** The same of the first explainer: from the model's bytes until it can explain. */
  readonly ready: number;
}

/** Measures in one tab, in turn, so that what else the machine does meets all of them. */
export const measure = ({ page }: Tab, rounds: number): Promise<Speed> =>
  page.evaluate(async (count) => {
    const explainer = await web.startExplainer();
    const folder = '/files/models/efficientnet-lite0/';
    const files = await Promise.all(
      ['efficientnet-lite0.onnx', 'efficientnet-lite0.json', 'labels.csv'].map(
        async (name) => new File([await (await fetch(folder + name)).blob()], name),
      ),
    );
    const image = document.querySelector('img')!;
    await image.decode();
    const methods = ['grad-cam', 'saliency'];
    const begin = performance.now();
    const model = await explainer.openModel({ files });
    const opened = performance.now() - begin;
    const explain = (method: string) => explainer.explain({ model, image, method, pictures: false });
    const { load } = (await explain('grad-cam')).milliseconds;
    const median = (values: readonly number[]) =>
      values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
    const milliseconds: Record<string, number[]> = { forward: [] };
    for (const method of methods) milliseconds[method] = [];
    for (let round = -1; round < count; round++) {
      const forward = (await explainer.classify({ model, image })).milliseconds.compute;
      if (round >= 0) milliseconds.forward!.push(forward);
      for (const method of methods) {
        const { compute } = (await explain(method)).milliseconds;
        if (round >= 0) milliseconds[method]!.push(compute);
      }
    }
    const forward = median(milliseconds.forward!);
    explainer.close();
    return {
      threads: explainer.backend.threads,
      forward,
      times: Object.fromEntries(methods.map((method) => [method, median(milliseconds[method]!) / forward])),
      ready: (opened + load) / forward,
    };
  }, rounds);

export interface Size {
  readonly file: string;
  readonly bytes: number;
  readonly gzipped: number;
}

/** What an app gets that uses the package. */
export async function sizes(): Promise<Size[]> {
  const folder = join(tmpdir(), 'whylight-web-sizes');
  await bundle(join(import.meta.dirname, 'page'), folder);
  return readdirSync(join(folder, 'assets'))
    .sort()
    .map((file) => {
      const bytes = readFileSync(join(folder, 'assets', file));
      return { file, bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
    });
}
