import type { ModelFacts, ModelReport } from '@whylight/contract';

type Verdict = ModelReport['methods'][number];

/** Verdicts as the gateway keeps them: it refuses methods that do not work; methods not run may be requested. */
export const factsOf = (methods: readonly Verdict[]): Pick<ModelFacts, 'methods' | 'not_run'> => ({
  methods: Object.fromEntries(
    methods.map(({ id, works, reason }) => [id, works === false ? (reason ?? '') : null]),
  ),
  not_run: Object.fromEntries(
    methods.flatMap(({ id, works, reason }) => (works === null ? [[id, reason ?? '']] : [])),
  ),
});
