import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type SelfIssuedTags, selfIssuedTags } from './tags.ts';

/** Signing keys, webhook secrets, random tokens: secrets that nobody issues and no target checks. */
export const selfIssued: RotatorEntry<SelfIssuedTags> = {
  name: 'self-issued',
  strategies: ['self-issued'],
  options: selfIssuedTags,
  hostless: true,
  load: async () => (await import('./rotator.ts')).selfIssuedRotator,
};
