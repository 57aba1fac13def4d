import { type ExecutionProvider, executionProviders } from '@whylight/host';
import { Command, InvalidArgumentError, Option } from 'commander';
import { findModel, inspected } from '../model.ts';
import { positive, withJson } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { LoneWorker } from '../serve/lone-worker.ts';
import { untilStopped } from '../serve/until-stopped.ts';
import { portOption } from './serve.ts';

interface Options {
  readonly model: string;
  readonly name?: string;
  readonly port: number;
  readonly host: string;
  readonly key?: string;
  readonly ep: ExecutionProvider;
  readonly threads?: number;
  readonly json?: boolean;
}

export const worker = withJson(
  new Command('worker')
    .description("Serve one model by KServe's V1 and V2, without gateway, queue or object store")
    .requiredOption('--model <name|path>', 'classifier to serve')
    .option('--name <name>', "name by which clients ask for the model (default: the model's own)")
    .addOption(portOption(8080, ''))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--key <key>', 'key that clients must send; without one everybody is answered')
        .env('WORKER_API_KEY')
        .argParser(workerKey),
    )
    .addOption(
      new Option('--ep <provider>', 'device that runs the network')
        .choices(executionProviders)
        .default('cpu'),
    )
    .option('--threads <n>', 'number of threads for each operator', positive),
)
  .addHelpText('after', '\nWith --json, worker prints one line when it is ready: {url, model}.')
  .action(async ({ model: wanted, name, json, ...how }: Options) => {
    const model = await findModel(wanted);
    await inspected(model);
    const log = (source: string, line: string) => note(`${source}: ${line}`);
    const lone = new LoneWorker({ model: { path: model.path, name: name ?? model.name }, ...how, log });
    await untilStopped(lone, ({ url, model }) => {
      if (json) return printJson({ url, model }, 0);
      print(`Whylight serves ${model}: ${url}`);
      print(`predict        POST ${url}/v1/models/${model}:predict, ${url}/v2/models/${model}/infer`);
      print(`explain        POST ${url}/v1/models/${model}:explain, ${url}/v2/models/${model}/explain`);
      print('Ctrl-C stops it.');
    });
  });

function workerKey(text: string): string {
  if (/^[\x21-\x7e]{16,}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected at least 16 characters, without spaces.');
}
