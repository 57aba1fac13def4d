import { z } from 'zod';
import { givenName } from '../plain-text.ts';
import { page, time } from '../wire.ts';
import { newKeySchema } from './keys.ts';

export const tenantRequestSchema = z.strictObject({ name: givenName(100) }).meta({ id: 'TenantRequest' });

export const tenantSchema = z
  .object({
    id: z.string(),
    object: z.literal('tenant'),
    name: z.string(),
    created_at: time,
    key: newKeySchema,
  })
  .meta({ id: 'Tenant' });

/** A tenant as the operator sees it. */
export const tenantViewSchema = z
  .object({
    id: z.string(),
    object: z.literal('tenant'),
    name: z.string(),
    created_at: time,
    suspended_at: time
      .nullable()
      .describe('Time since which the service refuses the keys of the tenant; null if it accepts them'),
  })
  .meta({ id: 'TenantView' });

export type TenantView = z.infer<typeof tenantViewSchema>;

export const tenantListSchema = page(tenantViewSchema).meta({ id: 'TenantList' });

export type Tenant = z.infer<typeof tenantSchema>;
