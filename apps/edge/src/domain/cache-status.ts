import type { Admission } from './run.ts';

/** The Cache-Status value (RFC 9211) for each way in which a request finds its run. */
export const cacheStatus: Readonly<Record<Admission['via'], string>> = {
  hit: 'whylight; hit',
  miss: 'whylight; fwd=miss; stored',
  collapsed: 'whylight; fwd=miss; collapsed',
  bypass: 'whylight; fwd=request; stored',
};
