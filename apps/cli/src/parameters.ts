import { methods, type Normalisation, paramsJsonSchema } from '@whylight/core/methods';
import { UsageError } from './failure.ts';
import { values } from './preprocessing-options.ts';

type Given = Readonly<Record<string, unknown>>;

/** Names of a method's parameters. An unknown method has none here; the engine refuses it later. */
function parametersOf(method: string): ReadonlySet<string> {
  if (!methods.some(({ id }) => id === method)) return new Set();
  const { properties = {} } = paramsJsonSchema(method) as { properties?: object };
  return new Set(Object.keys(properties));
}

/**
 * Selects the parameters of `method` from those given for several methods. A parameter that no method has goes to all,
 * so that the engine refuses it.
 */
export function parametersFor(method: string, all: readonly string[], given: Given): Given {
  if (all.length === 1) return given;
  const own = parametersOf(method);
  const others = new Set(all.flatMap((id) => [...parametersOf(id)]));
  return Object.fromEntries(Object.entries(given).filter(([name]) => own.has(name) || !others.has(name)));
}

/**
 * `mean` and `std` among the parameters say how the model's input was normalised (for baselines such as black),
 * unless the method has parameters of these names itself.
 */
export function splitNormalisation(
  method: string,
  given: Given,
  manifest: Normalisation | undefined,
): { parameters: Given; normalisation: Normalisation | undefined } {
  const own = parametersOf(method);
  const { mean, std, ...rest } = given;
  if (mean === undefined || std === undefined || own.has('mean') || own.has('std'))
    return { parameters: given, normalisation: manifest };
  return { parameters: rest, normalisation: { mean: numbers('mean', mean), std: numbers('std', std) } };
}

function numbers(name: string, value: unknown): number[] {
  try {
    return values(Array.isArray(value) ? value.join(',') : String(value));
  } catch {
    throw new UsageError(
      `parameter ${name}: expected one number, or one for each channel, got ${String(value)}`,
    );
  }
}
