import { describe, expect, test } from 'vitest';
import { answerSchemas, objectsIn, requestSchemas, samplesOf } from './testing/answers.ts';

const more = { of_tomorrow: { any: 'thing' } };

describe('L16: an answer may have members that its reader does not know', () => {
  test.each(answerSchemas)('%s drops them, wherever they are', (_, schema) => {
    const today = samplesOf(schema);
    const tomorrow = samplesOf(schema, more);
    expect(JSON.stringify(tomorrow)).toContain('of_tomorrow');
    expect(tomorrow.map((sample) => schema.parse(sample))).toEqual(
      today.map((sample) => schema.parse(sample)),
    );
  });
});

describe('API3: a request may not', () => {
  const open = new Set(answerSchemas.flatMap(([, schema]) => objectsIn(schema)));

  test.each(requestSchemas)('%s refuses them, wherever they are', (_, schema) => {
    const objects = objectsIn(schema).filter((object) => !open.has(object));
    expect(objects).not.toEqual([]);
    for (const object of objects)
      for (const sample of samplesOf(object) as object[]) {
        const said = object.safeParse({ ...sample, ...more }).error?.issues;
        expect(said).toContainEqual(
          expect.objectContaining({ code: 'unrecognized_keys', keys: ['of_tomorrow'] }),
        );
      }
  });
});
