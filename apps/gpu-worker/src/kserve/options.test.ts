import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';

describe('the command line of a lone worker', () => {
  test('says what it serves and where, in place of the environment', () => {
    const args = ['--model', 'm.onnx', '--name', 'mine', '--port=0', '--host', '0.0.0.0', '--ep', 'cpu'];
    expect(readOptions([...args, '--key', 'sixteen-letters!', '--threads', '2'])).toMatchObject({
      ...{ model: 'm.onnx', name: 'mine' },
      env: {
        PORT: 0,
        HOST: '0.0.0.0',
        EXECUTION_PROVIDER: 'cpu',
        WORKER_API_KEY: 'sixteen-letters!',
        THREADS: 2,
      },
    });
    expect(readOptions(['--model', 'm.onnx']).name).toBeUndefined();
  });

  test.each([
    [['--name', 'mine'], /^command line: --model is missing; expected --model MODEL\.onnx/],
    [['--model'], /^command line: --model needs a value$/],
    [['--modl', 'm.onnx'], /^command line: there is no option --modl; did you mean --model\? expected/],
    [['--__proto__', 'x'], /^command line: there is no option --__proto__; expected/],
    [['m.onnx'], /^command line: expected --model MODEL\.onnx .*; got "m\.onnx"$/],
    [['--model', 'a', '--model', 'b'], /^command line: --model is given twice$/],
    [['--model', 'a', '--port', 'x'], /^environment: PORT: /],
    [['--model', 'a', '--key', 'short'], /^environment: WORKER_API_KEY: expected at least 16 characters/],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
