import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type ManualTags, manualTags } from './tags.ts';

/** Secrets that only a person can replace: Keyturn watches their expiry and reminds whoever owns them. */
export const manual: RotatorEntry<ManualTags> = {
  name: 'manual',
  // The value is never read as anything: there is no target that Keyturn knows of.
  strategies: ['self-issued'],
  options: manualTags,
  hostless: true,
  manual: ({ owner, link }) => ({
    ...(owner === undefined ? {} : { owner }),
    ...(link === undefined ? {} : { link }),
  }),
  load: async () => {
    const { manualRotator } = await import('./rotator.ts');
    return manualRotator;
  },
};
