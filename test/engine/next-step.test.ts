/** No request ends with "not now" and nothing else: each reason has a next step that can be typed. */
import { describe, expect, it } from 'vitest';
import { skipReasons } from '../../shared/engine/policy/due.ts';
import { nextStepOf } from '../../shared/engine/policy/next-step.ts';

describe('a request that changed nothing', () => {
  it.each(skipReasons)('because of "%s" is answered with a next step about this secret', (reason) => {
    const step = nextStepOf(reason, 'orders-db');
    expect(step).toMatch(/^[A-Z].*\.$/);
    expect(step).toContain('orders-db');
  });

  it('because the overlap runs is told how to end it, in peace and in an emergency', () => {
    const step = nextStepOf('overlap-running', 'orders-db');
    expect(step).toContain('"keyturn retire orders-db"');
    expect(step).toContain('"keyturn emergency orders-db"');
  });
});
