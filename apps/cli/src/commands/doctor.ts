import { ConnectionError, ProblemError } from '@whylight/client';
import { encodePng } from '@whylight/host';
import { Command } from 'commander';
import { Failure } from '../failure.ts';
import { withJson } from '../options.ts';
import { print, printJson } from '../output.ts';
import { openClient, openCredentials } from '../remote/credentials.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** If the clocks differ by this many seconds, the service refuses signed URLs and clients refuse webhooks. */
const largestSkew = 300;
const probes = 5;

export const doctor = withJson(
  new Command('doctor').description(
    'Check that the service can be reached, the key is valid, the clocks agree, and uploads work',
  ),
).action(async ({ json }: { json?: boolean }) => {
  const { url } = await openCredentials();
  const client = await openClient();
  const findings: Finding[] = [];
  const check = async (name: string, probe: () => Promise<string>) => {
    const finding = await probe().then(
      (detail) => ({ check: name, ok: true, detail }),
      (error: Error) => ({ check: name, ok: false, detail: detailOf(error) }),
    );
    findings.push(finding);
    if (!json) print(`${finding.ok ? 'ok  ' : 'FAIL'}  ${name}: ${finding.detail}`);
    return finding.ok;
  };

  const reached = await check('service', () => ready(url));
  if (reached) {
    await check('clock', () => skew(url));
    await check('key', async () => {
      const { requests } = await client.limits();
      return `valid; ${requests.remaining} of ${requests.limit} requests are left in this minute`;
    });
    await check('upload', async () => {
      const png = await encodePng({ width: 1, height: 1, channels: 3, data: randomPixel() });
      const start = performance.now();
      await client.upload(png, 'image/png');
      return `a signed PUT took ${Math.round(performance.now() - start)} ms`;
    });
    await check('models', async () => (await client.models()).map(({ name }) => name).join(', ') || 'none');
    await check('latency', () => latency(url));
  }
  if (json) printJson(findings);
  const failed = findings.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new Failure(`failed checks: ${failed.map((finding) => finding.check).join(', ')}`);
});

async function ready(url: string): Promise<string> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok)
    throw new Error(
      `${url} answers, but is not ready (status ${response.status}); see the log of the service`,
    );
  return `${url} is ready`;
}

async function skew(url: string): Promise<string> {
  const start = Date.now();
  const response = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(10_000) });
  const said = Date.parse(response.headers.get('Date') ?? '');
  if (Number.isNaN(said)) return 'the service sends no Date header';
  // The header has whole seconds.
  const seconds = Math.round((start / 2 + Date.now() / 2 - said - 500) / 1000);
  if (Math.abs(seconds) >= largestSkew)
    throw new Error(
      `the clock of this machine differs by ${Math.abs(seconds)} s from the service's, so the service refuses signed URLs; set the clock`,
    );
  return `${Math.abs(seconds)} s apart`;
}

async function latency(url: string): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < probes; i++) {
    const start = performance.now();
    await (await fetch(`${url}/livez`)).arrayBuffer();
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(probes / 2)]!;
  return `${median.toFixed(1)} ms there and back (median of ${probes})`;
}

/** A pixel that was probably never sent before, so that it has to be. */
const randomPixel = (): Uint8Array => crypto.getRandomValues(new Uint8Array(3));

function detailOf(error: Error): string {
  if (error instanceof ProblemError) return `${error.message} (${error.code}, ${error.requestId})`;
  return error instanceof ConnectionError || error instanceof TypeError
    ? 'it cannot be reached'
    : error.message;
}
