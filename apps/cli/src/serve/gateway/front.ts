import { badHost, isAddressed } from './host-header.ts';

interface Bindings {
  readonly GATEWAY: { fetch(request: Request): Promise<Response> };
}

/**
 * Listens on the port of `whylight serve`, inside workerd, and gives every request to the gateway. No other feature of a
 * development server can be reached from here.
 */
export default {
  async fetch(request: Request, { GATEWAY }: Bindings): Promise<Response> {
    return isAddressed(request) ? GATEWAY.fetch(fromThisMachine(request)) : badHost();
  },
};

/** The gateway counts bad keys by the address that Cloudflare names. Here it is always this machine's own. */
function fromThisMachine(request: Request): Request {
  const named = new Request(request);
  named.headers.set('CF-Connecting-IP', '127.0.0.1');
  return named;
}
