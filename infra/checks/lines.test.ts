import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { budgetFor, faultsOf, linesOf, table } from './lines.ts';

describe('the lines of a room', () => {
  test('are those of its sources, however deep, without tests, recorded values and generated files', () => {
    const root = mkdtempSync(join(tmpdir(), 'whylight-lines-'));
    const write = (path: string, count: number) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), 'line\n'.repeat(count));
    };
    try {
      write('packages/core/src/index.ts', 1);
      write('packages/core/src/errors.ts', 2);
      write('packages/core/src/errors.test.ts', 100);
      write('packages/core/src/onnx/read.ts', 4);
      write('packages/core/src/onnx/schema/deep/er.ts', 8);
      write('packages/core/src/onnx/generated/pb.ts', 100);
      write('packages/core/src/onnx/vectors.json', 100);
      write('packages/core/vitest.config.ts', 100);
      write('apps/web/src/style/page.css', 16);
      expect(linesOf(root)).toEqual({
        'packages/core/src': 3,
        'packages/core/src/onnx': 12,
        'apps/web/src/style': 16,
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('the budget', () => {
  test('that is written leaves fifty to a hundred lines', () => {
    expect(budgetFor({ b: 51, a: 50, c: 1 })).toEqual({ a: 100, b: 150, c: 100 });
    expect(Object.keys(budgetFor({ b: 51, a: 50 }))).toEqual(['a', 'b']);
  });

  test('is kept by a room that is as large as it may be', () => {
    expect(faultsOf({ a: 100, b: 3 }, { a: 100, b: 50 })).toEqual([]);
  });

  test('is exceeded by one line', () => {
    const [fault, ...others] = faultsOf({ a: 101, b: 3 }, { a: 100, b: 50 });
    expect(fault).toMatch(
      /^a has 101 lines, 1 more than its budget of 100: take lines out, or raise the budget/,
    );
    expect(others).toEqual([]);
  });

  test('is missing for a new room, and left over from one that is gone', () => {
    expect(faultsOf({ b: 120 }, { a: 100 })).toEqual([
      'a has a budget and no lines: remove it from infra/checks/budget.json.',
      'b has 120 lines and no budget: add one to infra/checks/budget.json, "b": 200.',
    ]);
  });

  test('is printed beside the lines, with the sum of a workspace', () => {
    const lines = { 'apps/x/src': 20, 'apps/x/src/a': 5, 'apps/x/src/b': 1 };
    expect(table(lines, { 'apps/x/src': 50, 'apps/x/src/a': 100 }).split('\n')).toEqual([
      'room             lines  budget',
      'apps/x              26     150',
      '  apps/x/src        20      50',
      '  apps/x/src/a       5     100',
      '  apps/x/src/b       1    none',
    ]);
  });
});
