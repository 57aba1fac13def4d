import { defaultBudget, type ExecutionProvider, executionProviders } from '@whylight/host';
import { Command, InvalidArgumentError, Option } from 'commander';
import { collected, seconds, withJson } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { type Access, Service } from '../serve/service.ts';
import { untilStopped } from '../serve/until-stopped.ts';

interface Options {
  readonly port: number;
  readonly data: string;
  readonly model?: string[];
  readonly corsOrigin?: string[];
  readonly ep: ExecutionProvider;
  readonly budget: number;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export const portOption = (fallback: number, where = ', on the loopback interface'): Option =>
  new Option('--port <port>', `port to listen on${where}; 0 takes any free port`)
    .argParser((text: string) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new InvalidArgumentError('Expected 0 to 65535.');
      return Number(text);
    })
    .default(fallback);

function collectedOrigin(origin: string, previous: string[] = []): string[] {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin)
    throw new InvalidArgumentError('Expected an origin such as http://localhost:5173, without a path.');
  return [...previous, origin];
}

export const serve = withJson(
  new Command('serve')
    .description('Run the whole service on this machine: gateway, worker and object store')
    .addOption(portOption(8787))
    .option('--data <dir>', 'folder for all state', '.whylight/data')
    .option(
      '--model <name|path>',
      'also serve this model: a name, a path or NAME=PATH; repeatable, the first is the default model',
      collected,
    )
    .option(
      '--cors-origin <origin>',
      'let pages of this origin, such as http://localhost:5173, call the service from a browser; repeatable',
      collectedOrigin,
    )
    .addOption(
      new Option('--ep <provider>', 'device that runs the networks')
        .choices(executionProviders)
        .default('cpu'),
    )
    .option(
      '--budget <seconds>',
      'time limit for checking which methods work on each model, while no job runs; 0 runs no method',
      seconds,
      defaultBudget,
    )
    .option('--verbose', 'also log every request, and the output of workerd'),
)
  .addHelpText(
    'after',
    '\nWith --json, serve prints one line when it is ready: {url, store_url, operator_key, tenant, api_key}.',
  )
  .action(async ({ port, data, model = [], corsOrigin = [], ep, budget, verbose = false, json }: Options) => {
    const log = (source: string, line: string) => note(`${source}: ${line}`);
    const shown = { port, directory: data, models: model, corsOrigins: corsOrigin };
    const service = new Service({ ...shown, ep, budget, verbose, log });
    await untilStopped(service, (access) => {
      const answer = answerOf(access);
      if (json) return printJson(answer, 0);
      const { url } = access;
      print(`Whylight is ready: ${url}  (a page to try it: ${url}/, documentation: ${url}/docs)`);
      print(`object store   ${answer.store_url}  (signed URLs lead there)`);
      print(`API key        ${answer.api_key}`);
      print(`operator key   ${answer.operator_key}`);
      print(`tenant         ${answer.tenant}`);
      print('Ctrl-C stops it.');
    });
  });

/** The data that a user needs to talk to the service, as JSON. */
export const answerOf = ({ url, storeUrl, operatorKey, tenant, apiKey, workerUrl }: Access) => ({
  url,
  store_url: storeUrl,
  operator_key: operatorKey,
  tenant,
  api_key: apiKey,
  worker_url: workerUrl,
});
