import { z } from 'zod';
import { page, time } from '../wire.ts';

export const auditEventSchema = z
  .object({
    id: z.string(),
    object: z.literal('audit_event'),
    created_at: time,
    actor: z.string().describe('Id of the key that made the request, or `operator`'),
    action: z.string().describe('Method and path of the request, such as `POST /v1/keys/{id}/rotate`'),
    subject: z.string().nullable().describe('Id of the resource that the request changed'),
    outcome: z.string().describe('`done`, or the code of the problem that the service answered'),
    request_id: z.string(),
  })
  .meta({ id: 'AuditEvent' });

export type AuditEvent = z.infer<typeof auditEventSchema>;

export const auditEventListSchema = page(auditEventSchema).meta({ id: 'AuditEventList' });
