import { type Attributes, attributesOf } from './canonical.ts';
import { type NodeInit, onnxFile, type TensorInit, value } from './onnx-file.ts';

// Small classifiers as ONNX Runtime's optimisers write them, which together contain ONNX Runtime's own operators.

class Writer {
  readonly nodes: NodeInit[] = [];
  readonly weights: TensorInit[] = [];

  node(
    opType: string,
    input: readonly string[],
    attributes: Attributes = {},
    others: readonly string[] = [],
  ): string {
    const standard = opType.startsWith('.');
    const name = `${opType}_${this.nodes.length}`;
    this.nodes.push({
      opType: standard ? opType.slice(1) : opType,
      domain: standard ? '' : 'com.microsoft',
      name,
      input: [...input],
      output: [name, ...others],
      attribute: attributesOf(attributes),
    });
    return name;
  }

  weight(...shape: number[]): string {
    return this.add(shape, 1, (i) => 0.5 * Math.sin(1.9 * i + this.weights.length));
  }

  number(value: number): string {
    return this.add([], 1, () => value);
  }

  levels(dataType: 2 | 3 | 6 | 7, shape: readonly number[], of = (i: number) => (i * 37) % 100): string {
    return this.add(shape, dataType, of);
  }

  file(image: readonly number[], scores: string): Uint8Array {
    return onnxFile(
      {
        node: this.nodes,
        initializer: this.weights,
        input: [value('image', 'batch', ...image)],
        output: [value(scores, 'batch', 3)],
      },
      {
        opsetImport: [
          { domain: '', version: 17n },
          { domain: 'com.microsoft', version: 1n },
        ],
      },
    );
  }

  private add(shape: readonly number[], dataType: number, of: (i: number) => number): string {
    const name = `w${this.weights.length}`;
    const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i));
    const data =
      dataType === 1
        ? { floatData: values }
        : dataType === 7
          ? { int64Data: values.map(BigInt) }
          : { int32Data: values };
    this.weights.push({ name, dims: shape.map(BigInt), dataType, ...data });
    return name;
  }
}

function convolutional(): Uint8Array {
  const w = new Writer();
  const first = w.node('FusedConv', ['image', w.weight(4, 3, 3, 3), w.weight(4)], {
    activation: 'Clip',
    activation_params: { floats: [0, 6] },
    auto_pad: 'SAME_UPPER',
    strides: [2, 2],
  });
  const second = w.node('FusedConv', [first, w.weight(4, 4, 1, 1), w.weight(4), first], {
    activation: 'Relu',
  });
  const pooled = w.node('.Flatten', [w.node('.GlobalAveragePool', [second])]);
  const hidden = w.node('FusedGemm', [pooled, w.weight(4, 6), w.weight(6)], {
    activation: 'LeakyRelu',
    activation_alpha: { f: 0.1 },
  });
  const bent = w.node('QuickGelu', [hidden], { alpha: { f: 1.702 } });
  const scores = w.node('FusedMatMul', [bent, w.weight(3, 6)], { transB: 1, alpha: { f: 0.5 } });
  return w.file([3, 8, 8], scores);
}

function transformer(): Uint8Array {
  const w = new Writer();
  const patches = w.node('.Conv', ['image', w.weight(8, 3, 2, 2)], { strides: [2, 2] });
  const flat = w.node('.Reshape', [patches, w.levels(7, [3], (i) => [0, 8, -1][i]!)]);
  const tokens = w.node('.Transpose', [flat], { perm: [0, 2, 1] });
  const norm = w.node('.SimplifiedLayerNormalization', [tokens, w.weight(8)], { axis: -1 });
  const mixed = w.node('Attention', [norm, w.weight(8, 24), w.weight(24)], { num_heads: 2 });
  const skipped = w.node(
    'SkipLayerNormalization',
    [mixed, tokens, w.weight(8), w.weight(8), w.weight(8)],
    {},
    ['', '', 'sum'],
  );
  const hidden = w.node('BiasGelu', [w.node('.MatMul', [skipped, w.weight(8, 8)]), w.weight(8)]);
  const again = w.node('MultiHeadAttention', [hidden, skipped, skipped, w.weight(24)], { num_heads: 4 });
  const last = w.node('SkipSimplifiedLayerNormalization', [again, 'sum', w.weight(8)]);
  const dynamic = w.node('DynamicQuantizeMatMul', [
    w.node('FastGelu', [last, w.weight(8)]),
    w.levels(3, [8, 8]),
    w.number(0.01),
  ]);
  const weights = w.node('BiasSoftmax', [dynamic, w.weight(1, 1, 8)], { axis: 2, is_inner_broadcast: 0 });
  const pooled = w.node('.ReduceMean', [w.node('Gelu', [weights])], { axes: [1], keepdims: 0 });
  return w.file([3, 6, 6], w.node('.Gemm', [pooled, w.weight(8, 3)]));
}

function quantized(): Uint8Array {
  const w = new Writer();
  const scale = [w.number(0.02), w.levels(2, [], () => 120)];
  const q = w.node('.QuantizeLinear', ['image', ...scale]);
  const filters = [w.levels(3, [4, 3, 3, 3]), w.weight(4), w.levels(3, [4], () => 0)];
  const conv = w.node('QLinearConv', [q, ...scale, ...filters, ...scale, w.levels(6, [4])], {
    channels_last: 1,
    pads: [1, 1, 1, 1],
  });
  const bent = w.node('QLinearLeakyRelu', [conv, ...scale, ...scale], { alpha: { f: 0.1 } });
  const gate = w.node('QLinearSigmoid', [bent, ...scale, ...scale]);
  const product = w.node('QLinearMul', [bent, ...scale, gate, ...scale, ...scale]);
  const sum = w.node('QLinearAdd', [product, ...scale, conv, ...scale, ...scale]);
  const both = w.node('QLinearConcat', [...scale, sum, ...scale, conv, ...scale], { axis: 3 });
  const most = w.node('NhwcMaxPool', [both], { kernel_shape: [2, 2], strides: [2, 2] });
  const mean = w.node('QLinearAveragePool', [most, ...scale, ...scale], {
    kernel_shape: [2, 2],
    channels_last: 1,
  });
  const pooled = w.node('QLinearGlobalAveragePool', [mean, ...scale, ...scale], { channels_last: 1 });
  const flat = w.node('.Flatten', [pooled]);
  const scored = w.node(
    'QGemm',
    [flat, ...scale, w.levels(3, [8, 3]), w.number(0.01), w.levels(3, [], () => 0), w.levels(6, [3])],
    { alpha: { f: 1 } },
  );
  const again = w.node('QuantizeLinear', [scored, ...scale]);
  const shares = w.node('QLinearSoftmax', [again, ...scale, ...scale], { axis: -1, opset: 13 });
  return w.file([6, 6, 3], w.node('DequantizeLinear', [shares, ...scale]));
}

export const fusedNetworks = (): Uint8Array[] => [convolutional(), transformer(), quantized()];
