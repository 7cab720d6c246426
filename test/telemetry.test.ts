import { describe, expect, it } from 'vitest';
import { logTo } from '../shared/telemetry.ts';

describe('the log', () => {
  it('writes one line of JSON a call at the level of the call, the event first', () => {
    const lines: unknown[][] = [];
    const to =
      (level: string) =>
      (...text: unknown[]) =>
        void lines.push([level, ...text]);
    const log = logTo({ info: to('info'), warn: to('warn'), error: to('error') });
    log.info('rotation.finished', { secret: 'orders\ndb', ms: 12, forced: false, from: undefined });
    log.warn('queue.slow');
    log.error('rotation.poisoned', { code: 'admin-refused' });
    expect(lines).toEqual([
      ['info', '{"event":"rotation.finished","secret":"orders\\ndb","ms":12,"forced":false}'],
      ['warn', '{"event":"queue.slow"}'],
      ['error', '{"event":"rotation.poisoned","code":"admin-refused"}'],
    ]);
  });
});
