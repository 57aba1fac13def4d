import type { Admission } from './run.ts';

/** How a request came to its run, as Cache-Status (RFC 9211) says it. */
export const cacheStatus: Readonly<Record<Admission['via'], string>> = {
  hit: 'whylight; hit',
  miss: 'whylight; fwd=miss; stored',
  collapsed: 'whylight; fwd=miss; collapsed',
  bypass: 'whylight; fwd=request; stored',
};
