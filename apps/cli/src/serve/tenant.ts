import { tenantSchema } from '@whylight/contract';
import { Failure } from '../failure.ts';
import { type Secrets, saveSecrets } from './secrets.ts';

/** The tenant of a data directory and its key: made at the first start, and the same from then on. @throws Failure */
export async function firstTenant(
  url: string,
  directory: string,
  secrets: Secrets,
): Promise<{ tenant: string; apiKey: string }> {
  if (secrets.tenant && secrets.apiKey) return { tenant: secrets.tenant, apiKey: secrets.apiKey };
  const response = await fetch(`${url}/v1/operator/tenants`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secrets.operatorKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'local' }),
  });
  if (!response.ok) throw new Failure(`the first tenant could not be created: status ${response.status}`);
  const { id, key } = tenantSchema.parse(await response.json());
  await saveSecrets(directory, { ...secrets, tenant: id, apiKey: key.secret });
  return { tenant: id, apiKey: key.secret };
}
