import { z } from 'zod';
import { givenName } from '../plain-text.ts';
import { growing, page, time, timeOfAnyZone } from '../wire.ts';

export const scopes = [
  'uploads:write',
  'uploads:read',
  'explanations:write',
  'explanations:read',
  'models:read',
  'models:write',
  'usage:read',
  'admin:keys',
  'admin:audit',
  'admin:webhooks',
] as const;

export type Scope = (typeof scopes)[number];

export const keyRequestSchema = z
  .strictObject({
    name: givenName(100).optional(),
    scopes: z
      .array(z.enum(scopes))
      .min(1)
      .optional()
      .describe('What the key may do. Omitted: every scope of the key that makes the request'),
    expires_at: timeOfAnyZone.optional().describe('A time in the future, in any zone'),
  })
  .meta({ id: 'KeyRequest' });

export const keySchema = z
  .object({
    id: z.string(),
    object: z.literal('key'),
    name: z.string().nullable(),
    scopes: z.array(growing(scopes)),
    created_at: time,
    expires_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'Key' });

export const newKeySchema = keySchema
  .extend({
    secret: z
      .string()
      .describe('The key itself. This answer alone contains it; the service stores only a hash'),
  })
  .meta({ id: 'NewKey' });

export const rotationRequestSchema = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(0)
      .describe(
        'How many seconds the old key stays valid. It does not stay valid beyond its own `expires_at`',
      ),
  })
  .meta({ id: 'RotationRequest' });

export const keyListSchema = page(keySchema).meta({ id: 'KeyList' });

export type Key = z.infer<typeof keySchema>;

export type NewKey = z.infer<typeof newKeySchema>;
