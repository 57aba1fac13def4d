import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { openInBrowser } from '../demo/open-in-browser.ts';
import { pageOf, runDemo } from '../demo/run-demo.ts';
import { makeDirectory } from '../files.ts';
import { withJson } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { Service } from '../serve/service.ts';
import { untilStopped } from '../serve/until-stopped.ts';
import { answerOf, portOption } from './serve.ts';

interface Options {
  readonly port: number;
  readonly data: string;
  readonly output: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

export const demo = withJson(
  new Command('demo')
    .description('Start the service, explain a photo with it step by step, and keep serving')
    .addOption(portOption(8787))
    .option('--data <dir>', 'folder for all state', '.whylight/data')
    .option('-o, --output <dir>', 'folder for the pictures', '.whylight/demo')
    .option('--once', 'stop after the photo is explained'),
).action(async ({ port, data, output, once, json }: Options) => {
  const begun = performance.now();
  const tell = json ? note : print;
  const logFile = join(data, 'service.log');
  await makeDirectory(logFile);
  const stream = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const log = (source: string, line: string) => stream.write(`${source}: ${line}\n`);
  tell('Starting the gateway (workerd), the worker (ONNX Runtime) and the object store (S3) ...');
  const service = new Service({
    port,
    directory: data,
    models: [],
    corsOrigins: [],
    ep: 'cpu',
    budget: 0,
    verbose: true,
    log,
  });
  try {
    await untilStopped(service, async (access) => {
      const done = await runDemo(access, { output, begun, stays: !once, tell });
      if (json) printJson({ ...answerOf(access), ...done });
      if (once) return true;
      if (process.stdout.isTTY) openInBrowser(pageOf(access));
      tell(`\nIt keeps serving at ${access.url}, log in ${logFile}. Ctrl-C stops it.`);
      return false;
    });
  } catch (error) {
    note(`What the parts of the service said is in ${logFile}`);
    throw error;
  } finally {
    stream.end();
  }
});
