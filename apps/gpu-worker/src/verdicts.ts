import type { ModelFacts, ModelReport } from '@whylight/contract';

type Verdict = ModelReport['methods'][number];

/** Verdicts as the gateway keeps them: what does not work is refused, what was not run may be asked for. */
export const factsOf = (methods: readonly Verdict[]): Pick<ModelFacts, 'methods' | 'not_run'> => ({
  methods: Object.fromEntries(
    methods.map(({ id, works, reason }) => [id, works === false ? (reason ?? '') : null]),
  ),
  not_run: Object.fromEntries(
    methods.flatMap(({ id, works, reason }) => (works === null ? [[id, reason ?? '']] : [])),
  ),
});
