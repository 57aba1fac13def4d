import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tinyNetwork } from '@whylight/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { difference } from './parity.ts';
import { repository } from './site.ts';
import { openTab, type Tab } from './tab.ts';

let tab: Tab;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whylight-models-'));
  tab = await openTab();
  await tab.page.evaluate(async () => {
    globalThis.explainer = await web.startExplainer();
    const url = '/files/models/shapes/shapes.onnx';
    globalThis.model = await explainer.openModel({ url, beside: ['/files/models/shapes/shapes.json'] });
    await document.querySelector('img')!.decode();
  });
});
afterAll(async () => {
  expect(tab.errors).toEqual([]);
  await tab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('an <img>', () => {
  test('is explained by the lines of the README', async () => {
    const page = join(folder, 'readme');
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, lines] = /```ts\n([\s\S]*?)```/.exec(readme)!;
    expect(lines!.trim().split('\n').slice(2)).toHaveLength(11);
    const at = (path: string) => `/files/models/efficientnet-lite0/${path}`;
    await using readmeTab = await openTab({
      root: await pageOf(
        page,
        lines!
          .replace("'@whylight/web'", JSON.stringify(new URL('../../src/index.ts', import.meta.url).pathname))
          .replace(/'\/(efficientnet-lite0\.\w+|labels\.csv)'/g, (_, path) => `'${at(path)}'`),
      ),
    });
    await readmeTab.page.waitForFunction(() => document.querySelector('p')!.textContent);
    const drawn = await readmeTab.page.evaluate(() => {
      const { width, height } = document.querySelector('canvas')!;
      const data = document.querySelector('canvas')!.getContext('2d')!.getImageData(0, 0, width, height).data;
      return { width, height, text: document.querySelector('p')!.textContent, colours: new Set(data).size };
    });
    expect(drawn.text).toMatch(/^espresso 0\.9\d\d$/);
    expect(drawn.colours).toBeGreaterThan(100);
    expect(readmeTab.errors).toEqual([]);
    // Nothing is asked of anybody but the page's own server.
    expect(readmeTab.requests.filter((url) => !url.startsWith(readmeTab.url))).toEqual([]);
  });

  async function pageOf(root: string, lines: string): Promise<string> {
    await mkdir(root, { recursive: true });
    await writeFile(
      join(root, 'index.html'),
      `<!doctype html><img src="/files/apps/cli/photos/coffee.jpg" alt=""><canvas></canvas><p></p><script type="module" src="./main.ts"></script>`,
    );
    await writeFile(join(root, 'main.ts'), lines);
    return root;
  }
});

test('what computes is said, and why nothing faster does', async () => {
  const backend = await tab.page.evaluate(() => explainer.backend);
  expect(backend).toMatchObject({ name: 'wasm', threads: 1, gpu: null });
  expect(backend.reasons.join()).toMatch(/not cross-origin isolated/);
});

test('an isolated page has threads, and the same explanation', async () => {
  await using isolated = await openTab({ isolated: true });
  const inTab = (page: Tab['page']) =>
    page.evaluate(async () => {
      const one = await web.startExplainer({ threads: 2 });
      const opened = await one.openModel({ url: '/files/models/shapes/shapes.onnx' });
      const image = document.querySelector('img')!;
      await image.decode();
      const { attribution } = await one.explain({ model: opened, image, method: 'saliency' });
      one.close();
      return { threads: one.backend.threads, attribution: [...attribution] };
    });
  const [one, two] = [await inTab(tab.page), await inTab(isolated.page)];
  expect([one.threads, two.threads]).toEqual([1, 2]);
  expect(Math.max(...one.attribution)).toBeGreaterThan(0);
  expect(difference(two.attribution, one.attribution)).toBeLessThan(1e-5);
});

test('WebGPU gives the same explanation, and says what it left to WebAssembly', async (context) => {
  await using other = await openTab({ webgpu: true });
  const gpu = await other.page.evaluate(async () => {
    const software = await web.startExplainer({ backend: 'webgpu' }).catch(() => null);
    if (!software) return null;
    const opened = await software.openModel({ url: '/files/models/shapes/shapes.onnx' });
    const image = document.querySelector('img')!;
    await image.decode();
    const { attribution, device } = await software.explain({ model: opened, image, method: 'grad-cam' });
    return { attribution: [...attribution], device, backend: software.backend };
  });
  if (!gpu) return context.skip('this browser has no WebGPU adapter, not even in software');
  const wasm = await tab.page.evaluate(async () => {
    const opened = await explainer.openModel({ url: '/files/models/shapes/shapes.onnx' });
    const image = document.querySelector('img')!;
    const { attribution, device } = await explainer.explain({ model: opened, image, method: 'grad-cam' });
    return { attribution: [...attribution], device };
  });
  expect(gpu.backend).toMatchObject({ name: 'webgpu', gpu: expect.stringMatching(/./) });
  expect(gpu.device).toEqual({ name: 'webgpu', fallenBack: expect.arrayContaining(['Where']) });
  expect(wasm.device).toEqual({ name: 'wasm', fallenBack: [] });
  expect(difference(gpu.attribution, wasm.attribution)).toBeLessThan(1e-5);
});

describe('pixels', () => {
  test('are the same from an <img>, a canvas, a bitmap, a blob and a frame', async () => {
    const sources = await tab.page.evaluate(async () => {
      const image = document.querySelector('img')!;
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
      canvas.getContext('2d')!.drawImage(image, 0, 0);
      const given = {
        image,
        canvas,
        bitmap: await createImageBitmap(image),
        data: canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height),
        blob: await (await fetch(image.src)).blob(),
        frame: new VideoFrame(await createImageBitmap(image), { timestamp: 0 }),
      };
      const results: Record<string, unknown> = {};
      for (const [name, source] of Object.entries(given)) {
        const { width, height, channels, data } = await web.pixelsOf(source);
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data as BufferSource));
        results[name] = { width, height, channels, digest: [...digest].join() };
      }
      return results;
    });
    expect(sources.image).toMatchObject({ width: 512, channels: 4 });
    for (const one of Object.values(sources)) expect(one).toEqual(sources.image);
  });

  test('of a camera are explained', async () => {
    const { classes, shown } = await tab.page.evaluate(async () => {
      const video = document.createElement('video');
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
      const early = await explainer.classify({ model, image: video }).catch((error: Error) => error.message);
      await video.play();
      const { predictions, overlay } = await explainer.explain({ model, image: video, method: 'grad-cam' });
      for (const track of (video.srcObject as MediaStream).getTracks()) track.stop();
      return { classes: predictions.length, shown: [overlay!.width, overlay!.height, early] };
    });
    expect(classes).toBe(5);
    expect(shown).toEqual([
      320,
      240,
      'The video has no frame yet: wait for its "loadeddata" event before you explain it.',
    ]);
  });
});

describe('an own model', () => {
  test('that was chosen with the files beside it is explained in its own names', async () => {
    await writeFile(join(folder, 'mine.onnx'), tinyNetwork());
    await writeFile(join(folder, 'labels.txt'), 'toString\n__proto__\nconstructor\n');
    await writeFile(join(folder, 'mine.json'), '{"preprocessing": {"channels": 2, "scale": 1}}');
    const answer = await openChosen(['mine.onnx', 'mine.json', 'labels.txt']);
    expect(answer).toMatchObject({ classes: 3, labels: ['toString', 'proto', 'constructor'] });
  });

  test('whose folder was dropped is explained by what lies in it', async () => {
    const dropped = join(folder, 'dropped');
    await mkdir(join(dropped, 'deeper'), { recursive: true });
    await writeFile(
      join(dropped, 'model.onnx'),
      await readFile(join(repository, 'models/shapes/shapes.onnx')),
    );
    await writeFile(join(dropped, 'preprocessor_config.json'), '{"image_mean": 0.25, "image_std": 0.5}');
    await writeFile(join(dropped, 'deeper', 'other.onnx'), 'not looked at');
    await tab.page.evaluate(() => {
      document.body.ondragover = (event) => event.preventDefault();
      document.body.ondrop = async (event) => {
        event.preventDefault();
        const files = await web.filesDropped(event.dataTransfer!);
        const { name, preprocessing } = await explainer.openModel({ files });
        const names = files.map((file) => file.name).sort();
        Object.assign(globalThis, { dropped: { names, name, mean: preprocessing.mean } });
      };
    });
    const client = await tab.page.context().newCDPSession(tab.page);
    const data = { items: [], files: [dropped], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await client.send('Input.dispatchDragEvent', { type, x: 20, y: 20, data });
    await tab.page.waitForFunction(() => 'dropped' in globalThis);
    expect(await tab.page.evaluate(() => Reflect.get(globalThis, 'dropped'))).toEqual({
      names: ['model.onnx', 'preprocessor_config.json'],
      name: 'model',
      mean: { value: [0.25], from: 'preprocessor_config.json' },
    });
  });

  test('is opened from the cache by its digest, and no longer asked for', async () => {
    const before = tab.requests.length;
    const [first, second, lost] = await tab.page.evaluate(async () => {
      const url = '/files/models/shapes/shapes.onnx';
      const { sha256 } = model;
      const opened = [
        await explainer.openModel({ url, sha256 }),
        await explainer.openModel({ sha256 }),
        await explainer.openModel({ sha256: '0'.repeat(64) }).catch((error: Error) => error.message),
      ] as const;
      return opened.map((one) => (typeof one === 'string' ? one : one.cached));
    });
    expect([first, second]).toEqual([false, true]);
    expect(lost).toContain("is in this browser's cache");
    expect(tab.requests.slice(before).filter((url) => url.endsWith('.onnx'))).toHaveLength(1);
  });

  test.each([
    [
      'that is another file than its digest says',
      'mine.onnx',
      '1'.repeat(64),
      /expected sha256 1{64}, got [0-9a-f]{64}/,
    ],
    ['that is a photo', 'photo.onnx', undefined, /JPEG|not an ONNX|ONNX/],
    ['that is empty', 'empty.onnx', undefined, /empty|ONNX/],
  ])('%s is refused in words', async (_, name, sha256, message) => {
    await writeFile(join(folder, 'mine.onnx'), tinyNetwork());
    await writeFile(
      join(folder, 'photo.onnx'),
      await readFile(join(repository, 'apps/cli/photos/coffee.jpg')),
    );
    await writeFile(join(folder, 'empty.onnx'), '');
    const refusal = await openChosen([name], sha256);
    expect(refusal).toMatchObject({ code: 'invalid_model', message: expect.stringMatching(message) });
  });

  test('at an address that has none is refused in words', async () => {
    const refusal = await tab.page.evaluate(() =>
      explainer.openModel({ url: '/nothing.onnx' }).catch((error: Error) => error.message),
    );
    expect(refusal).toBe(
      'file "nothing.onnx" cannot be fetched: the server answered 404; check the address, and that its server lets this page read it',
    );
  });

  /** Opens what a user chooses in a field for files. */
  async function openChosen(names: string[], sha256?: string) {
    await tab.page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<input type="file" multiple>');
    });
    await tab.page.locator('input').setInputFiles(names.map((name) => join(folder, name)));
    return tab.page.evaluate(async (digest) => {
      const field = document.querySelector('input')!;
      const files = [...field.files!];
      field.remove();
      try {
        const { classes, labels } = await explainer.openModel({ files, sha256: digest });
        return { classes, labels: labels?.map(({ en }) => en) };
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        return { code, message };
      }
    }, sha256);
  }
});

describe('a question', () => {
  const refusalOf = (question: object) =>
    tab.page.evaluate(async (text) => {
      const asked = JSON.parse(text);
      const image = document.querySelector('img')!;
      const answer = await explainer
        .explain({ model, image, method: 'grad-cam', ...asked })
        .catch((error: { code?: string; message: string }) => error);
      return 'code' in answer ? `${answer.code}: ${answer.message}` : 'no error';
      // As text: a member called __proto__ would not arrive otherwise.
    }, JSON.stringify(question));

  test.each(['toString', '__proto__', 'constructor'])(
    'by what objects inherit is refused: %s',
    async (name) => {
      expect(await refusalOf({ method: name })).toMatch(/^unknown_method: /);
      expect(await refusalOf({ target: { label: name } })).toMatch(/^target_out_of_range: /);
      expect(await refusalOf({ layers: [name] })).toMatch(/^invalid_parameter: /);
      expect(await refusalOf({ parameters: JSON.parse(`{"${name}": 1}`) })).toMatch(/^invalid_parameter: /);
    },
  );

  test('with another style has other colours', async () => {
    const [own, other, none] = await tab.page.evaluate(async () => {
      const image = document.querySelector('img')!;
      const of = async (style: object | undefined, pictures = true) => {
        const { overlay } = await explainer.explain({ model, image, method: 'grad-cam', style, pictures });
        return overlay && [...overlay.data.slice(0, 40_000)].join();
      };
      return [await of(undefined), await of({ colormap: 'viridis' }), await of(undefined, false)];
    });
    expect(own).not.toBe(other);
    expect(none).toBeNull();
  });
});

describe('a long computation', () => {
  test('says how far it is, by samples, and leaves the page its thread', async () => {
    const { progress, turns } = await tab.page.evaluate(async () => {
      const image = document.querySelector('img')!;
      const progress: number[] = [];
      let [running, turns] = [true, 0];
      const watch = () => {
        turns++;
        if (running) setTimeout(watch, 0);
      };
      watch();
      await explainer.explain(
        { model, image, method: 'rise', parameters: { n_masks: 400 } },
        { onProgress: (part) => progress.push(part) },
      );
      running = false;
      return { progress, turns };
    });
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.at(-1)).toBe(1);
    expect(progress.every((part, i) => part > (progress[i - 1] ?? 0) && part <= 1)).toBe(true);
    // The thread that computes has a turn after each chunk of samples at most.
    expect(turns).toBeGreaterThan(5 * progress.length);
  });

  test('stops when it is given up, and the explainer answers the next question', async () => {
    const { reason, partial, next } = await tab.page.evaluate(async () => {
      const image = document.querySelector('img')!;
      const controller = new AbortController();
      let partial = 0;
      const long = { model, image, method: 'rise', parameters: { n_masks: 20_000 } };
      const reason = await explainer
        .explain(long, {
          signal: controller.signal,
          onProgress: (part) => {
            partial = part;
            controller.abort(new Error('enough'));
          },
        })
        .catch((error: Error) => error.message);
      const { predictions } = await explainer.classify({ model, image });
      return { reason, partial, next: predictions.length };
    });
    expect(reason).toBe('enough');
    expect(partial).toBeGreaterThan(0);
    expect(partial).toBeLessThan(0.5);
    expect(next).toBe(5);
  });

  test('ends with the explainer', async () => {
    const message = await tab.page.evaluate(async () => {
      const one = await web.startExplainer();
      const opening = one.openModel({ url: '/files/models/shapes/shapes.onnx' });
      one.close();
      return opening.catch((error: Error) => error.message);
    });
    expect(message).toBe('the explainer is closed');
  });
});
