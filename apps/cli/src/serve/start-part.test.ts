import { describe, expect, test } from 'vitest';
import { Failure } from '../failure.ts';
import { Child } from './child.ts';
import { EndedAtStart, endedAtStart, startPart } from './start-part.ts';

/** A start whose process dies `deaths` times; notes what is logged. */
function dying(deaths: number) {
  const log: string[] = [];
  let starts = 0;
  const start = async () => {
    starts++;
    if (starts <= deaths) throw new EndedAtStart(`the worker ended before it was ready (SIGKILL)`);
    return starts;
  };
  const started = startPart(start, { name: 'worker', log: (_, line) => log.push(line), pause: 1 });
  return { started, log, starts: () => starts };
}

const child = (script: string) =>
  new Child({ name: 'worker', args: ['-e', script], env: {}, log: () => undefined });

describe('L15: a part that dies while it starts', () => {
  test('L15: is started again, after pauses that grow, and each time the log says so', async () => {
    const { started, log } = dying(3);
    expect(await started).toBe(4);
    expect(log).toEqual(
      ['0.001', '0.002', '0.004'].map(
        (pause) => `the worker ended before it was ready (SIGKILL): it is started again in ${pause} s`,
      ),
    );
  });

  test('L15: is given up after the fourth death, with what it said last', async () => {
    const { started, starts } = dying(9);
    await expect(started).rejects.toThrow(
      'the worker died 4 times while it started: the worker ended before it was ready (SIGKILL)',
    );
    expect(starts()).toBe(4);
  });

  test('L15: is not started again if it says itself why it cannot start', async () => {
    let starts = 0;
    const start = async () => {
      starts++;
      throw new Failure('the worker cannot start: no such device');
    };
    await expect(startPart(start, { name: 'worker', log: () => undefined, pause: 1 })).rejects.toThrow(
      'no such device',
    );
    expect(starts).toBe(1);
  });

  test('L15: says how it ended, and its last lines', async () => {
    const talking = await endedAtStart(
      child("for (const line of ['a', 'b', 'c', 'no memory']) console.log(line); process.exitCode = 3"),
    );
    expect(talking.message).toBe(
      'the worker ended before it was ready (3); its last words: b | c | no memory',
    );
    const silent = await endedAtStart(child("process.kill(process.pid, 'SIGKILL')"));
    expect(silent.message).toBe('the worker ended before it was ready (SIGKILL) and said nothing');
  });
});
