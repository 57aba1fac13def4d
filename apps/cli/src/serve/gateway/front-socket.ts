import { R2_S3_SERVICE_NAME } from 'miniflare';

/** The type of binding that this plugin knows. */
export const frontSocket = 'front-socket';

interface Worker {
  readonly config: {
    readonly name: string;
    readonly env?: Readonly<Record<string, { readonly type: string; readonly dev?: unknown }>>;
  };
}

/** The settings of a binding of this type. */
export interface FrontSocket {
  /** On the loopback interface. */
  readonly port: number;
  /** Whether the worker is bound to the store, too. */
  readonly store: boolean;
}

/**
 * A plugin of Miniflare for the two fronts: a port, and for the store's front a binding to the S3 endpoint of Miniflare's R2.
 * The endpoint could otherwise be reached only through Miniflare's entry, and the port would be the entry's or a "direct
 * socket": the one serves other paths beside it, the other takes workerd's own protocol (CONNECT) and believes what a client
 * says of itself.
 */
export const plugins = {
  [frontSocket]: {
    getBindings: (worker: Worker) =>
      socketsOf(worker)
        .filter(([, { store }]) => store)
        .map(([name]) => ({ name, service: { name: R2_S3_SERVICE_NAME } })),
    getNodeBindings: () => ({}),
    getServices: ({ options }: { readonly options: Worker }) => ({
      services: [],
      extensions: [],
      sockets: socketsOf(options).map(([name, { port }]) => ({
        name: `${frontSocket}:${name}`,
        address: `127.0.0.1:${port}`,
        service: { name: `core:user:${options.config.name}` },
        http: {},
      })),
    }),
  },
};

const socketsOf = ({ config }: Worker): [name: string, socket: FrontSocket][] =>
  Object.entries(config.env ?? {})
    .filter(([, { type }]) => type === `unsafe:${frontSocket}`)
    .map(([name, { dev }]) => [name, (dev as { readonly options: FrontSocket }).options]);
