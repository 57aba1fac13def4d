import type { DurableObjectClass } from './bundled-gateway.ts';

/** Wrangler's configuration of the classes of Durable Objects. */
interface ClassMigration {
  readonly renamed_classes?: readonly { readonly from: string; readonly to: string }[] | undefined;
}

/**
 * Gives each class of Durable Objects the storage key that its first name gave it. Miniflare derives the folder and the
 * ids of the objects from the class's name, unless it is told another key: without this a renamed class would begin
 * empty. On Cloudflare `renamed_classes` of wrangler.jsonc moves the data; here the same entry says where they lie.
 */
export function withFirstNames(
  worker: string,
  durableObjects: Readonly<Record<string, DurableObjectClass>>,
  migrations: readonly ClassMigration[],
): Record<string, DurableObjectClass & { readonly unsafeUniqueKey: string }> {
  const renamed = migrations.flatMap(({ renamed_classes }) => renamed_classes ?? []).toReversed();
  const firstName = (className: string): string =>
    renamed.reduce((name, { from, to }) => (to === name ? from : name), className);
  return Object.fromEntries(
    Object.entries(durableObjects).map(([binding, options]) => [
      binding,
      { ...options, unsafeUniqueKey: `${worker}-${firstName(options.className)}` },
    ]),
  );
}
