/** The type of a file by its first bytes, because a name or a declared type may be wrong. */

export interface MediaType {
  /** The IANA name, if there is one. */
  readonly type: string;
  /** The name in a sentence. */
  readonly name: string;
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

/** Bytes at an offset, most specific first. */
const signatures: readonly (MediaType & { at?: number; bytes: readonly number[] })[] = [
  { type: 'image/jpeg', name: 'JPEG', bytes: [0xff, 0xd8, 0xff] },
  { type: 'image/png', name: 'PNG', bytes: [0x89, ...ascii('PNG\r\n\x1a\n')] },
  { type: 'image/webp', name: 'WebP', at: 8, bytes: ascii('WEBP') },
  { type: 'image/gif', name: 'GIF', bytes: ascii('GIF8') },
  { type: 'image/tiff', name: 'TIFF', bytes: ascii('II*\0') },
  { type: 'image/tiff', name: 'TIFF', bytes: ascii('MM\0*') },
  { type: 'image/tiff', name: 'BigTIFF', bytes: ascii('II+\0') },
  { type: 'image/tiff', name: 'BigTIFF', bytes: ascii('MM\0+') },
  { type: 'application/pdf', name: 'PDF', bytes: ascii('%PDF') },
  { type: 'application/postscript', name: 'EPS', bytes: ascii('%!PS') },
  { type: 'application/postscript', name: 'EPS', bytes: [0xc5, 0xd0, 0xd3, 0xc6] },
  { type: 'image/jp2', name: 'JPEG 2000', bytes: [0, 0, 0, 0x0c, ...ascii('jP  ')] },
  { type: 'image/jp2', name: 'JPEG 2000', bytes: [0xff, 0x4f, 0xff, 0x51] },
  { type: 'image/jxl', name: 'JPEG XL', bytes: [0, 0, 0, 0x0c, ...ascii('JXL ')] },
  { type: 'image/jxl', name: 'JPEG XL', bytes: [0xff, 0x0a] },
  { type: 'image/avif', name: 'AVIF', at: 4, bytes: ascii('ftypavi') },
  { type: 'image/heif', name: 'HEIF', at: 4, bytes: ascii('ftyphei') },
  { type: 'image/heif', name: 'HEIF', at: 4, bytes: ascii('ftyphev') },
  { type: 'image/heif', name: 'HEIF', at: 4, bytes: ascii('ftypmif1') },
  { type: 'image/heif', name: 'HEIF', at: 4, bytes: ascii('ftypmsf1') },
  { type: 'video/mp4', name: 'a video (MP4)', at: 4, bytes: ascii('ftyp') },
  { type: 'application/fits', name: 'FITS', bytes: ascii('SIMPLE  =') },
  { type: 'image/vnd.adobe.photoshop', name: 'Photoshop', bytes: ascii('8BPS') },
  { type: 'image/x-icon', name: 'an icon (ICO)', bytes: [0, 0, 1, 0] },
  { type: 'application/dicom', name: 'DICOM', at: 128, bytes: ascii('DICM') },
  { type: 'application/x-npy', name: 'a NumPy array', bytes: [0x93, ...ascii('NUMPY')] },
  { type: 'application/zip', name: 'ZIP', bytes: ascii('PK\x03\x04') },
  { type: 'application/gzip', name: 'gzip', bytes: [0x1f, 0x8b] },
];

/** @returns null if the bytes begin like no known type */
export function sniffMediaType(bytes: Uint8Array): MediaType | null {
  const found = signatures.find(({ at = 0, bytes: mark }) => mark.every((byte, i) => bytes[at + i] === byte));
  if (found?.name === 'HEIF' && hasAvif(bytes)) return { type: 'image/avif', name: 'AVIF' };
  if (found !== undefined) return { type: found.type, name: found.name };
  if (isBmp(bytes)) return { type: 'image/bmp', name: 'BMP' };
  return markup(bytes);
}

/** Says whether a generic HEIF file declares that it can be read as AVIF. */
function hasAvif(bytes: Uint8Array): boolean {
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const brands = new TextDecoder('latin1').decode(bytes.subarray(16, Math.min(size, 256)));
  return /^(?:.{4})*avi[fs]/s.test(brands);
}

/** Many texts begin with 'BM', so the size of the second header decides. */
function isBmp(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x42 && bytes[1] === 0x4d && (bytes[14] ?? 0) >= 12 && bytes[15] === 0 && bytes[16] === 0
  );
}

function markup(bytes: Uint8Array): MediaType | null {
  const start = new TextDecoder().decode(bytes.subarray(0, 1024)).trimStart().toLowerCase();
  if (!start.startsWith('<')) return null;
  if (/^(<svg|<\?xml.*<svg|<!--.*<svg|<!doctype svg)/s.test(start))
    return { type: 'image/svg+xml', name: 'SVG' };
  return start.startsWith('<!doctype html') || start.startsWith('<html')
    ? { type: 'text/html', name: 'HTML' }
    : { type: 'application/xml', name: 'XML' };
}
