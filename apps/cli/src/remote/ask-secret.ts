import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Reads one line from stdin: typed unseen at a terminal, or sent through a pipe. */
export async function askSecret(question: string): Promise<string> {
  const seen = process.stdin.isTTY === true;
  if (seen) process.stderr.write(question);
  // Typed characters are not echoed.
  const nowhere = new Writable({ write: (_, __, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: seen });
  try {
    for await (const line of lines) return line.trim();
    return '';
  } finally {
    lines.close();
    if (seen) process.stderr.write('\n');
  }
}
