import type { Admission } from './run.ts';

/** How a request found its run, in the words of Cache-Status (RFC 9211). */
export const cacheStatus: Readonly<Record<Admission['via'], string>> = {
  hit: 'whylight; hit',
  miss: 'whylight; fwd=miss; stored',
  collapsed: 'whylight; fwd=miss; collapsed',
  bypass: 'whylight; fwd=request; stored',
};
