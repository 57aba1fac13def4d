import { parseArgs } from 'node:util';
import { nearestName } from '@whylight/core/methods';
import { type LoneEnv, processLoneEnv } from '../env.ts';

/** The options of a worker that stands alone. */
export interface LoneOptions {
  /** An ONNX file, or a folder with one. */
  readonly model: string;
  /** The model's name for clients; default: the name in its manifest or of its file. */
  readonly name: string | undefined;
  readonly env: LoneEnv;
}

/** Options, and the variable that each sets. */
const variables = {
  ...{ port: 'PORT', host: 'HOST', key: 'WORKER_API_KEY', ep: 'EXECUTION_PROVIDER', threads: 'THREADS' },
} as const;
const names = ['model', 'name', ...Object.keys(variables)];
const usage = `expected --model MODEL.onnx and, if wanted, ${names
  .slice(1)
  .map((name) => `--${name} VALUE`)
  .join(', ')}`;

/** Reads the command line. @throws Error in one sentence for its user */
export function readOptions(args: readonly string[]): LoneOptions {
  const { tokens } = parseArgs({
    ...{ args: [...args], strict: false, tokens: true },
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const said = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option') throw new Error(`command line: ${usage}; got "${argumentOf(args, token)}"`);
    if (!names.includes(token.name)) {
      const near = nearestName(token.name, names);
      const meant = near === undefined ? '' : `did you mean --${near}? `;
      throw new Error(`command line: there is no option ${token.rawName}; ${meant}${usage}`);
    }
    if (!token.value) throw new Error(`command line: ${token.rawName} needs a value`);
    if (said.has(token.name)) throw new Error(`command line: ${token.rawName} is given twice`);
    said.set(token.name, token.value);
  }
  const model = said.get('model');
  if (model === undefined) throw new Error(`command line: --model is missing; ${usage}`);
  const set = Object.entries(variables).map(([option, variable]) => [variable, said.get(option)] as const);
  return {
    model,
    name: said.get('name'),
    env: processLoneEnv(Object.fromEntries(set.filter(([, value]) => value !== undefined))),
  };
}

const argumentOf = (args: readonly string[], { index }: { index: number }): string => args[index] ?? '';
