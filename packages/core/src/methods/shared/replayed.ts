import { InputError } from '../../errors.ts';
import { getOwn } from '../../own.ts';
import type { Tensor } from '../../tensor.ts';
import type { Samples } from '../method.ts';

/** Replaces made samples by recorded ones, if given. @throws InputError invalid_tensor on another shape */
export function replayed<T extends Samples>(made: T, aux: Samples): { readonly [K in keyof T]: Tensor } {
  for (const [name, given] of Object.entries(aux)) {
    const expected = getOwn(made, name);
    if (!expected) continue;
    if (given.shape[0] === 0)
      throw new InputError('invalid_tensor', `aux "${name}": expected one sample or more, got none`);
    if (given.dtype !== expected.dtype || given.shape.slice(1).join() !== expected.shape.slice(1).join())
      throw new InputError(
        'invalid_tensor',
        `aux "${name}": expected ${expected.dtype} [${['samples', ...expected.shape.slice(1)].join(', ')}], got ${given.dtype} [${given.shape.join(', ')}]`,
      );
  }
  return Object.fromEntries(
    Object.entries(made).map(([name, tensor]) => [name, getOwn(aux, name) ?? tensor]),
  ) as { readonly [K in keyof T]: Tensor };
}
