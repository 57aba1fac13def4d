import { readManifests } from '../../infra/kubernetes/manifests.ts';

/** What a ScaledObject with one metrics-api trigger of type AverageValue says, with times as numbers of polls. */
export interface ScalingRule {
  readonly target: number;
  readonly activation: number;
  readonly least: number;
  readonly most: number;
  /** Polls without activity after which the last replicas end. */
  readonly cooldown: number;
  /** Polls in a row that may fail before `fallback` replicas are kept. */
  readonly mostFailures: number;
  readonly fallback: number;
}

/** Seconds for which Kubernetes' autoscaler keeps the highest of its recommendations before it removes replicas. */
const stabilisation = 300;
/** Kubernetes' autoscaler changes nothing if the metric is this close to its target. */
const tolerance = 0.1;

/** The rule that is deployed: infra/kubernetes/components/gateway/scaled-object.yaml. */
export function deployedRule(): ScalingRule & { readonly stabilisation: number } {
  const { spec } = readManifests().find(({ kind }) => kind === 'ScaledObject')!;
  const [{ metadata }] = spec.triggers;
  return {
    target: Number(metadata.targetValue),
    activation: Number(metadata.activationTargetValue),
    least: spec.minReplicaCount,
    most: spec.maxReplicaCount,
    cooldown: spec.cooldownPeriod / spec.pollingInterval,
    mostFailures: spec.fallback.failureThreshold,
    fallback: spec.fallback.replicas,
    stabilisation: stabilisation / spec.pollingInterval,
  };
}

/**
 * Decides how many replicas there should be as KEDA and Kubernetes' autoscaler do together. KEDA takes the workload from zero to
 * one when the metric exceeds the activation value, and back after the cooldown. Between one and the most, the autoscaler wants
 * ⌈metric / target⌉: more at once, fewer once no recommendation of the stabilisation window was higher.
 */
export class Keda {
  readonly #rule: ReturnType<typeof deployedRule>;
  #replicas: number;
  #idle = 0;
  #failures = 0;
  #recommended: readonly number[] = [];

  constructor(rule: ReturnType<typeof deployedRule>) {
    this.#rule = rule;
    this.#replicas = rule.least;
  }

  /** One poll. `metric` is null if the gateway could not be asked. @returns how many replicas there should be */
  poll(metric: number | null): number {
    this.#failures = metric === null ? this.#failures + 1 : 0;
    if (metric !== null) this.#replicas = this.#decide(metric);
    else if (this.#failures >= this.#rule.mostFailures) this.#replicas = this.#rule.fallback;
    return this.#replicas;
  }

  #decide(metric: number): number {
    const { activation, least, most, target, cooldown } = this.#rule;
    const isActive = metric > activation;
    this.#idle = isActive ? 0 : this.#idle + 1;
    if (this.#replicas === 0) return isActive ? Math.max(1, least) : 0;
    if (!isActive && this.#idle >= cooldown) {
      this.#recommended = [];
      return least;
    }
    const isNear = Math.abs(metric / (target * this.#replicas) - 1) <= tolerance;
    const wanted = isNear ? this.#replicas : Math.ceil(metric / target);
    const recommended = Math.min(most, Math.max(1, least, wanted));
    this.#recommended = [...this.#recommended, recommended].slice(-this.#rule.stabilisation);
    return Math.max(recommended, Math.min(this.#replicas, Math.max(...this.#recommended)));
  }
}
