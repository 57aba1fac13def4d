/** `whylight`: reads the command line, runs one command, and ends with 0 done, 1 failed, 2 bad usage or input. */
import { Command, CommanderError } from 'commander';
import { attribute } from './commands/attribute.ts';
import { bench } from './commands/bench.ts';
import { camera } from './commands/camera.ts';
import { check } from './commands/check.ts';
import { compile } from './commands/compile.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { evaluate } from './commands/evaluate.ts';
import { explain } from './commands/explain.ts';
import { keys } from './commands/keys.ts';
import { login } from './commands/login.ts';
import { methods } from './commands/methods.ts';
import { models } from './commands/models.ts';
import { remote } from './commands/remote.ts';
import { serve } from './commands/serve.ts';
import { tenants } from './commands/tenants.ts';
import { upload } from './commands/upload.ts';
import { usage } from './commands/usage.ts';
import { video } from './commands/video.ts';
import { failureOf } from './failure.ts';

const program = new Command('whylight')
  .description('Explains what an image classifier looked at.')
  .version('0.1.0')
  .exitOverride()
  .showSuggestionAfterError();
for (const command of [
  explain,
  evaluate,
  attribute,
  video,
  camera,
  compile,
  check,
  bench,
  methods,
  models,
  serve,
  demo,
  login,
  keys,
  upload,
  remote,
  usage,
  doctor,
  tenants,
]) {
  command.exitOverride();
  for (const below of command.commands) below.exitOverride();
  program.addCommand(command);
}

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
  } else process.stderr.write(`whylight: ${message}\n`);
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  process.exitCode = exitCode;
}
