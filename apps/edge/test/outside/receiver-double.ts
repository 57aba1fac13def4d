import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Loopback, listenOnLoopback } from './loopback.ts';

/** What came to a hook. */
export interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Who gets webhooks, and a resolver (DNS over HTTPS). `/hook/NAME` takes what comes and answers 204 or what a PUT to
 * `/behave/NAME` has set: a status, `never` (no answer), `endless` (a body without end) or `redirect`; `/seen/NAME`
 * lists what came. A PUT to `/dns/NAME` sets the addresses (JSON) that a name leads to.
 */
export async function startReceiverDouble(): Promise<Loopback> {
  const seen = new Map<string, Received[]>();
  const behaviour = new Map<string, string>();
  const names = new Map<string, string[]>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await request.setEncoding('utf8').toArray()).join('');
    const url = new URL(request.url ?? '/', 'http://receiver');
    const [, verb = '', name = ''] = url.pathname.split('/');
    if (verb === 'behave') behaviour.set(name, body);
    else if (verb === 'dns') names.set(name, JSON.parse(body) as string[]);
    else if (verb === 'seen') return void response.end(JSON.stringify(seen.get(name) ?? []));
    else if (verb === 'dns-query') {
      const type = url.searchParams.get('type') === 'A' ? 1 : 28;
      const found = names.get(url.searchParams.get('name') ?? '') ?? [];
      const mine = found.filter((address) => address.includes(':') === (type === 28));
      const answers = [{ type: 5, data: 'elsewhere.example.' }, ...mine.map((data) => ({ type, data }))];
      return void response.end(JSON.stringify({ Status: 0, Answer: answers }));
    } else if (verb === 'hook') {
      const headers = request.headers as Record<string, string>;
      seen.set(name, [...(seen.get(name) ?? []), { headers, body }]);
      return answer(response, behaviour.get(name) ?? '204');
    }
    response.end();
  }

  function answer(response: ServerResponse, how: string): void {
    if (how === 'never') return;
    if (how === 'redirect') return void response.writeHead(307, { Location: '/hook/elsewhere' }).end();
    if (how !== 'endless') return void response.writeHead(Number(how)).end('thank you');
    const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
    response.on('close', () => clearInterval(timer));
  }

  return listenOnLoopback(serve);
}
