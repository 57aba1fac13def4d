import { float32, writeNpy } from '@whylight/core';
import type { Result } from '../engine/engine.ts';
import type { Session, Shown } from '../state/session.ts';

/** The numbers of a result as NumPy reads them. */
export const npyOf = ({ attribution, shape }: Result): Blob =>
  new Blob([writeNpy(float32([...shape], attribution)) as Uint8Array<ArrayBuffer>]);

/** What `result.json` of the command line says too, as far as the page knows it. */
export function jsonOf(
  { result, photo }: Extract<Shown, { readonly kind: 'computed' }>,
  { model }: Session,
): Blob {
  const { attribution, shape, method, convention, parameters, layers, target, region, warnings } = result;
  const text = JSON.stringify(
    {
      ...{ method, convention, parameters, layers, target },
      model: model && { name: model.name, sha256: model.sha256 },
      attribution: {
        shape,
        minimum: attribution.reduce((least, value) => Math.min(least, value), Infinity),
        maximum: attribution.reduce((most, value) => Math.max(most, value), -Infinity),
        sum: attribution.reduce((sum, value) => sum + value, 0),
        convergence_delta: result.convergenceDelta,
      },
      input_region: region,
      image: { width: photo.width, height: photo.height },
      warnings,
    },
    null,
    2,
  );
  return new Blob([text], { type: 'application/json' });
}
