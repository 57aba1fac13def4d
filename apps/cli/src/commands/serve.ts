import { type ExecutionProvider, executionProviders } from '@whylight/host';
import { Command, InvalidArgumentError, Option } from 'commander';
import { note, print } from '../output.ts';
import { Service } from '../serve/service.ts';
import { untilStopped } from '../serve/until-stopped.ts';

interface Options {
  readonly port: number;
  readonly data: string;
  readonly model: { name: string; path: string }[];
  readonly ep: ExecutionProvider;
  readonly json?: boolean;
}

export const portOption = (fallback: number): Option =>
  new Option('--port <port>', 'where to listen, on the loopback interface; 0 takes any free port')
    .argParser((text: string) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new InvalidArgumentError('Expected 0 to 65535.');
      return Number(text);
    })
    .default(fallback);

export const serve = new Command('serve')
  .description('Run the whole service on this machine: gateway, worker and object store')
  .addOption(portOption(8787))
  .option('--data <dir>', 'where all state goes', '.whylight/data')
  .addOption(
    new Option(
      '--model <name=path>',
      'a model to serve beside the embedded one, repeatable; the first is the default',
    )
      .argParser(namedModel)
      .default([], 'none'),
  )
  .addOption(new Option('--ep <provider>', 'where graphs run').choices(executionProviders).default('cpu'))
  .option('--json', 'when ready, one line {url, operator_key, tenant, api_key} on stdout')
  .action(async ({ port, data, model, ep, json }: Options) => {
    const log = (source: string, line: string) => note(`${source}: ${line}`);
    const service = new Service({ port, directory: data, models: model, ep, log });
    await untilStopped(service, ({ url, operatorKey, tenant, apiKey, workerUrl }) => {
      const answer = { url, operator_key: operatorKey, tenant, api_key: apiKey, worker_url: workerUrl };
      if (json) print(JSON.stringify(answer));
      else {
        print(`Whylight is ready: ${url}  (in the browser: ${url}/playground, documentation: ${url}/docs)`);
        print(`API key        ${apiKey}`);
        print(`operator key   ${operatorKey}`);
        print(`tenant         ${tenant}`);
        print('Ctrl-C stops it.');
      }
    });
  });

function namedModel(text: string, all: Options['model']): Options['model'] {
  const [, name, path] = /^([\w][\w.+@-]*)=([^,\n]+)$/.exec(text) ?? [];
  if (!name || !path) throw new InvalidArgumentError('Expected NAME=PATH, without commas.');
  return [...all, { name, path }];
}
