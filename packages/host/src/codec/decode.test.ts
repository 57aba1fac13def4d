import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { float32, readNpy, writeNpy } from '@whylight/core';
import { type Picture, preprocess } from '@whylight/core/image';
import { imagenet } from '@whylight/core/preparation';
import { sharedFile } from '@whylight/core/testing';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { black, chunk, end, header, signature } from '../testing/png.ts';
import { decodeImage, decodePhoto, type PhotoType, photoTypes } from './decode.ts';
import { sniffMediaType } from './media-type.ts';

const photos = sharedFile('images');
const inputs = sharedFile('goldens/real/inputs');
const refusal = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });
const pixel = ({ data, width }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const raw = (width: number, height: number, channels: 1 | 2 | 3 | 4, values: readonly number[]) =>
  sharp(Uint8Array.from(values), { raw: { width, height, channels } });
/** Where the segment of a JPEG ends that holds the profile. */
const afterProfile = (jpeg: Buffer, profile: number): number => profile - 2 + jpeg.readUInt16BE(profile - 2);
const noise = (width: number, height: number) =>
  raw(
    width,
    height,
    3,
    Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251),
  );

describe('D1: what is too large is refused by its header', () => {
  it.each([
    ['16383 × 16383', 16383, 16383],
    ['a line of 20 000 000 pixels', 1, 20_000_000],
    ['one pixel more than the limit', 5000, 5001],
  ])('PNG of %s', async (_, width, height) => {
    // The pixel data is garbage: decoding it would be another error.
    const bomb = Buffer.concat([signature, header(width, height), chunk('IDAT', Buffer.from('garbage'))]);
    await expect(decodeImage(bomb)).rejects.toMatchObject(
      refusal('image_too_large', RegExp(`${width}×${height}`)),
    );
  });

  it('JPEG whose frame header lies', async () => {
    const photo = await noise(16, 16).jpeg().toBuffer();
    const frame = photo.indexOf(Buffer.from([0xff, 0xc0]));
    photo.writeUInt16BE(60_000, frame + 5);
    photo.writeUInt16BE(60_000, frame + 7);
    await expect(decodeImage(photo)).rejects.toMatchObject(refusal('image_too_large', /60000×60000/));
    photo.writeUInt16BE(64, frame + 5);
    photo.writeUInt16BE(64, frame + 7);
    await expect(decodeImage(photo)).rejects.toMatchObject(refusal('invalid_image', /64×64/));
  });

  it('progressive JPEG with hundreds of scans is given up', async () => {
    const photo = await noise(64, 64).jpeg({ progressive: true }).toBuffer();
    const lastScan = photo.subarray(photo.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
    const bomb = Buffer.concat([photo.subarray(0, -2), ...Array(500).fill(lastScan), photo.subarray(-2)]);
    await expect(decodeImage(photo)).resolves.toMatchObject({ width: 64 });
    await expect(decodeImage(bomb)).rejects.toMatchObject({ code: 'invalid_image' });
  });

  it('of an animation the first frame alone is decoded', async () => {
    const frames = [0, 120, 240].flatMap((level) => Array<number>(4 * 4 * 3).fill(level));
    const animation = await sharp(Uint8Array.from(frames), {
      raw: { width: 4, height: 12, channels: 3, pageHeight: 4 },
    })
      .webp({ lossless: true })
      .toBuffer();
    const first = await decodeImage(animation);
    expect(first).toMatchObject({ width: 4, height: 4 });
    expect(new Set(first.data)).toEqual(new Set([0]));
  });

  const frames = (count: number) =>
    sharp(
      Uint8Array.from({ length: 4 * 4 * 3 * count }, (_, at) => 40 * Math.floor(at / 48)),
      {
        raw: { width: 4, height: 4 * count, channels: 3, pageHeight: 4 },
      },
    );
  const animatedPng = (count: number) => {
    const control = Buffer.alloc(8);
    control.writeUInt32BE(count);
    return Buffer.concat([signature, header(4, 4), chunk('acTL', control), black(4, 4), end]);
  };

  it.each([
    ['WebP', () => frames(3).webp().toBuffer(), 3],
    ['GIF', () => frames(2).gif({ keepDuplicateFrames: true }).toBuffer(), 2],
    ['PNG', async () => animatedPng(5), 5],
  ])('J13: an animated %s is decoded with a warning', async (_, made, count) => {
    const { warnings } = await decodePhoto(await made(), 'rgb', { allow: photoTypes });
    expect(warnings).toEqual([
      { code: 'first_frame', message: `the file has ${count} frames or pages; Whylight used the first` },
    ]);
  });

  it.each([
    ['WebP', () => frames(1).webp().toBuffer()],
    ['PNG', async () => Buffer.concat([signature, header(4, 4), black(4, 4), end])],
    ['JPEG with a profile', () => noise(16, 16).withIccProfile('p3').jpeg().toBuffer()],
    ['PNG with a profile of sRGB', () => noise(16, 16).withIccProfile('srgb').png().toBuffer()],
  ])('J13: a %s has none', async (_, made) => {
    expect((await decodePhoto(await made(), 'rgb')).warnings).toEqual([]);
  });

  it('J13: a damaged colour profile is decoded as sRGB, with a warning', async () => {
    const whole = await noise(16, 16).withIccProfile('p3').jpeg().toBuffer();
    const damaged = Buffer.from(whole);
    const profile = damaged.indexOf('ICC_PROFILE');
    damaged.fill(0xff, profile + 20, profile + 140);
    const { picture, warnings } = await decodePhoto(damaged, 'rgb');
    expect(warnings).toEqual([
      {
        code: 'damaged_profile',
        message: 'the colour profile in the file is damaged; Whylight took the colours as sRGB',
      },
    ]);
    const without = Buffer.concat([
      whole.subarray(0, profile - 4),
      whole.subarray(afterProfile(whole, profile)),
    ]);
    expect(picture.data).toEqual((await decodeImage(without)).data);
  });

  it.each(['zTXt', 'iCCP'])('64 MiB hidden in a %s chunk are left alone', async (type) => {
    const hidden = chunk(type, Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(64 << 20))]));
    const photo = await decodeImage(Buffer.concat([signature, header(4, 4), hidden, black(4, 4), end]));
    expect(photo).toMatchObject({ width: 4, height: 4 });
  });

  it('more bytes than the limit', async () => {
    await expect(decodeImage(new Uint8Array(11), { maxBytes: 10 })).rejects.toMatchObject(
      refusal('image_too_large', /11 bytes; expected at most 10/),
    );
  });

  it.skipIf(photos === null).each(['65536-uint32-limit.png', 'giant-image.jpg'])('%s', async (name) => {
    await expect(decodeImage(readFileSync(`${photos}/edge/${name}`))).rejects.toMatchObject({
      code: 'image_too_large',
    });
  });
});

describe('D2: what cannot be decoded to its end is refused', () => {
  it('no bytes', async () => {
    await expect(decodeImage(new Uint8Array())).rejects.toMatchObject(refusal('invalid_image', /empty/));
  });

  it.each(['zero bytes', 'text'])('%s', async (what) => {
    const bytes = what === 'text' ? Buffer.from('BM is how this text begins') : Buffer.alloc(1000);
    await expect(decodeImage(bytes)).rejects.toMatchObject(
      refusal('invalid_image', /no image that Whylight can read/),
    );
  });

  it.each(['jpeg', 'png', 'webp'] as const)('a truncated %s', async (format) => {
    const whole = await noise(64, 64).toFormat(format).toBuffer();
    await expect(decodeImage(whole)).resolves.toMatchObject({ width: 64 });
    const cut = whole.subarray(0, Math.round(whole.length * 0.6));
    await expect(decodeImage(cut)).rejects.toMatchObject({ code: 'invalid_image' });
    await expect(decodeImage(whole.subarray(0, 20))).rejects.toMatchObject({ code: 'invalid_image' });
  });

  it('a PNG whose checksum is wrong', async () => {
    const photo = Buffer.concat([signature, header(4, 4), black(4, 4), end]);
    photo[photo.length - end.length - 1]! ^= 0xff;
    await expect(decodeImage(photo)).rejects.toMatchObject(refusal('invalid_image', /PNG, 4×4/));
  });

  it.skipIf(photos === null).each(['truncated.jpg', 'truncated.png', 'corrupt-header.jpg'])(
    '%s, in a clear sentence',
    async (name) => {
      const file = sharedFile(`images/edge/${name}`);
      if (file === null) return;
      const { code, message } = await decodeImage(readFileSync(`${photos}/edge/${name}`)).catch(
        (error) => error,
      );
      expect(code).toBe('invalid_image');
      expect(message).toMatch(/^The image .*\.$/);
      expect(message).not.toMatch(/vips|libpng|buffer|\//i);
    },
  );
});

it('D3: a picture that is something else too is taken as a picture', async () => {
  const photo = Buffer.concat([await noise(8, 8).png().toBuffer(), Buffer.from('<?php system("id"); ?>')]);
  await expect(decodeImage(photo)).resolves.toMatchObject({ width: 8, height: 8 });
});

describe('D4: other types are refused by their first bytes', () => {
  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG', '\ufeff<?xml version="1.0"?>\n<!-- hello -->\n<svg/>'],
    ['PDF', '%PDF-1.7'],
    ['EPS', '%!PS-Adobe-3.0 EPSF-3.0'],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['HEIF', '\0\0\0\x18ftypheic'],
    ['AVIF', '\0\0\0\x1cftypavif'],
    ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['FITS', 'SIMPLE  =                    T'],
    ['GIF', 'GIF89a'],
    ['HTML', '<!DOCTYPE html><title>x</title>'],
  ])('%s', async (name, start) => {
    const bytes = Buffer.from(start, name === 'SVG' ? 'utf8' : 'latin1');
    await expect(decodeImage(bytes)).rejects.toMatchObject(
      refusal('unsupported_media_type', RegExp(`look like ${name}, .*jpeg, png, webp`)),
    );
  });
});

describe('D5: the EXIF orientation is applied', () => {
  // Stored: A B C over D E F. Upright, row by row, as the EXIF standard defines each value.
  it.each([
    [1, 'ABC DEF'],
    [2, 'CBA FED'],
    [3, 'FED CBA'],
    [4, 'DEF ABC'],
    [5, 'AD BE CF'],
    [6, 'DA EB FC'],
    [7, 'FC EB DA'],
    [8, 'CF BE AD'],
  ])('%i', async (orientation, upright) => {
    const stored = raw(
      3,
      2,
      3,
      [...'ABCDEF'].flatMap((letter) => Array(3).fill(letter.charCodeAt(0))),
    );
    const photo = await decodeImage(await stored.withMetadata({ orientation }).png().toBuffer());
    const rows = upright.split(' ');
    expect(photo).toMatchObject({ width: rows[0]!.length, height: rows.length });
    const letters = rows.flatMap((_, y) => [...rows[0]!].map((_, x) => pixel(photo, x, y)[0]!));
    expect(String.fromCharCode(...letters)).toBe(rows.join(''));
  });
});

describe('D6: every kind of pixel becomes 8-bit sRGB', () => {
  const decoded = async (image: Sharp) => decodeImage(await image.toBuffer());

  it('grey, with and without alpha', async () => {
    expect([...(await decoded(raw(1, 1, 1, [77]).toColourspace('b-w').png())).data]).toEqual([77, 77, 77]);
    const [level] = (await decoded(raw(1, 1, 2, [0, 128]).png())).data;
    expect(level).toBe(127);
  });

  it('alpha over white', async () => {
    const { data } = await decoded(raw(2, 1, 4, [255, 0, 0, 255, 0, 0, 0, 0]).png());
    expect([...data]).toEqual([255, 0, 0, 255, 255, 255]);
  });

  it('palette', async () => {
    const { data } = await decoded(raw(2, 1, 3, [10, 20, 30, 200, 100, 50]).png({ palette: true }));
    expect([...data]).toEqual([10, 20, 30, 200, 100, 50]);
  });

  it('16 bit, CMYK, and a wide gamut', async () => {
    expect([...(await decoded(raw(1, 1, 3, [10, 20, 30]).toColourspace('rgb16').png())).data]).toEqual([
      10, 20, 30,
    ]);
    const cmyk = await decoded(
      raw(8, 8, 3, Array(64).fill([200, 40, 40]).flat())
        .toColourspace('cmyk')
        .jpeg(),
    );
    expect(pixel(cmyk, 4, 4)[0]).toBeGreaterThan(150);
    expect(pixel(cmyk, 4, 4)[1]).toBeLessThan(90);
    // Display P3's numbers for what sRGB calls (200, 40, 40).
    const p3 = await raw(1, 1, 3, [200, 40, 40]).withIccProfile('p3').png().toBuffer();
    const { data } = await decodeImage(p3);
    for (const [i, level] of [200, 40, 40].entries())
      expect(Math.abs(data[i]! - level)).toBeLessThanOrEqual(2);
  });
});

describe('D7: sizes at the limits', () => {
  it.each([
    [1, 1],
    [2, 50_000],
    [5000, 5000],
  ])('%i × %i', async (width, height) => {
    const photo = await decodeImage(
      Buffer.concat([signature, header(width, height), black(width, height), end]),
    );
    expect(photo).toMatchObject({ width, height });
  });
});

describe('BMP and GIF, where they are allowed', () => {
  it('reads BMP, bottom row first as it is stored', async () => {
    const bmp = Buffer.alloc(54 + 16);
    bmp.write('BM');
    bmp.writeUInt32LE(70, 2);
    bmp.writeUInt32LE(54, 10);
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(2, 18);
    bmp.writeInt32LE(2, 22);
    bmp.writeUInt16LE(1, 26);
    bmp.writeUInt16LE(24, 28);
    bmp.set([3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10], 54);
    const { data } = await decodeImage(bmp, { allow: photoTypes });
    expect([...data]).toEqual([7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);

    await expect(decodeImage(bmp)).rejects.toMatchObject(refusal('unsupported_media_type', /BMP/));
    await expect(decodeImage(bmp.subarray(0, 60), { allow: photoTypes })).rejects.toMatchObject({
      code: 'invalid_image',
    });
    bmp.writeInt32LE(-30_000, 22);
    bmp.writeInt32LE(30_000, 18);
    await expect(decodeImage(bmp, { allow: photoTypes })).rejects.toMatchObject({ code: 'image_too_large' });
  });

  it('reads GIF', async () => {
    const allow: PhotoType[] = ['image/gif'];
    const { data } = await decodeImage(await raw(1, 1, 3, [255, 0, 0]).gif().toBuffer(), { allow });
    expect([...data]).toEqual([255, 0, 0]);
  });
});

describe('what the command line takes beside the service’s types', () => {
  const levels = Array.from({ length: 48 }, (_, i) => i * 5);
  const refused = (bytes: Uint8Array, why: RegExp) =>
    expect(decodeImage(bytes, { allow: photoTypes })).rejects.toThrow(why);

  it('TIFF and AVIF; the service goes on refusing them', async () => {
    const tiff = await raw(8, 2, 3, levels).tiff({ compression: 'none' }).toBuffer();
    expect([...(await decodeImage(tiff, { allow: photoTypes })).data]).toEqual(levels);
    await expect(decodeImage(tiff)).rejects.toMatchObject(refusal('unsupported_media_type', /TIFF/));
    const avif = await raw(8, 8, 3, Array(64).fill([200, 40, 40]).flat())
      .avif({ lossless: true })
      .toBuffer();
    const { data } = await decodeImage(avif, { allow: photoTypes });
    expect(Math.abs(data[0]! - 200)).toBeLessThan(4);
    await expect(decodeImage(avif)).rejects.toMatchObject(refusal('unsupported_media_type', /AVIF/));
    await refused(tiff.subarray(0, tiff.length - 40), /TIFF.* is damaged|header cannot be read/);
  });

  it('AVIF by what it says it can be read as, where its own brand is general', () => {
    const box = Buffer.from('\0\0\0\x1cftypmif1\0\0\0\0mif1avif', 'latin1');
    expect(sniffMediaType(box)?.name).toBe('AVIF');
    expect(sniffMediaType(Buffer.from('\0\0\0\x1cftypmif1\0\0\0\0mif1heic', 'latin1'))?.name).toBe('HEIF');
  });

  it.each([
    ['a 12-bit', 4095, [0, 16, 255]],
    ['a 10-bit', 1023, [0, 16, 255]],
    ['a 16-bit', 65_535, [0, 16, 255]],
  ])('%s picture in 16 bits has its whole range', async (_, most, expected) => {
    const data = Uint16Array.from([0, Math.round((most * 16.2) / 255), most].flatMap((v) => [v, v, v]));
    for (const format of ['png', 'tiff'] as const) {
      const bytes = await sharp(data, { raw: { width: 3, height: 1, channels: 3 } })
        .toColourspace('rgb16')
        .toFormat(format, { compression: format === 'tiff' ? 'none' : undefined })
        .toBuffer();
      const photo = await decodeImage(bytes, { allow: photoTypes });
      expect([0, 1, 2].map((x) => pixel(photo, x, 0)[0])).toEqual(expected);
    }
  });

  it('names HEIC and DICOM, and says how to convert them', async () => {
    await refused(
      Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'),
      /HEIF, .*heif-convert photo\.heic photo\.jpg/,
    );
    const dicom = Buffer.alloc(200);
    dicom.write('DICM', 128);
    await refused(dicom, /DICOM, .*dcmj2pnm .*pydicom/);
  });
});

/** A little-endian TIFF of one strip: one float of 32 bits for each pixel. */
function floatTiff(width: number, height: number): Uint8Array {
  const entries = [
    [256, width],
    [257, height],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, height],
    [279, width * height * 4],
    [339, 3],
  ];
  const start = 8 + width * height * 4;
  const bytes = Buffer.alloc(start + 6 + entries.length * 12);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(start, 4);
  for (let i = 0; i < width * height; i++) bytes.writeFloatLE(i / 2, 8 + i * 4);
  bytes.writeUInt16LE(entries.length, start);
  entries.forEach(([tag, value], i) => {
    const at = start + 2 + i * 12;
    bytes.writeUInt16LE(tag!, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value!, at + 8);
  });
  return bytes;
}

describe('bands, for networks that take them', () => {
  const allow = photoTypes;
  const array = (shape: readonly number[]) =>
    writeNpy(
      float32(
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i * 100),
      ),
    );

  it('of an array, in either order, with their own numbers', async () => {
    const { pixels, picture } = await decodePhoto(array([5, 2, 3]), 5, { allow });
    expect(pixels).toMatchObject({ width: 3, height: 2, channels: 5 });
    expect([...pixels.data.subarray(0, 5)]).toEqual([0, 600, 1200, 1800, 2400]);
    expect(picture).toMatchObject({ width: 3, height: 2, channels: 3 });
    expect([pixel(picture, 0, 0)[0], pixel(picture, 2, 1)[0]]).toEqual([0, 255]);
    const last = await decodePhoto(array([2, 3, 5]), 5, { allow });
    expect([...last.pixels.data.subarray(0, 5)]).toEqual([0, 100, 200, 300, 400]);
    expect((await decodePhoto(array([2, 3]), 'gray', { allow })).pixels.channels).toBe(1);
  });

  it('of a TIFF’s pages, 16 bits each', async () => {
    const pages = Uint16Array.from({ length: 6 * 4 }, (_, i) => i * 1000);
    const tiff = await sharp(pages, { raw: { width: 3, height: 8, channels: 1, pageHeight: 2 } })
      .toColourspace('grey16')
      .tiff({ compression: 'none' })
      .toBuffer();
    expect((await sharp(tiff).metadata()).pages).toBe(4);
    const { pixels } = await decodePhoto(tiff, 4, { allow });
    expect(pixels).toMatchObject({ width: 3, height: 2, channels: 4 });
    expect([...pixels.data.subarray(0, 4)]).toEqual([0, 6000, 12_000, 18_000]);
    await expect(decodePhoto(tiff, 5, { allow })).rejects.toThrow(
      'the network takes 5 bands, this TIFF has 4 pages of one band',
    );
  });

  it('of a TIFF of floats, of which a photo cannot be made: nobody states its range', async () => {
    const { pixels } = await decodePhoto(floatTiff(2, 2), 1, { allow });
    expect([...pixels.data]).toEqual([0, 0.5, 1, 1.5]);
    await expect(decodeImage(floatTiff(2, 2), { allow })).rejects.toThrow(/holds floating-point numbers/);
  });

  it('another number of them is refused with both', async () => {
    await expect(decodePhoto(array([4, 2, 3]), 5, { allow })).rejects.toThrow(
      'the network takes 5 bands: expected an array [5, height, width] or [height, width, 5], got float32 [4, 2, 3]',
    );
    await expect(decodePhoto(array([4, 2, 3]), 5)).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  it('transparency is a fourth channel where the network takes it', async () => {
    const png = await raw(2, 1, 4, [255, 0, 0, 255, 0, 0, 0, 0]).png().toBuffer();
    const { pixels, picture } = await decodePhoto(png, 'rgba');
    expect([...pixels.data]).toEqual([255, 0, 0, 255, 0, 0, 0, 0]);
    expect([...picture.data]).toEqual([255, 0, 0, 255, 255, 255]);
  });
});

describe.skipIf(photos === null || inputs === null)(
  'decoded, resized, cropped, normalised as by Pillow and torch',
  () => {
    it.each(['both.png', 'kitten.jpg', 'swan-3299528_1280.jpg', 'zebra.jpg'])(
      '%s, byte for byte',
      async (name) => {
        const stem = name.replace(/\.\w+$/, '');
        const recorded = (what: string) => readNpy(readFileSync(`${inputs}/${stem}.${what}.npy`)).data;
        const { crop, input } = preprocess(await decodeImage(readFileSync(`${photos}/${name}`)), imagenet);
        expect(Buffer.compare(crop.data as Uint8Array, recorded('rgb') as Uint8Array)).toBe(0);
        expect(input.data).toEqual(recorded('input'));
      },
    );
  },
);
