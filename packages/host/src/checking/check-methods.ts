import {
  type Classifier,
  InputError,
  type MethodReport,
  OutOfMemoryError,
  sizeOf,
  type Tensor,
  withoutPaths,
} from '@whylight/core';
import { type Method, methods, type Normalisation, resolveQuestion } from '@whylight/core/methods';
import { explainerFor } from '@whylight/core/preparation';
import { DeviceError } from '../runtime/runtime.ts';
import type { ForwardPass } from './forward-pass.ts';

/** Whether a method works on a model. */
export interface MethodVerdict extends Omit<MethodReport, 'works'> {
  /** True if the method ran, false if it failed, null if nobody ran it. `reason` says why it is not true. */
  readonly works: boolean | null;
}

export interface MethodCheck {
  readonly classifier: Classifier;
  readonly input: Tensor<'float32'>;
  readonly forward: ForwardPass;
  readonly normalisation: Normalisation | undefined;
  /** The layer in the model's manifest. */
  readonly camTensor: string | undefined;
  /** Seconds that the check has spent on the model so far. */
  readonly spent: number;
}

export interface CheckWatch {
  /** Seconds for reading and running the model. A method that has not begun by then does not run. */
  readonly budget: number;
  readonly signal?: AbortSignal | undefined;
  /** Called before a method runs. The check waits for its promise; this time does not count towards the budget. */
  readonly onMethod?: ((id: string, done: number, total: number) => unknown) | undefined;
  readonly onVerdict?: ((verdict: MethodVerdict) => void) | undefined;
}

/** Samples with which the check runs a method. With one sample a fit such as LIME's has nothing to compare. */
const samples = 2;

/**
 * Builds, loads and runs every method that `reports` do not rule out by the file alone: with its default parameters, on one
 * input. Of a sampled method it runs the first samples. The cheapest methods run first.
 *
 * @returns verdicts in the order of `reports`. @throws DeviceError. @throws the signal's reason once it is aborted
 */
export async function checkMethods(
  reports: readonly MethodReport[],
  check: MethodCheck,
  { budget, signal, onMethod, onVerdict }: CheckWatch,
): Promise<MethodVerdict[]> {
  let { spent } = check;
  const verdicts = new Map<string, MethodVerdict>();
  const toRun = methods.flatMap((method) => {
    const report = reports.find(({ id, works }) => works && id === method.id);
    return report ? [{ report, method }] : [];
  });
  /** Seconds that the last method of about the same cost took. */
  const latest = new Map<number, number>();
  for (const [done, { report, method }] of toRun
    .toSorted((a, b) => costOf(a.method) - costOf(b.method))
    .entries()) {
    signal?.throwIfAborted();
    const cost = costOf(method);
    if (spent + (latest.get(cost) ?? 0) >= budget) continue;
    await onMethod?.(report.id, done, toRun.length);
    signal?.throwIfAborted();
    const begun = performance.now();
    const verdict = { ...report, ...(await outcomeOf(method, report, check)) };
    const seconds = (performance.now() - begun) / 1000;
    spent += seconds;
    latest.set(cost, seconds);
    verdicts.set(report.id, verdict);
    onVerdict?.(verdict);
  }
  return reports.map(
    (report) =>
      verdicts.get(report.id) ??
      (report.works ? notRun(report, `not run within the budget of ${budget} s`) : report),
  );
}

/** The verdict on a method that the file does not rule out and that did not run. */
export const notRun = (report: MethodReport, reason: string): MethodVerdict => ({
  ...report,
  works: null,
  reason,
});

/** Methods with a higher rank run later. A gradient takes a few times the memory and the time of the network. */
const costOf = (method: Method): number =>
  (method.needs.includes('gradient') ? 2 : 0) + (method.sampled ? 1 : 0);

async function outcomeOf(
  method: Method,
  { reason }: MethodReport,
  check: MethodCheck,
): Promise<Pick<MethodVerdict, 'works' | 'reason'>> {
  try {
    await runOnce(method, check);
    return { works: true, reason };
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    if (error instanceof OutOfMemoryError)
      return { works: null, reason: `not run, because memory did not suffice: ${error.message}` };
    if (error instanceof InputError) return { works: false, reason: error.message };
    const { name, message } = error as Error;
    return { works: false, reason: `an error in Whylight: ${name}: ${withoutPaths(message)}` };
  }
}

async function runOnce(
  { id, kind }: Method,
  { classifier, input, forward, normalisation, camTensor }: MethodCheck,
) {
  const spec = { ...resolveQuestion({ method: id }), normalisation };
  const explainer = await explainerFor(classifier, spec, camTensor, forward.runtime);
  try {
    const { attribution } = await explainer.attribute(input, [-1], { samples });
    checkShape(attribution, kind === 'pixels' ? input.shape : mapShape(input.shape, classifier.layout));
  } finally {
    await explainer.close();
  }
}

const mapShape = ([n, a, b, c]: readonly number[], layout: Classifier['layout']): number[] =>
  layout === 'NCHW' ? [n!, b!, c!] : [n!, a!, b!];

function checkShape({ shape, data }: Tensor, expected: readonly number[]): void {
  if (shape.join() === expected.join() && data.length === sizeOf(expected)) return;
  throw new Error(`expected an attribution of shape [${expected.join(', ')}], got [${shape.join(', ')}]`);
}
