/** Self-issued secrets for the conformance suite: the target is whoever holds the value. */
import { selfIssued } from '../../../rotators/self-issued/entry.ts';
import { type SelfIssuedTags, selfIssuedTags } from '../../../rotators/self-issued/tags.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { Breakage, Features, RotatorHarness, Scene, Target } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';

const selfIssuedFeatures: Features = {
  sessions: 'none',
  admin: false,
  selfRotation: false,
  network: 'none',
  retirement: 'keeps',
};

async function startSelfIssuedTarget(): Promise<Target<SelfIssuedTags>> {
  return { scene: async () => scene(), close: async () => undefined };
}

function scene(): Scene<SelfIssuedTags> {
  const nowhere = { host: '', options: {} };
  return {
    current: { password: newPassword(), parts: { previous: newPassword() } },
    endpoint: nowhere,
    adminEndpoint: nowhere,
    admin: { kind: 'self' },
    options: selfIssuedTags.parse({ form: 'encoding=base64 prefix=whsec_' }),
    missing: { password: newPassword() },
    // A verifier takes every key that is not empty: it trusts the value it reads.
    login: async (credential) => !credential.password.isEmpty,
    snapshot: async () => 'nothing is kept anywhere',
  };
}

const selfIssuedBreakages: Readonly<Record<string, Breakage<SelfIssuedTags>>> = {
  'an empty value': async () => ({ current: { password: new SecretText('') } }),
};

export const selfIssuedHarness: RotatorHarness<SelfIssuedTags> = {
  entry: selfIssued,
  features: () => selfIssuedFeatures,
  hostileNames: [],
  breakages: () => selfIssuedBreakages,
  start: startSelfIssuedTarget,
};
