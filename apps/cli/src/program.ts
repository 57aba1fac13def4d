import { Command } from 'commander';
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
import { worker } from './commands/worker.ts';
import { version } from './version.ts';

/** All commands of `whylight`. */
export const program: Command = new Command('whylight')
  .description('Explains what an image classifier looked at.')
  .version(version);
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
  worker,
  demo,
  login,
  keys,
  upload,
  remote,
  usage,
  doctor,
  tenants,
])
  program.addCommand(command);
throwing(program);

/** Makes commander throw errors instead of ending the process, so that they are reported like all others. */
function throwing(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'whylight: ')) });
  for (const below of command.commands) throwing(below);
}
