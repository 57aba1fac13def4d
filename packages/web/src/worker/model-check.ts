import { type Classifier, inspectClassifier } from '@whylight/core';
import { countRuns, methods, paramsJsonSchema, resolveQuestion } from '@whylight/core/methods';
import type { MethodFacts, ModelCheck } from '../calls.ts';

/** Says what of a model can be explained, and what each method is. Nothing is run. */
export function checkOf(classifier: Classifier): ModelCheck {
  const report = inspectClassifier(classifier);
  const verdicts = new Map(report.methods.map((verdict) => [verdict.id, verdict]));
  return {
    methods: methods.map(({ id, title, summary, paper, kind, needs }): MethodFacts => {
      const question = resolveQuestion({ method: id });
      const { works = false, reason = null } = verdicts.get(id) ?? {};
      return {
        ...{ id, title, summary, paper, kind, needs, works, reason },
        runs: countRuns(question, classifier.inputShape),
        parameters: paramsJsonSchema(id),
      };
    }),
    recommended: report.recommended,
    layers: report.layers,
    notes: report.notes,
    opset: report.opset,
    inputShape: report.input_shape,
  };
}
