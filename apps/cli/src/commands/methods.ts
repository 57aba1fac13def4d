import { methods as all, paramsJsonSchema } from '@whylight/core/methods';
import { Command } from 'commander';
import { withJson } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>;
}

export const methods = withJson(
  new Command('methods').description('List the methods and their parameters'),
).action(({ json }: { json?: boolean }) => {
  const list = all.map(({ id, title, summary, paper, version, kind, needs, conventions }) => ({
    id,
    title,
    summary,
    paper,
    version,
    kind,
    needs: [...needs],
    conventions: [...conventions],
    parameters: paramsJsonSchema(id) as Schema,
  }));
  if (json) return printJson(list);
  for (const { id, summary, conventions, parameters } of list) {
    print(`${id}: ${summary}`);
    print(`    conventions  ${conventions.join(' ')}`);
    print(`    parameters   ${parameterText(parameters) || 'none'}`);
  }
});

const parameterText = ({ properties = {} }: Schema): string =>
  Object.entries(properties)
    .map(([name, { default: value }]) => `${name}=${Array.isArray(value) ? value.join(',') : (value ?? '')}`)
    .join(' ');
