import { compileExplainer, InputError, readClassifier } from '@whylight/core';
import { describe, expect, it } from 'vitest';
import { gradientRules } from '../../packages/core/src/autodiff/gradient.ts';
import { spelledFunctions } from '../../packages/core/src/onnx/operator-names.ts';
import { menagerie } from '../../packages/core/src/testing/menagerie.ts';
import { contentsOf } from '../../packages/core/src/testing/onnx-file.ts';
import { everySpec, networkFor } from '../../packages/core/src/testing/specs.ts';
import { cudaOperators, onCuda } from './kernels.ts';

/** Networks of an opset whose pools, padding and reductions have no kernels. */
const newer = menagerie(24).slice(2, 4);

/** "operator opset" of every node that the methods write for small networks, of an open batch and of one baked in. */
function emitted(): Set<string> {
  const found = new Set<string>();
  for (const spec of everySpec)
    for (const bytes of [networkFor(spec)(), networkFor(spec)(2), ...menagerie(), ...newer]) {
      try {
        const { opset, operators } = contentsOf(compileExplainer(readClassifier(bytes), spec));
        for (const op of operators) found.add(`${op} ${opset}`);
      } catch (error) {
        if (!(error instanceof InputError)) throw error; // no layer, no attention: nothing is written
      }
    }
  return found;
}

/** ONNX Runtime writes these out where a provider has no kernel for them; the last ones are written out in the file. */
const functions: readonly string[] = [
  ...'CastLike Celu DynamicQuantizeLinear GroupNormalization Mish Swish'.split(' '),
  ...spelledFunctions,
];

describe("the CUDA provider's own kernels", () => {
  it('run every node that methods write, but for the bits of random numbers', () => {
    const missing = [...emitted()].filter((node) => {
      const [op, opset] = node.split(' ') as [string, string];
      return !onCuda(op, Number(opset)) && !functions.includes(op);
    });
    expect(missing.sort()).toEqual(['BitShift 18', 'BitwiseXor 18']);
  }, 120_000);

  it('are lost by opset, as later versions of operators find none', () => {
    const lost = (opset: number) => cudaOperators.filter((op) => onCuda(op, 18) && !onCuda(op, opset));
    expect(lost(17).join(' ')).toBe('');
    expect(lost(20).join(' ')).toBe('ConstantOfShape Equal Pad ReduceMax ReduceMin Size');
    expect(lost(22)).toEqual(expect.arrayContaining(['MaxPool', 'GlobalAveragePool', 'ConvTranspose']));
  });

  it('are missing for these of the operators that are differentiated, as far as none stands for other operators', () => {
    const missing = Object.keys(gradientRules).filter((op) => !cudaOperators.includes(op));
    expect(
      missing
        .filter((op) => !functions.includes(op))
        .sort()
        .join(' '),
    ).toBe('Acos Acosh Asin Asinh Atan Atanh Col2Im Cosh Mean Sinh Tan');
  });
});
