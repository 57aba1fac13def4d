import { methods as all, type Method, paramsJsonSchema, resolveQuestion } from '@whylight/core/methods';
import { Command } from 'commander';
import { withJson } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Schema {
  readonly properties?: Readonly<
    Record<string, { readonly default?: unknown; readonly description?: string }>
  >;
}

interface MethodDescription extends Pick<Method, 'id' | 'title' | 'summary' | 'paper'> {
  readonly conventions: readonly string[];
  readonly axioms: readonly string[];
  readonly provided: Readonly<Record<string, string>>;
  readonly deviations: Readonly<Record<string, string>>;
  readonly parameters: Schema;
  readonly aux: readonly string[];
}

export const methods = withJson(
  new Command('methods')
    .description('List the methods and their parameters, or describe one method in full')
    .argument('[id]', 'method to describe'),
).action((wanted: string | undefined, { json }: { json?: boolean }) => {
  const chosen =
    wanted === undefined ? all : all.filter(({ id }) => id === resolveQuestion({ method: wanted }).method);
  const list = chosen.map((method) => {
    const {
      id,
      title,
      summary,
      paper,
      version,
      kind,
      axioms = [],
      provided = {},
      needs,
      conventions,
      deviations = {},
    } = method;
    return {
      id,
      title,
      summary,
      paper,
      version,
      kind,
      axioms: [...axioms],
      provided,
      needs: [...needs],
      conventions: [...conventions],
      // Programs read `--json`: there the member keeps its name.
      oddities: deviations,
      parameters: paramsJsonSchema(id) as Schema,
      aux: [...(method.aux ?? [])],
    };
  });
  if (json) return printJson(wanted === undefined ? list : list[0]!);
  if (wanted !== undefined) {
    const [{ oddities: deviations, ...method }] = list as [(typeof list)[number]];
    return describe({ ...method, deviations });
  }
  for (const { id, summary, conventions, parameters } of list) {
    print(`${id}: ${summary}`);
    print(`    conventions  ${conventions.join(' ')}`);
    print(`    parameters   ${parameterText(parameters) || 'none'}`);
  }
});

function describe({
  id,
  title,
  summary,
  paper,
  axioms,
  provided,
  conventions,
  deviations,
  parameters,
  aux,
}: MethodDescription): void {
  print(`${id}: ${title}`);
  print(summary);
  print(paper);
  print(`\naxioms       ${axioms.join(', ') || 'none'}`);
  for (const [axiom, condition] of Object.entries(provided)) print(`  ${axiom}: ${condition}`);
  print(`conventions  ${conventions.join(' ')}`);
  for (const [convention, deviation] of Object.entries(deviations)) print(`  ${convention}: ${deviation}`);
  print('\nparameters');
  for (const [name, { default: value, description }] of Object.entries(parameters.properties ?? {}))
    print(`  ${name}=${value ?? ''}  ${description ?? ''}`);
  if (aux.length > 0) print(`\nrecorded samples that attribute --aux replays: ${aux.join(', ')}`);
}

const parameterText = ({ properties = {} }: Schema): string =>
  Object.entries(properties)
    .map(([name, { default: value }]) => `${name}=${Array.isArray(value) ? value.join(',') : (value ?? '')}`)
    .join(' ');
