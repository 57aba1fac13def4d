import { ProblemError, WhylightClient } from '@whylight/client';

interface Outcome {
  readonly label: string | undefined;
  readonly cacheStatus: string;
  /** First bytes of the pictures. */
  readonly pictures: readonly (readonly number[])[];
  /** Code of a refusal, and the limits that its headers tell. */
  readonly refusal: string | null;
  readonly headers: readonly (string | null)[];
}

declare global {
  /** What an app does with the client: upload, explain, fetch pictures, draw again, list, and read a refusal. */
  var useClient: (url: string, apiKey: string, photo: readonly number[]) => Promise<Outcome>;
}

globalThis.useClient = async (url, apiKey, photo) => {
  const client = new WhylightClient({ url, apiKey });
  const { id } = await client.upload(Uint8Array.from(photo), 'image/png');
  const { explanation, cacheStatus } = await client.explain({ input: { upload: id }, method: 'grad-cam' });
  const { overlay } = explanation.attributions[0]!.artifacts;
  const rendering = await client.render(explanation.id, { visualization: { color_map: 'viridis' } });
  const pictures = await Promise.all([
    client.download(overlay),
    client.download({ url: overlay.url }),
    client.artifact(explanation.id, 'heatmap.png'),
    client.download(rendering.artifacts.overlay),
  ]);
  for await (const listed of client.explanations())
    if (listed.id !== explanation.id) throw new Error(listed.id);
  const refusal = await client.explanation('exp_0').catch((error: unknown) => error);
  const limits = await fetch(`${url}/v1/limits`, { headers: { Authorization: `Bearer ${apiKey}` } });
  return {
    label: explanation.predictions[0]?.label,
    cacheStatus,
    pictures: pictures.map((bytes) => [...bytes.slice(1, 4)]),
    refusal: refusal instanceof ProblemError ? refusal.code : null,
    headers: ['Request-Id', 'RateLimit', 'RateLimit-Policy'].map((name) => limits.headers.get(name)),
  };
};
