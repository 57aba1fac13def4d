import type { InferenceSession } from 'onnxruntime-node';
import type { ExecutionProvider } from './provider.ts';

export interface SessionSettings {
  readonly ep: ExecutionProvider;
  readonly deviceId?: number | undefined;
  readonly threads?: number | undefined;
  /** Whether to hold the weights once, at the price of time. */
  readonly sparing?: boolean | undefined;
}

/**
 * ONNX Runtime's options for a session of ours.
 *
 * Threads do not spin while they wait for work. A process that explains holds many sessions, each with threads of
 * its own, and the spinning ones take the cores from those that have work: three sessions of a ResNet-18 used in
 * turn on 2 cores took 69 ms a run spinning and 28 ms not; one alone took 26 ms either way.
 *
 * Memory is not planned as one block for each shape of input: the block comes on top of the arena that the first run has
 * filled, which is twice the memory of a run, and saves no time.
 *
 * Quantized networks run as their files say, between real numbers: pairs of QuantizeLinear and DequantizeLinear are not
 * fused into kernels for whole numbers. On x64 without VNNI (most before 2019) these multiply 8-bit numbers pair by pair
 * into 16 bits, which overflow and are cut off: a sum of 64 products gave 37 for 69. Where they are exact they still round
 * halves another way than the operators that they stand for, and the same map came out on one machine only (decision 34).
 *
 * A Pad is not fused into the operator after it: ONNX Runtime 1.30 makes the zeros around the input of a MaxPool its padding,
 * which is minus infinity. Big Transfer's ResNets then name another class, and nothing says so (decision 37).
 *
 * With `sparing`, weights are neither packed for products nor transposed for a backward pass: the kernels do that at
 * each run, piece by piece; and memory that a run no longer needs is freed at once. By default ONNX Runtime also holds
 * packed and transposed weights, two to three times the network.
 *
 * The CUDA provider takes a device and nothing else through the Node binding. TF32, which it would use by default
 * and which costs half of the digits, is switched off in NVIDIA's libraries (see `env.ts`).
 */
export function sessionOptions({
  ep,
  deviceId,
  threads,
  sparing,
}: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: [ep === 'cuda' ? { name: ep, deviceId: deviceId ?? 0 } : ep],
    logSeverityLevel: 3,
    enableMemPattern: false,
    enableCpuMemArena: !sparing,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        disable_quant_qdq: '1',
        ...(sparing && { disable_prepacking: '1' }),
      },
      optimization: {
        disable_specified_optimizers: ['Pad_Fusion', ...(sparing ? ['ConstantFolding'] : [])].join(';'),
      },
    },
  };
}
