import { expect, test } from 'vitest';
import { chooseBackend } from './backend.ts';

const gpu = { name: 'nvidia ada', isSoftware: false };
const software = { name: 'google swiftshader', isSoftware: true };

test('a GPU computes, and of WebAssembly as many threads as there are cores, up to 4', () => {
  expect(chooseBackend({}, { adapter: gpu, isIsolated: true, cores: 16 })).toEqual({
    ...{ name: 'webgpu', threads: 4, gpu: 'nvidia ada', reasons: [] },
  });
  expect(chooseBackend({ threads: 6 }, { adapter: null, isIsolated: true, cores: 16 })).toMatchObject({
    ...{ name: 'wasm', threads: 6, reasons: ['the browser has no WebGPU adapter'] },
  });
});

test('a page that is not isolated has one thread, and says so', () => {
  const { threads, reasons } = chooseBackend({}, { adapter: null, isIsolated: false, cores: 8 });
  expect(threads).toBe(1);
  expect(reasons).toContain('one thread: the page is not cross-origin isolated');
  expect(chooseBackend({}, { adapter: null, isIsolated: false, cores: 1 }).reasons).toHaveLength(1);
});

test('a software adapter computes only for who asks for it', () => {
  const around = { adapter: software, isIsolated: true, cores: 2 };
  expect(chooseBackend({}, around)).toMatchObject({ name: 'wasm', gpu: null });
  expect(chooseBackend({}, around).reasons[0]).toContain('google swiftshader');
  expect(chooseBackend({ backend: 'webgpu' }, around).name).toBe('webgpu');
  expect(chooseBackend({ backend: 'wasm' }, { ...around, adapter: gpu }).name).toBe('wasm');
});

test('WebGPU that is asked for and not there is an error', () => {
  expect(() => chooseBackend({ backend: 'webgpu' }, { adapter: null, isIsolated: true, cores: 2 })).toThrow(
    /no adapter; ask for "auto" or "wasm"/,
  );
});
