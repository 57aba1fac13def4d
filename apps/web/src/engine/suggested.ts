import type { MethodFacts } from '@whylight/web';

/** As many as are compared at a glance. */
const count = 6;

/** What fills up the row: each looks at the network in another way than those before. */
const fillers = ['lrp', 'saliency', 'hi-res-cam', 'input-x-gradient', 'rise', 'lime'];

/** The methods that are shown first: those that suit the network, then others that work on it. */
export function suggestedMethods(
  recommended: readonly string[],
  methods: readonly Pick<MethodFacts, 'id' | 'works'>[],
): string[] {
  const working = methods.filter(({ works }) => works).map(({ id }) => id);
  const wanted = [...recommended, ...fillers, ...working].filter((id) => working.includes(id));
  return [...new Set(wanted)].slice(0, count);
}
