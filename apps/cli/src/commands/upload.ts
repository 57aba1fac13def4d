import { Command } from 'commander';
import { withJson } from '../options.ts';
import { print, printJson } from '../output.ts';
import { openClient } from '../remote/credentials.ts';
import { sendPhoto } from '../remote/send-photo.ts';

export const upload = withJson(
  new Command('upload')
    .description('Upload photos to the service')
    .argument('<image...>', 'JPEG, PNG or WebP'),
).action(async (images: string[], { json }: { json?: boolean }) => {
  const client = await openClient();
  const sent = [];
  for (const image of images) {
    const { id, sha256, upload: url } = await sendPhoto(client, image);
    sent.push({ photo: image, id, sha256, known: url === null });
    if (!json) print(`${id}  ${image}${url === null ? ' (known already)' : ''}`);
  }
  if (json) printJson(sent);
});
