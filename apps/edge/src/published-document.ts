import { getOwn, methods } from '@whylight/core/methods';
import examples from './generated/examples.json';
import { responseHeaders } from './response-headers.ts';

/** The parts of an OpenAPI document that this file reads and writes. */
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}
export interface Operation {
  operationId?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Answer>;
}
interface Parameter {
  name: string;
  in: string;
  description?: string;
  schema?: { type?: string; description?: string };
  example?: unknown;
}
interface Content {
  schema: object;
  example?: unknown;
}
interface Answer {
  headers?: Record<string, object>;
  content?: Record<string, Content>;
  'x-problem-codes'?: string[];
}
interface Schema {
  readonly anyOf?: object[];
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>;
}
interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly request?: unknown;
  readonly status: string;
  readonly answer?: unknown;
}

const apiVersion = {
  name: 'X-Api-Version',
  in: 'header',
  description:
    'The version whose form the answer has. Omitted: the newest, which this document describes. `2026-11-01` gets the form of before',
  schema: { type: 'string', enum: ['2026-12-01'] },
};

/**
 * Turns the document of all routes into the one that clients read: operations that have an id, with an example of each, the
 * headers of answers, and the lists that grow. `server` is the address of this gateway.
 */
export function publishedDocument(whole: object, server: string): ApiDocument & { servers: object[] } {
  const copy = structuredClone(whole) as ApiDocument;
  const paths = Object.entries(copy.paths).map(([path, item]): [string, Record<string, Operation>] => [
    path,
    Object.fromEntries(Object.entries(item).filter(([, { operationId }]) => operationId !== undefined)),
  ]);
  for (const [path, item] of paths)
    for (const operation of Object.values(item))
      complete(path, operation, getOwn<Example>(examples, operation.operationId!));
  const headers = Object.entries(responseHeaders).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  const components = {
    ...copy.components,
    headers: Object.fromEntries(headers),
    parameters: { ApiVersion: apiVersion },
    schemas: growingLists(copy.components.schemas ?? {}),
  };
  const published = Object.fromEntries(paths.filter(([, item]) => Object.keys(item).length > 0));
  const servers = [{ url: server, description: 'This gateway' }];
  return withoutUnused({ ...copy, servers, paths: published, components });
}

function complete(path: string, operation: Operation, example: Example | undefined): void {
  const { parameters = [], requestBody, responses } = operation;
  for (const parameter of parameters) {
    // Names of headers are written as they usually are; upper and lower case mean the same.
    if (parameter.in === 'header') parameter.name = parameter.name.replace(/(^|-)[a-z]/g, upperCase);
    // The generator writes the description twice.
    if (parameter.schema) delete parameter.schema.description;
    const value = getOwn(example?.params ?? {}, parameter.name);
    if (value !== undefined) parameter.example = parameter.schema?.type === 'integer' ? Number(value) : value;
  }
  if (path.startsWith('/v1/'))
    operation.parameters = [...parameters, { $ref: '#/components/parameters/ApiVersion' } as never];
  if (!example) return;
  for (const content of Object.values(requestBody?.content ?? {})) content.example = example.request;
  if (example.answer === undefined) return;
  for (const content of Object.values(getOwn(responses, example.status)?.content ?? {}))
    content.example = example.answer;
}

const upperCase = (letter: string): string => letter.toUpperCase();

/** A request takes the methods of this release; an answer may name one of a later release. */
function growingLists(schemas: Record<string, object>): Record<string, object> {
  const { MethodId, TargetRequest, AnsweredMethodId, AnsweredVisualization } = schemas as Record<
    string,
    Schema
  >;
  const ids = methods.map(({ id }) => id);
  const [classTarget, ...shortForms] = (TargetRequest?.anyOf ?? []).toReversed();
  return {
    ...schemas,
    MethodId: { ...MethodId, enum: ids, pattern: undefined, minLength: undefined, maxLength: undefined },
    AnsweredMethodId: {
      ...AnsweredMethodId,
      anyOf: [{ $ref: '#/components/schemas/MethodId' }, { type: 'string' }],
    },
    AnsweredVisualization: withoutDefaults(AnsweredVisualization),
    Target: {
      oneOf: [classTarget],
      discriminator: { propertyName: 'type', mapping: { class: '#/components/schemas/ClassTarget' } },
      description: 'What is explained, and which score of it. `type` says of which kind the target is',
    },
    TargetRequest: {
      ...TargetRequest,
      anyOf: [{ $ref: '#/components/schemas/Target' }, ...shortForms.toReversed()],
      description: 'A target, or the short form of one whose score is the default of the method',
    },
  };
}

/** A default is the value of a member that a request omits. Readers of answers use it for those of earlier releases. */
const withoutDefaults = (schema: Schema | undefined): Schema => ({
  ...schema,
  properties: Object.fromEntries(
    Object.entries(schema?.properties ?? {}).map(([name, { default: _, ...member }]) => [name, member]),
  ),
});

/** Removes components to which nothing refers, until none is left. */
function withoutUnused<T extends ApiDocument>(api: T): T {
  const text = JSON.stringify(api);
  const isUsed = (kind: string, name: string) =>
    text.includes(`"#/components/${kind}/${name}"`) ||
    (kind === 'securitySchemes' && text.includes(`[{"${name}":[`));
  const components = Object.fromEntries(
    Object.entries(api.components).map(([kind, parts]) => [
      kind,
      Object.fromEntries(Object.entries(parts).filter(([name]) => isUsed(kind, name))),
    ]),
  );
  const left = { ...api, components };
  return JSON.stringify(components) === JSON.stringify(api.components) ? left : withoutUnused(left);
}
