import { z } from 'zod';
import * as contract from '../index.ts';

/** Names of requests and their parts. Every other schema that the contract exports is an answer or part of one. */
const asked = new Set<string>([
  'batchRequestSchema',
  'checkpointSourceSchema',
  'claimSchema',
  'explanationRequestSchema',
  'jobSchema',
  'keyRequestSchema',
  'kserveRequestSchema',
  'limitsRequestSchema',
  'styleSchema',
  'modelCallSchema',
  'modelCompletionSchema',
  'modelManifestSchema',
  'modelRequestSchema',
  'modelSourceSchema',
  'orderSchema',
  'photoSchema',
  'predictionRequestSchema',
  'preprocessingSchema',
  'questionSchema',
  'renderingJobSchema',
  'renderingRequestSchema',
  'rotationRequestSchema',
  'secretRotationRequestSchema',
  'targetRequestSchema',
  'targetSchema',
  'tenantRequestSchema',
  'uploadRequestSchema',
  'vertexRequestSchema',
  'visualizationSchema',
  'webhookEndpointChangeSchema',
  'webhookEndpointRequestSchema',
] satisfies (keyof typeof contract)[]);

type Definition = z.core.$ZodTypes['_zod']['def'];
const definitionOf = (schema: z.core.$ZodType): Definition => schema._zod.def as Definition;

/** Lists the schemas that a schema consists of, except itself. */
function partsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const definition = definitionOf(schema);
  if (definition.type === 'object') return Object.values(definition.shape);
  if (definition.type === 'array') return [definition.element];
  if (definition.type === 'union') return definition.options;
  if (definition.type === 'tuple') return definition.items;
  return 'innerType' in definition ? [definition.innerType] : [];
}

/** Finds every object with members of its own in a schema. */
export function objectsIn(schema: z.core.$ZodType): z.ZodObject[] {
  const below = partsOf(schema).flatMap(objectsIn);
  return schema instanceof z.ZodObject ? [schema, ...below] : below;
}

const strings = [
  'text',
  '2026-11-23T00:00:00Z',
  'https://whylight.test/',
  ...[32, 64].map((digits) => '0'.repeat(digits)),
  `sha256:${'0'.repeat(64)}`,
];
const simple = [...strings, 1, 0.5, 3_600, true, {}];

/**
 * Makes values that a schema accepts, at least one for each of its alternatives, with no member omitted or null. Every
 * object with members of its own gets `more` too.
 */
export function samplesOf(schema: z.core.$ZodType, more: object = {}): unknown[] {
  const definition = definitionOf(schema);
  if (definition.type === 'object') {
    const members = Object.entries(definition.shape).map(
      ([name, part]) => [name, samplesOf(part, more)] as const,
    );
    const count = Math.max(1, ...members.map(([, samples]) => samples.length));
    return Array.from({ length: count }, (_, index) => ({
      ...Object.fromEntries(members.map(([name, samples]) => [name, samples[index % samples.length]])),
      ...more,
    }));
  }
  if (definition.type === 'array') return [samplesOf(definition.element, more)];
  if (definition.type === 'tuple') return [definition.items.map((item) => samplesOf(item, more)[0])];
  if (definition.type === 'literal') return [definition.values[0]];
  if (definition.type === 'enum') return [Object.values(definition.entries)[0]];
  const parts = partsOf(schema);
  if (parts.length > 0) return parts.flatMap((part) => samplesOf(part, more));
  const sample = simple.find((value) => z.safeParse(schema, value).success);
  if (sample === undefined)
    throw new Error(`Expected a sample of every ${definition.type}: add one to "simple".`);
  return [sample];
}

const schemas = Object.entries<unknown>(contract).flatMap(([name, schema]) =>
  schema instanceof z.ZodType && objectsIn(schema).length > 0 ? [[name, schema] as const] : [],
);
export const requestSchemas = schemas.filter(([name]) => asked.has(name));
export const answerSchemas = schemas.filter(([name]) => !asked.has(name));
