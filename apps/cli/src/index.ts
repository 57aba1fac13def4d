/** `whylight`: reads the command line, runs one command, and ends with 0 done, 1 failed, 2 bad usage or input. */
import { CommanderError } from 'commander';
import { failureOf } from './failure.ts';
import { note, printJsonError } from './output.ts';
import { program } from './program.ts';

// A reader that has seen enough, such as `head`, is no failure, and files that are still to be written are wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  const { exitCode, code, message } = failureOf(error);
  // Commander has printed help, version or complaint by now.
  if (error instanceof CommanderError) {
    if (exitCode === 0 || message === '(outputHelp)') process.exit(exitCode);
  } else note(`whylight: ${message}`);
  if (process.argv.includes('--json')) printJsonError(code, message);
  process.exitCode = exitCode;
}
