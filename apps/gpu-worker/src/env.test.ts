import { expect, test } from 'vitest';
import { parseEnv } from './env.ts';

const complete = {
  WORKER_SECRET: 'a secret of some length',
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_BUCKET: 'bucket',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'key',
};

test('what is not said has its default', () => {
  expect(parseEnv(complete)).toMatchObject({
    PORT: 8080,
    HOST: '127.0.0.1',
    MODELS: [],
    EXECUTION_PROVIDER: 'cpu',
    PROVIDER_FALLBACK: false,
    CONCURRENCY: 16,
    QUEUE_LIMIT: 64,
    BATCH: 8,
    S3_FORCE_PATH_STYLE: false,
  });
});

test('models are separated by commas or new lines', () => {
  const { MODELS } = parseEnv({ ...complete, MODELS: 'a=/m/a.onnx, b=/m/b=1.onnx\nc=c.onnx\n' });
  expect(MODELS).toEqual([
    { name: 'a', path: '/m/a.onnx' },
    { name: 'b', path: '/m/b=1.onnx' },
    { name: 'c', path: 'c.onnx' },
  ]);
});

const wrong: [string, string, RegExp][] = [
  ['MODELS', 'just-a-path.onnx', /MODELS: expected NAME=PATH, got "just-a-path.onnx"/],
  ['EXECUTION_PROVIDER', 'tpu', /EXECUTION_PROVIDER: /],
  ['CONCURRENCY', '0', /CONCURRENCY: /],
  ['PROVIDER_FALLBACK', 'perhaps', /PROVIDER_FALLBACK: /],
];
test.each(wrong)('%s=%s is refused by name', (name, value, message) => {
  expect(() => parseEnv({ ...complete, [name]: value })).toThrow(message);
});

test('a short secret is refused without being shown, and so is a missing one', () => {
  expect(() => parseEnv({ ...complete, WORKER_SECRET: 'hunter2' })).toThrow(
    /^environment: WORKER_SECRET: (?!.*hunter2)/,
  );
  expect(() => parseEnv({})).toThrow(/WORKER_SECRET: .*S3_ENDPOINT: .*S3_BUCKET: /);
});

test('L13: of the store’s address only endpoint and bucket must be said; an empty setting is none', () => {
  const { S3_REGION, S3_STYLE } = parseEnv({ ...complete, S3_REGION: '', S3_STYLE: '' });
  expect([S3_REGION, S3_STYLE]).toEqual([undefined, undefined]);
  expect(parseEnv({ ...complete, S3_STYLE: 'virtual' }).S3_STYLE).toBe('virtual');
  expect(() => parseEnv({ ...complete, S3_STYLE: 'dns' })).toThrow(/S3_STYLE: /);
});
