import { KServeFault, UnknownMember } from '@whylight/contract/kserve';
import { InputError, type InputErrorCode, OutOfMemoryError } from '@whylight/core';
import { nearestName } from '@whylight/core/methods';
import { DeviceError } from '@whylight/host';

export type RefusalStatus = 400 | 401 | 404 | 413 | 415 | 422 | 500 | 503 | 504;

/** A request that is not answered. The message is for its sender: it holds no path, no key and no stack. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** The reason why requests end that are under way when the worker has to stop. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

const statuses: Partial<Record<InputErrorCode, RefusalStatus>> = {
  image_too_large: 413,
  unsupported_media_type: 415,
  method_not_supported: 422,
  model_unsupported_op: 422,
  non_finite_output: 422,
};

/** Gives the refusal that the sender reads for `thrown`; undefined for unforeseen errors. */
export function refusalOf(thrown: unknown): Refusal | undefined {
  if (thrown instanceof Refusal) return thrown;
  if (thrown instanceof UnknownMember)
    return new Refusal(thrown.status, thrown.messageWith(nearestName(thrown.member, thrown.known)));
  if (thrown instanceof KServeFault) return new Refusal(thrown.status, thrown.message);
  if (thrown instanceof InputError) return new Refusal(statuses[thrown.code] ?? 400, thrown.message);
  if (thrown instanceof OutOfMemoryError)
    return new Refusal(
      503,
      'the device has no memory for this, even for one image at a time: send fewer images, or choose a cheaper method',
    );
  if (thrown instanceof DeviceError) return new Refusal(503, 'the device has failed; the worker ends');
  if (thrown instanceof Stopped) return new Refusal(503, 'the worker is stopping: send the request again');
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError')
    return new Refusal(504, 'the request took too long: send fewer images, or choose a cheaper method');
  return undefined;
}

/** Adds the place in the request to a refusal for a fault of the request. */
export function refusedAt(where: string, thrown: unknown): unknown {
  const refusal = refusalOf(thrown);
  const isOfRequest = refusal !== undefined && refusal.status < 500;
  return isOfRequest ? new Refusal(refusal.status, `${where}: ${refusal.message}`) : thrown;
}
