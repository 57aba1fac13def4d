import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { runDemo } from '../demo/run-demo.ts';
import { print } from '../output.ts';
import { Service } from '../serve/service.ts';
import { untilStopped } from '../serve/until-stopped.ts';
import { portOption } from './serve.ts';

interface Options {
  readonly port: number;
  readonly data: string;
  readonly output: string;
  readonly once?: boolean;
}

export const demo = new Command('demo')
  .description('Start the service, explain a picture with it step by step, and keep serving')
  .addOption(portOption(8787))
  .option('--data <dir>', 'where all state goes', '.whylight/data')
  .option('-o, --output <dir>', 'where the pictures go', '.whylight/demo')
  .option('--once', 'end after the job')
  .action(async ({ port, data, output, once }: Options) => {
    const begun = performance.now();
    await mkdir(data, { recursive: true });
    const logFile = join(data, 'service.log');
    const stream = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    const log = (source: string, line: string) => stream.write(`${source}: ${line}\n`);
    print('Starting the gateway (workerd), the worker (ONNX Runtime) and the object store (S3) ...');
    const service = new Service({ port, directory: data, models: [], ep: 'cpu', log });
    await untilStopped(service, async (access) => {
      await runDemo(access, { output, begun, stays: !once });
      if (once) return true;
      print(`\nIt keeps serving at ${access.url}, log in ${logFile}. Ctrl-C stops it.`);
      return false;
    }).finally(() => stream.end());
  });
