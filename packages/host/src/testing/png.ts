import { crc32, deflateSync } from 'node:zlib';

/** PNG chunk by chunk, for tests that need one that no encoder writes. */

export const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** 8-bit RGB of the stated size. */
export function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([8, 2], 8);
  return chunk('IHDR', data);
}

/** Pixel data of a black picture. */
export const black = (width: number, height: number): Buffer =>
  chunk('IDAT', deflateSync(Buffer.alloc((1 + 3 * width) * height)));

export const end = chunk('IEND', Buffer.alloc(0));

/** The chunk types in a PNG, in order. */
export function chunkTypes(png: Uint8Array): string[] {
  const bytes = Buffer.from(png);
  const types: string[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    types.push(bytes.toString('latin1', at + 4, at + 8));
  return types;
}
