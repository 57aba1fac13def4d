import { link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBytes } from './files.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'whylight-files-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('a file that is written', () => {
  it('takes the place of the old one whole, and leaves nothing beside it', async () => {
    await writeFile(join(home, 'old'), 'old');
    await link(join(home, 'old'), join(home, 'kept'));
    await symlink('old', join(home, 'named'));
    await writeBytes(join(home, 'named'), Buffer.from('new'));
    expect(await readFile(join(home, 'old'), 'utf8')).toBe('new');
    expect(await readFile(join(home, 'kept'), 'utf8')).toBe('old');
    expect((await readdir(home)).sort()).toEqual(['kept', 'named', 'old']);
  });

  it('may be a device', async () => {
    await writeBytes('/dev/null', Buffer.from('new'));
    await expect(writeBytes(home, Buffer.from('new'))).rejects.toThrow('it is a directory');
  });
});
