/** Sends each call to the provider that the tags name, with a step that holds that provider's own options. */
import type { Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { makeAzureRotator } from './azure/rotator.ts';
import { makeEntraAppRotator } from './entra-app/rotator.ts';
import { makeHttpRotator } from './http/rotator.ts';
import { type ApiKeyOptions, strategyOf } from './options.ts';
import { selfIssuedRotator } from './self-issued/rotator.ts';

/** One call of a rotator, whatever options it takes. */
type Call<Outcome> = <Options>(rotator: Rotator<Options>, step: Step<Options>) => Outcome;

/** One rotator for all kinds of API keys. Called once per process. */
export async function makeApiKeyRotator(environment: RotatorEnvironment): Promise<Rotator<ApiKeyOptions>> {
  const azure = makeAzureRotator(environment);
  const entraApp = makeEntraAppRotator(environment);
  const http = await makeHttpRotator(environment);

  function dispatch<Outcome>(step: Step<ApiKeyOptions>, call: Call<Outcome>): Outcome | Failure {
    const { options } = step;
    const possible = strategyOf[options.kind];
    if (step.strategy !== possible) {
      const detail = `provider "${nameOf(options)}" rotates by ${possible}, not by ${step.strategy}`;
      return failure('strategy-unsupported', { secret: step.secret, detail });
    }
    switch (options.kind) {
      case 'self-issued':
        return call(selfIssuedRotator, { ...step, options });
      case 'azure':
        return call(azure, { ...step, options });
      case 'entra-app':
        return call(entraApp, { ...step, options });
      case 'http':
        return call(http, { ...step, options });
    }
  }

  return {
    propose: (step, current) => dispatch(step, (rotator, own) => rotator.propose(own, current)),
    apply: async (step, candidate, live) => dispatch(step, (rotator, own) => rotator.apply(own, candidate, live)),
    verify: async (step, credential) => dispatch(step, (rotator, own) => rotator.verify(own, credential)),
    inUse: async (step, previous) => {
      const outcome = await dispatch(step, (rotator, own) => rotator.inUse(own, previous));
      return outcome.kind === 'failed' ? { kind: 'unknown', detail: outcome.message } : outcome;
    },
    retire: async (step, previous) => dispatch(step, (rotator, own) => rotator.retire(own, previous)),
    check: async (step) => {
      const outcome = await dispatch(step, (rotator, own) => rotator.check(own));
      if (!('kind' in outcome)) return outcome;
      return [{ name: 'strategy', state: 'failed', detail: outcome.message, fix: outcome.hint }];
    },
  };
}

function nameOf(options: ApiKeyOptions): string {
  return options.kind === 'http' ? options.provider : options.kind;
}
