/** `whylight`: reads the command line, runs one command, and ends with its exit code. */
import { runCommandLine } from './command-line.ts';

// A reader that has seen enough, such as `head`, is no failure, and files that are still to be written are wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(1);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
