import { Command } from 'commander';
export const serve = new Command('serve');
