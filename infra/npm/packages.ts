/** The packages that are published to npm, each after those that it needs. */
export interface PublishedPackage {
  /** Its workspace, relative to the repository. */
  readonly workspace: string;
  /** A workspace that is published inside it, in the folder of this name. */
  readonly inside?: { readonly workspace: string; readonly folder: string };
  /** Targets of `imports` that differ from those in a clone. */
  readonly imports?: Readonly<Record<string, string>>;
}

export const publishedPackages: readonly PublishedPackage[] = [
  { workspace: 'models' },
  { workspace: 'packages/contract' },
  { workspace: 'packages/client' },
  { workspace: 'packages/core' },
  { workspace: 'packages/host' },
  {
    workspace: 'apps/cli',
    inside: { workspace: 'apps/gpu-worker', folder: 'worker' },
    imports: {
      '#worker': './worker/index.js',
      // The gateway is built with the package, and not on the user's machine.
      '#gateway-bundle': './dist/serve/gateway/published-bundle.js',
    },
  },
];
