/**
 * One photo through a running service, twice: `node infra/smoke.ts URL PHOTO`, with the key in WHYLIGHT_API_KEY.
 * Fails unless the second answer comes from the cache and all four artifacts can be fetched, with their digests, and the
 * object store refuses what a signed URL does not sign.
 */
import { WhylightClient } from '@whylight/client';
import { explainTwice } from './explain-twice.ts';
import { assertUnsignedHeadersRefused } from './unsigned-headers.ts';

const [url, path] = process.argv.slice(2);
const apiKey = process.env.WHYLIGHT_API_KEY;
if (!url || !path || !apiKey) {
  console.error('usage: WHYLIGHT_API_KEY=... node infra/smoke.ts URL PHOTO');
  process.exit(2);
}

await explainTwice(new WhylightClient({ url, apiKey }), path);
await assertUnsignedHeadersRefused({ url, apiKey });
console.log('store: headers that are not signed are refused');
