import { onnxFile, value } from '@whylight/core/testing';

const [channels, side] = [32, 64];

/** A classifier whose convolutions take a while: about 75 million multiplications for each layer and image. */
export function slowNetwork(layers: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  const weights = (count: number) =>
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 31 / 10;
    });
  const kernel = (name: string, from: number) => ({
    ...{ name, dataType: 1, dims: [channels, from, 3, 3].map(BigInt) },
    floatData: weights(channels * from * 9),
  });
  const pads = [{ name: 'pads', type: 7, ints: [1n, 1n, 1n, 1n] }];
  const convolution = (n: number) => [
    { opType: 'Conv', name: `c${n}`, input: [`r${n - 1}`, `w${n}`], output: [`c${n}`], attribute: pads },
    { opType: 'Relu', name: `r${n}`, input: [`c${n}`], output: [`r${n}`] },
  ];
  const all = Array.from({ length: layers + 1 }, (_, n) => convolution(n)).flat();
  all[0]!.input[0] = 'image';
  const bytes = onnxFile({
    initializer: Array.from({ length: layers + 1 }, (_, n) => kernel(`w${n}`, n === 0 ? 3 : channels)),
    node: [
      ...all,
      { opType: 'GlobalAveragePool', name: 'pool', input: [`r${layers}`], output: ['pooled'] },
      { opType: 'Flatten', name: 'flat', input: ['pooled'], output: ['y'] },
    ],
    input: [value('image', 'batch', 3, side, side)],
    output: [value('y', 'batch', channels)],
  });
  return new Uint8Array(bytes);
}
