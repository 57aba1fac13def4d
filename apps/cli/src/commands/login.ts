import { OperatorClient, WhylightClient } from '@whylight/client';
import { Command, InvalidArgumentError } from 'commander';
import { Failure, UsageError } from '../failure.ts';
import { withJson } from '../options.ts';
import { print, printJson } from '../output.ts';
import { askSecret } from '../remote/ask-secret.ts';
import { saveCredentials, storedCredentials } from '../remote/credentials.ts';

export const login = withJson(
  new Command('login')
    .description('Store the address of a service and your API key, in a file that only you can read')
    .argument('<url>', 'address of the service: https://whylight.example', serviceUrl)
    .option('--operator', "store the operator's key, for whylight tenants; your own key stays stored"),
)
  .addHelpText('after', '\nlogin asks for the key, or reads it from stdin: whylight login URL < key.txt')
  .action(async (url: string, { operator = false, json }: { operator?: boolean; json?: boolean }) => {
    const key = await askSecret(operator ? 'Operator key: ' : 'API key: ');
    if (key === '')
      throw new UsageError('expected a key on stdin, got nothing: whylight login URL < key.txt');
    const connection = { url, apiKey: key };
    const tried = operator
      ? new OperatorClient(connection).tenants().next()
      : new WhylightClient(connection).limits();
    await tried.catch((error: unknown) => {
      throw error instanceof TypeError
        ? new Failure(`cannot reach ${url}: check the address and the network`)
        : error;
    });
    const stored = await storedCredentials();
    const before = stored?.url === url ? stored : {};
    const path = await saveCredentials({
      ...before,
      url,
      ...(operator ? { operatorKey: key } : { apiKey: key }),
    });
    if (json) printJson({ url, operator, stored_in: path });
    else print(`${url} knows the key. It is stored in ${path}`);
  });

function serviceUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('Expected http(s)://...');
  return text.replace(/\/+$/, '');
}
