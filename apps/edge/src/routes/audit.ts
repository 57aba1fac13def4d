import { auditEventListSchema } from '@whylight/contract';
import { answerPage, paged } from '../http/paging.ts';
import { routes } from '../http/route.ts';

export const audit = routes('audit');

audit.route('GET', '/v1/audit_events', {
  id: 'auditEvents.list',
  access: 'admin:audit',
  summary: 'List who changed what, newest first',
  ...paged(
    'evt',
    auditEventListSchema,
    'The body is a page of changes, and of requests whose key lacked the scope',
  ),
  handler: ({ tenant, services, query }) =>
    answerPage('evt', query, (limit, after) => services.audit.list(tenant, limit, after)),
});
