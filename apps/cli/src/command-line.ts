import { CommanderError } from 'commander';
import { failureOf } from './failure.ts';
import { beginAnswer, note, printJsonError } from './output.ts';
import { program } from './program.ts';

/** Runs the command that these arguments state. @returns the exit code: 0 done, 1 failed, 2 wrong usage or wrong input */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  process.exitCode = undefined;
  beginAnswer();
  try {
    await program.parseAsync(args, { from: 'user' });
    // A command that goes on after a failure sets the code itself.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { exitCode, code, message } = failureOf(error);
    // Commander has printed help, version or complaint by now.
    if (error instanceof CommanderError) {
      if (exitCode === 0 || message === '(outputHelp)') return exitCode;
    } else note(`whylight: ${message}`);
    if (args.includes('--json')) printJsonError(code, message);
    return exitCode;
  }
}
