/** Self-issued secrets for the conformance suite: the target is whoever holds the value. */
import type { ApiKeyOptions } from '../../../rotators/api-key/options.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { Breakage, Features, RotatorHarness, Scene, Target } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import { optionsOf } from './azure-scene.ts';

const selfIssuedFeatures: Features = {
  sessions: 'none',
  admin: false,
  selfRotation: false,
  network: 'none',
  retirement: 'keeps',
};

async function startSelfIssuedTarget(): Promise<Target<ApiKeyOptions>> {
  return { scene: async () => scene(), close: async () => undefined };
}

function scene(): Scene<ApiKeyOptions> {
  const nowhere = { host: '', options: {} };
  return {
    current: { password: newPassword(), parts: { previous: newPassword() } },
    endpoint: nowhere,
    adminEndpoint: nowhere,
    admin: { kind: 'self' },
    options: optionsOf({ provider: 'self-issued', encoding: 'base64', prefix: 'whsec_' }),
    missing: { password: newPassword() },
    // A verifier takes every key that is not empty: it trusts the value it reads.
    login: async (credential) => !credential.password.isEmpty,
    snapshot: async () => 'nothing is kept anywhere',
  };
}

const selfIssuedBreakages: Readonly<Record<string, Breakage<ApiKeyOptions>>> = {
  'an empty value': async () => ({ current: { password: new SecretText('') } }),
};

export const selfIssuedHarness: Omit<RotatorHarness<ApiKeyOptions>, 'entry'> = {
  features: () => selfIssuedFeatures,
  hostileNames: [],
  breakages: () => selfIssuedBreakages,
  start: startSelfIssuedTarget,
};
