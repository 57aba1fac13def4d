import { crc32, deflateSync } from 'node:zlib';
import { resize } from '@whylight/core/image';
import { encodePng } from '@whylight/host';
import { draw, kinds } from '../../models/shapes/draw.ts';

/** A drawing of the shapes network's world, enlarged to 300 × 300. */
export async function drawing(seed: number): Promise<{ png: Uint8Array<ArrayBuffer>; label: string }> {
  const { picture, label } = draw(seed);
  const png = await encodePng(resize(picture, 300, 300, 'bicubic'));
  return { png: new Uint8Array(png), label: kinds[label]!.en };
}

/** Width and height in the header of a PNG file; throws for other files. */
export function pngSize(bytes: Uint8Array): [width: number, height: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) !== 0x89504e47) throw new Error('not a PNG file');
  return [view.getUint32(16), view.getUint32(20)];
}

/** A small, valid PNG file of side × side black pixels. */
export function bomb(side: number): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(side / 8) + 1) * side));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return new Uint8Array(
    Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]),
  );
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
