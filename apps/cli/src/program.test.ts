import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from './program.ts';

/** Commands that do something, by what is typed to call them. */
const commandsOf = (command: Command, words = ''): [string, Command][] =>
  command.commands.length > 0
    ? command.commands.flatMap((below) => commandsOf(below, `${words} ${below.name()}`))
    : [[words.trim(), command]];

describe('every command', () => {
  it.each(commandsOf(program))('%s answers in JSON where asked, and says what it does', (_, command) => {
    expect(command.options.map(({ long }) => long)).toContain('--json');
    expect(command.description()).not.toBe('');
  });
});
