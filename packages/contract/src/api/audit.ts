import { z } from 'zod';
import { page, time } from '../wire.ts';

export const auditEventSchema = z
  .object({
    id: z.string(),
    object: z.literal('audit_event'),
    created_at: time,
    actor: z.string().describe('Id of the key that was used, or `operator`'),
    action: z.string().describe('`POST /v1/keys/{id}/rotate`'),
    subject: z.string().nullable().describe('Id of what it was done to'),
    outcome: z.string().describe('`done`, or the code of the problem'),
    request_id: z.string(),
  })
  .meta({ id: 'AuditEvent' });

export type AuditEvent = z.infer<typeof auditEventSchema>;

export const auditEventListSchema = page(auditEventSchema).meta({ id: 'AuditEventList' });
