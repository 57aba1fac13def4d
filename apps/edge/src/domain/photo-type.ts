import { uploadLimits } from '@whylight/contract';
import { Refusal } from './refusal.ts';

type PhotoType = (typeof uploadLimits.types)[number];

/** Names that programs give to these types although no registry has them. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
]);

const photosOfPhones = /^image\/hei[cf](-sequence)?$/;
const howToConvert =
  'The service does not read HEIC, so convert to JPEG: iPhones do so when a photo is shared or mailed, or always with ' +
  'Settings > Camera > Formats > Most Compatible; `heif-convert photo.heic photo.jpg` does it elsewhere.';

/** The type of a photo that somebody announces; upper and lower case mean the same. @throws Refusal `unsupported_media_type` */
export function photoType(announced: string): PhotoType {
  const lower = announced.toLowerCase();
  const type = otherNames.get(lower) ?? lower;
  const known = uploadLimits.types.find((each) => each === type);
  if (known) return known;
  const [detail, message] = photosOfPhones.test(type)
    ? [howToConvert, howToConvert]
    : [`Expected ${uploadLimits.types.join(', ')}.`, 'The service does not accept this type.'];
  throw new Refusal('unsupported_media_type', detail, [
    { pointer: '/content_type', code: 'unsupported_media_type', message },
  ]);
}
