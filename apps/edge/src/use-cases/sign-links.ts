import type { Artifact, ArtifactLink, Explanation } from '@whylight/contract';
import { expiredFor } from '../domain/explanation.ts';
import type { Services } from '../services.ts';
import { present, type ReadExplanation, readExplanation } from './read-explanation.ts';

type Links<K extends string> = Readonly<Record<K, ArtifactLink>>;

/** Adds to each link a signed URL that is made now. A link whose file is not among `artifacts` stays without one. */
export async function signLinks<K extends string>(
  { objects }: Services,
  links: Links<K>,
  artifacts: readonly Artifact[],
): Promise<Record<K, ArtifactLink>> {
  const signed = Object.entries<ArtifactLink>(links).map(async ([key, link]) => {
    const artifact = artifacts.find(({ name }) => name === link.name);
    return [key, artifact ? { ...link, ...(await objects.signedGet(artifact)) } : link];
  });
  return Object.fromEntries(await Promise.all(signed)) as Record<K, ArtifactLink>;
}

/** The explanation in its present state, with signed URLs, as answers show it. */
export const presentSigned = (services: Services, read: ReadExplanation): Promise<Explanation> =>
  signExplanation(services, present(read), read);

export async function signExplanation(
  services: Services,
  explanation: Explanation,
  { row, run }: ReadExplanation,
): Promise<Explanation> {
  const { artifacts } = expiredFor(row, run, Date.now());
  const attributions = explanation.attributions.map(async (attribution) => ({
    ...attribution,
    artifacts: await signLinks(services, attribution.artifacts, artifacts),
  }));
  return { ...explanation, attributions: await Promise.all(attributions) };
}

/**
 * Adds signed URLs to an answer that was stored without them. An explanation that has been deleted since, or whose result has,
 * gets none.
 */
export async function signStored(services: Services, tenant: string, text: string): Promise<string> {
  const answer = JSON.parse(text) as Explanation | { readonly object?: string };
  if (answer.object !== 'explanation') return text;
  const explanation = answer as Explanation;
  const row =
    explanation.attributions.length > 0 && (await services.explanations.find(tenant, explanation.id));
  if (!row) return text;
  return JSON.stringify(
    await signExplanation(services, explanation, await readExplanation(services, row, 0)),
  );
}
