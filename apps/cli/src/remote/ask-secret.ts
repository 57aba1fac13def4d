import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** One line from stdin: typed unseen at a terminal, or what comes through a pipe. */
export async function askSecret(question: string): Promise<string> {
  const seen = process.stdin.isTTY === true;
  if (seen) process.stderr.write(question);
  // What is typed is echoed to nowhere.
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
