import module from 'node:module';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { inheritedEnvironment } from './env.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('the environment of the processes of the service', () => {
  test('has what finds programs and devices, and nothing that could be a secret or a setting', () => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '1');
    vi.stubEnv('WORKER_SECRET', 'a secret of somebody');
    vi.stubEnv('PORT', '1');
    const { PATH, CUDA_VISIBLE_DEVICES, ...others } = inheritedEnvironment();
    expect([PATH, CUDA_VISIBLE_DEVICES]).toEqual([process.env.PATH, '1']);
    expect(others).not.toHaveProperty('WORKER_SECRET');
    expect(others).not.toHaveProperty('PORT');
  });

  test('names the folder in which this process keeps compiled code, if it keeps any', () => {
    const find = vi.spyOn(module, 'getCompileCacheDir');
    find.mockReturnValue('/cache/v24.21.0-x64-0123-0');
    expect(inheritedEnvironment()).toMatchObject({ NODE_COMPILE_CACHE: '/cache' });
    find.mockReturnValue(undefined);
    expect(inheritedEnvironment()).not.toHaveProperty('NODE_COMPILE_CACHE');
  });
});
