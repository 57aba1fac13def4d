import { z } from 'zod';
import { recordOf } from '../record.ts';
import { sha256, time } from '../wire.ts';

/** Largest photo, in bytes, and the types that can be uploaded. */
export const uploadLimits = {
  max_bytes: 26_214_400,
  max_pixels: 25_000_000,
  types: ['image/jpeg', 'image/png', 'image/webp'],
} as const;

export const uploadRequestSchema = z
  .strictObject({
    content_type: z
      .string()
      .max(100)
      .meta({ enum: [...uploadLimits.types, 'image/jpg'] })
      .describe('Type of the photo, in upper or lower case. `image/jpg` counts as `image/jpeg`'),
    content_length: z
      .int()
      .min(1)
      .meta({ maximum: uploadLimits.max_bytes })
      .describe(`Length of the photo in bytes, at most ${uploadLimits.max_bytes}`),
    sha256,
  })
  .meta({ id: 'UploadRequest' });

export type UploadRequest = z.infer<typeof uploadRequestSchema>;

export const uploadSchema = z
  .object({
    id: z.string(),
    object: z.literal('upload'),
    status: z.enum(['pending', 'ready', 'rejected', 'expired']),
    content_type: z.string(),
    content_length: z.int(),
    sha256,
    created_at: time,
    upload: z
      .object({
        method: z.literal('PUT'),
        url: z.string(),
        headers: recordOf(z.string(), z.string()),
        expires_at: time,
      })
      .nullable()
      .describe('PUT the bytes to this URL with these headers. Null if the service has the bytes already'),
    limits: z.object({
      max_bytes: z.int(),
      max_pixels: z.int(),
      types: z.array(z.string()),
    }),
  })
  // A class `Upload` with a member `upload` is no valid Python of openapi-python-client.
  .meta({ id: 'PhotoUpload' });

export type Upload = z.infer<typeof uploadSchema>;
