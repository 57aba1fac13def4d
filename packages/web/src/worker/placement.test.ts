import { expect, test, vi } from 'vitest';
import { heard, placedOnProcessor } from './placement.ts';

const at = (rest: string) =>
  `2026-11-30 07:32:20.1 [V:onnxruntime:, session_state.cc:1385 VerifyEachNodeIsAssignedToAnEp] ${rest}`;

test('operators that were placed on the processor are told by type, each once', () => {
  const lines = [
    at(' Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3'),
    at('  Less (Less_2)'),
    at('  Less (Less_7)'),
    at('  Where (explain/Where (4))'),
    at(' Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 1'),
    at('  Conv (conv)'),
  ];
  expect(placedOnProcessor(lines)).toEqual(['Less', 'Where']);
  expect(placedOnProcessor(lines.slice(4))).toEqual([]);
});

test('only what ONNX Runtime logs is taken from the console, which is as it was afterwards', async () => {
  const write = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { value, lines } = await heard(async () => {
    console.error(at('  Less (a)'));
    console.error('something else', 3);
    return 5;
  });
  expect([value, lines]).toEqual([5, [at('  Less (a)')]]);
  expect(write.mock.calls).toEqual([['something else', 3]]);
  await expect(heard(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  console.error('after');
  expect(write.mock.calls.at(-1)).toEqual(['after']);
  write.mockRestore();
});
