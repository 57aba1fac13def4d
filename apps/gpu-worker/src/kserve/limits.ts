import { inlineLimits } from '@whylight/contract';

/** Bytes of one image that is sent as bytes; the gateway's KServe route takes as many. */
export const largestImage = inlineLimits.max_bytes;
/** Images in one request. */
export const mostInstances = 32;
/** Bytes of a whole body: tensors as text are long. */
export const largestBody = 64 * 2 ** 20;
/** Requests whose bodies are read or answered at a time. Each may hold a body, so they bound the memory. */
export const mostRequests = 32;
