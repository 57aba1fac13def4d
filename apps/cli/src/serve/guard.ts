/**
 * A process beside `whylight serve`: is told process groups on stdin, one pid a line (`-pid` once it is gone), and ends
 * them when stdin closes because `whylight serve` was killed without a chance to do so itself.
 */
import { createInterface } from 'node:readline';
import { killGroup } from './child.ts';

const groups = new Set<number>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
createInterface(process.stdin)
  .on('line', (line) => {
    const pid = Number(line);
    if (pid > 0) groups.add(pid);
    else groups.delete(-pid);
  })
  .on('close', () => {
    for (const pid of groups) if (pid > 1) killGroup(pid, 'SIGKILL');
    process.exit();
  });
