import { z } from 'zod';
import { KServeFault } from './fault.ts';
import { checkMembers, described, type Members, objectOf, parsed } from './members.ts';
import { readV2Body } from './v2-body.ts';
import { readV2Input, type V2Input, type V2Takes } from './v2-input.ts';
import type { OutputTensor } from './v2-tensor.ts';

/** A request to infer or to explain, read and checked except for the parameters of its verb. */
export interface V2Request {
  readonly id: unknown;
  readonly input: V2Input;
  /** Parameters that the protocol does not use itself. */
  readonly parameters: Members;
  /** Whether the request asks for this output by name. */
  names(output: string): boolean;
  /** Gives the requested ones of these outputs. @throws KServeFault for a name that no output has */
  choose(outputs: readonly OutputTensor[]): readonly OutputTensor[];
  /** Whether the answer sends this output as bytes. */
  isBinary(output: string): boolean;
}

const outputsSchema = z
  .array(
    z.object({
      name: z.string().max(100),
      parameters: z.object({ binary_data: z.boolean().optional() }).default({}),
    }),
  )
  .max(32)
  .default([]);

/** What the answering model takes, and the names of the outputs that it may have. */
interface Answering {
  readonly takes: V2Takes;
  readonly known: readonly string[];
  /** Refuses the JSON before it is parsed. */
  readonly check?: (text: string) => void;
}

/** @throws KServeFault */
export function readV2Request(
  bytes: Uint8Array,
  jsonLength: string | undefined,
  { takes, known, check }: Answering,
): V2Request {
  const body = readV2Body(bytes, jsonLength, check);
  const { id, parameters = {}, outputs } = body.json;
  const { binary_data_output: allBinary = false, ...given } = objectOf(parameters, 'parameters');
  if (typeof allBinary !== 'boolean')
    throw new KServeFault(
      400,
      `parameters.binary_data_output: expected true or false; got ${described(allBinary)}`,
    );
  const asked = parsed(outputsSchema, outputs, 'outputs');
  const chosen = new Map(asked.map(({ name, parameters: own }) => [name, own.binary_data]));
  checkMembers(Object.fromEntries(chosen), known, 'outputs');
  return {
    id,
    input: readV2Input(body, takes),
    parameters: unpacked(given),
    names: (output) => chosen.has(output),
    choose(all) {
      if (chosen.size === 0) return all;
      // A method need not give all outputs that the metadata lists.
      const names = all.map(({ name }) => name);
      checkMembers(Object.fromEntries(chosen), names, 'outputs');
      return all.filter(({ name }) => chosen.has(name));
    },
    isBinary: (output) => chosen.get(output) ?? allBinary,
  };
}

/** V2's parameters are plain values: lists and objects of the API are sent as JSON text. */
function unpacked(given: Members): Members {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return [name, value];
      try {
        return [name, JSON.parse(value)];
      } catch {
        throw new KServeFault(400, `parameters.${name}: expected JSON as text; got ${described(value)}`);
      }
    }),
  );
}
