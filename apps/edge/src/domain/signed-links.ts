import type { ArtifactLink, Explanation } from '@whylight/contract';

/** Seconds for which a signed URL is good. */
export const urlLifetime = 300;

/** Half of that: nobody is told that an answer is unchanged whose URLs are older. */
const longestAge = (urlLifetime * 1000) / 2;

/**
 * The part of an ETag that changes while nothing but the age of the signed URLs does, counted from the end of the computation.
 * Two answers have the same number only if less than half the lifetime of a URL lies between them, so the URLs of the first are
 * still good for the other half. Empty without artifacts.
 */
export const ageOfUrls = ({ attributions, completed_at }: Explanation, now: number): string =>
  attributions.length === 0 ? '' : String(Math.floor((now - Date.parse(completed_at ?? '')) / longestAge));

const withoutSignedUrl = ({ signed_url: _, expires_at: __, ...link }: ArtifactLink): ArtifactLink => link;

/** Takes the signed URLs out of an answer that is stored: they would have expired when it is sent again. */
export function withoutSignedUrls(text: string): string {
  const answer = JSON.parse(text) as Explanation | { readonly object?: string };
  if (answer.object !== 'explanation') return text;
  const explanation = answer as Explanation;
  return JSON.stringify({
    ...explanation,
    attributions: explanation.attributions.map((attribution) => ({
      ...attribution,
      artifacts: mapLinks(attribution.artifacts, withoutSignedUrl),
    })),
  });
}

const mapLinks = <K extends string>(
  links: Readonly<Record<K, ArtifactLink>>,
  change: (link: ArtifactLink) => ArtifactLink,
): Record<K, ArtifactLink> =>
  Object.fromEntries(Object.entries<ArtifactLink>(links).map(([key, link]) => [key, change(link)])) as Record<
    K,
    ArtifactLink
  >;
