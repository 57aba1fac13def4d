import { expect, it } from 'vitest';
import { withoutRemarks } from './wrangler-lines.ts';

it('of what wrangler says, failures stay and remarks on our configuration go', () => {
  const logged: string[] = [];
  const log = withoutRemarks((source, line) => logged.push(`${source}: ${line}`));
  for (const line of [
    '\u001b[33m▲ \u001b[43;33m[\u001b[43;30mWARNING\u001b[43;33m]\u001b[0m \u001b[1mProcessing d/wrangler.json configuration:\u001b[0m',
    '    - "local_dev" fields are experimental and may change or break at any time.',
    '\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1mUncaught TypeError: x\u001b[0m',
    '    at gateway.js:1:2',
    '▲ [WARNING] The Workers runtime crashed unexpectedly and is being restarted (crash #1).',
    '{"event":"request"}',
  ])
    log('gateway', line);
  expect(logged).toEqual([
    'gateway: ✘ [ERROR] Uncaught TypeError: x',
    'gateway:     at gateway.js:1:2',
    'gateway: ▲ [WARNING] The Workers runtime crashed unexpectedly and is being restarted (crash #1).',
    'gateway: {"event":"request"}',
  ]);
});
