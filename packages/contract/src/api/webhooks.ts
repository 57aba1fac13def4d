import { z } from 'zod';
import { plainText } from '../plain-text.ts';
import { page, time } from '../wire.ts';

/** The gateway decides by `webhookUrl`; this tells writers of clients, in a pattern, what it takes. */
const urlSchema = plainText(2_000)
  .meta({
    pattern: String.raw`^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,20}(/[A-Za-z0-9._~/?=&-]*)?$`,
  })
  .describe('An https URL on port 443 of a public host, without credentials');

export const webhookEndpointRequestSchema = z
  .strictObject({ url: urlSchema })
  .meta({ id: 'WebhookEndpointRequest' });

export const webhookEndpointChangeSchema = z
  .strictObject({
    url: urlSchema.optional(),
    status: z.enum(['enabled', 'disabled']).optional(),
  })
  .meta({ id: 'WebhookEndpointChange' });

export type WebhookEndpointChange = z.input<typeof webhookEndpointChangeSchema>;

export const webhookEndpointSchema = z
  .object({
    id: z.string(),
    object: z.literal('webhook_endpoint'),
    url: z.string(),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: z.string().nullable(),
    previous_secret_until: time
      .nullable()
      .describe('Time until which the service also signs with the previous secret; null if it does not'),
    created_at: time,
  })
  .meta({ id: 'WebhookEndpoint' });

export const newWebhookEndpointSchema = webhookEndpointSchema
  .extend({
    secret: z
      .string()
      .describe(
        'The secret that verifies the signature of an event (Standard Webhooks). This answer alone contains it',
      ),
  })
  .meta({ id: 'NewWebhookEndpoint' });

export type NewWebhookEndpoint = z.infer<typeof newWebhookEndpointSchema>;

export const webhookEndpointListSchema = page(webhookEndpointSchema).meta({ id: 'WebhookEndpointList' });

export type WebhookEndpoint = z.infer<typeof webhookEndpointSchema>;

export const secretRotationRequestSchema = z
  .strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(86_400)
      .describe('How many seconds the service also signs with the old secret'),
  })
  .meta({ id: 'SecretRotationRequest' });

export const webhookDeliverySchema = z
  .object({
    id: z.string().describe('The `webhook-id` of the event. Every attempt to deliver it has the same one'),
    object: z.literal('webhook_delivery'),
    type: z.string(),
    status: z.enum(['pending', 'delivered', 'failed']),
    created_at: time,
    next_attempt_at: time.nullable(),
    attempts: z
      .array(z.object({ at: time, status: z.int().nullable(), error: z.string().nullable() }))
      .describe('The latest attempts. The newest one comes first'),
  })
  .meta({ id: 'WebhookDelivery' });

export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;

export const webhookDeliveryListSchema = page(webhookDeliverySchema).meta({ id: 'WebhookDeliveryList' });
