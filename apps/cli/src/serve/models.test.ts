import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { embeddedModels, ModelStore, shapesModel } from '@whylight/host';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { servedModels } from './models.ts';

const [first, ...others] = embeddedModels.map((folder) => ({
  name: basename(folder),
  path: join(folder, `${basename(folder)}.onnx`),
}));
const shapes = { name: 'shapes', path: join(shapesModel, 'shapes.onnx') };

let home: string;
let file: string;
let stored: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-served-'));
  vi.stubEnv('WHYLIGHT_HOME', home);
  file = join(home, 'file.onnx');
  await copyFile(shapes.path, file);
  stored = (await new ModelStore().add(file, { name: 'mine' })).path;
  await writeFile(join(home, 'none.onnx'), 'no model');
  await writeFile(join(home, 'labelled.json'), JSON.stringify({ labels: ['a', 'b'] }));
  for (const name of ['labelled', 'odd name', 'a,b']) await copyFile(file, join(home, `${name}.onnx`));
  await mkdir(join(home, 'only'));
  await copyFile(file, join(home, 'only', 'one.onnx'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

describe('models to serve', () => {
  it('are named by registration, by their file, or on the command line; the embedded ones are the last', async () => {
    const asked = ['mine', file, join(home, 'only'), `called=${file}`, 'too=mine'];
    expect(await servedModels(asked)).toEqual([
      { name: 'mine', path: stored },
      { name: 'file', path: file },
      { name: 'one', path: join(home, 'only', 'one.onnx') },
      { name: 'called', path: file },
      { name: 'too', path: stored },
      first,
      shapes,
    ]);
  });

  it('have the network for photos first where nothing is asked for', async () => {
    expect(others).toEqual([shapes]);
    expect(await servedModels([])).toEqual([{ ...first, name: 'efficientnet-lite0' }, shapes]);
  });

  it('have an embedded one where it is asked for', async () => {
    const mine = { name: 'mine', path: stored };
    expect(await servedModels(['shapes', 'mine', 'mine'])).toEqual([shapes, mine, first]);
  });

  it.each([
    ['none.onnx', 'model none: the file is not an ONNX model'],
    ['x=none.onnx', 'model none: the file is not an ONNX model'],
    ['labelled.onnx', 'labels: expected 10, one for each class, got 2'],
    ['x=nothing.onnx', 'model file nothing.onnx: not found'],
    ['nobody', 'model nobody: not found'],
    ['shapes=file.onnx', 'another model is called shapes; give it a name of its own, NAME=PATH'],
    ['mine=file.onnx', 'another model is called mine'],
    ['odd name.onnx', 'expected a name of letters, digits and . _ - + @, got "odd name"; say NAME=PATH'],
    ['x=a,b.onnx', 'expected a path without commas and line breaks'],
  ])('%s is refused', async (asked, message) => {
    // Files are named from where the user stands.
    const [before, path] = [asked.slice(0, asked.indexOf('=') + 1), asked.slice(asked.indexOf('=') + 1)];
    const wanted = path.endsWith('.onnx') ? `${before}${join(relative('.', home), path)}` : asked;
    await expect(servedModels(['mine', wanted])).rejects.toThrow(message);
  });
});
