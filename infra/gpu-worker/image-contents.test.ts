import { expect, test } from 'vitest';
import { unwanted } from './image-contents.ts';

test.each([
  ['usr/bin/gcc', 'a compiler'],
  ['usr/bin/x86_64-linux-gnu-gcc-12', 'a compiler'],
  ['usr/local/bin/npm', 'a compiler'],
  ['bin/ld', 'a compiler'],
  ['whylight/node_modules/.bin/tsc', 'a compiler'],
  ['whylight/apps/gpu-worker/src/worker.test.ts', 'a test'],
  ['whylight/packages/core/src/testing/network.ts', 'a test'],
  ['whylight/node_modules/some-package/test/index.js', 'a test'],
  ['whylight/node_modules/some-package/lib/a.spec.mjs', 'a test'],
  ['whylight/models/efficientnet-lite0/logits.json', 'a fixture'],
  ['whylight/models/shapes/train.py', 'a fixture'],
  ['root/.npmrc', "the build machine's settings"],
  ['whylight/apps/gpu-worker/.env', "the build machine's settings"],
])('%s is unwanted in the image: %s', (path, reason) => expect(unwanted(path)).toBe(reason));

test.each([
  'usr/local/bin/node',
  'usr/bin/perl',
  'usr/bin/test',
  'usr/share/doc/gcc-12-base/copyright',
  'whylight/apps/gpu-worker/src/worker.ts',
  'whylight/packages/core/src/methods/latest.ts',
  'whylight/models/efficientnet-lite0/efficientnet-lite0.onnx',
  'whylight/models/efficientnet-lite0/labels.csv',
  'whylight/.npmrc',
])('%s may be in the image', (path) => expect(unwanted(path)).toBeNull());
