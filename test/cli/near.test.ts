/** Who mistypes a command or an option is told which one was probably meant. */
import { describe, expect, it } from 'vitest';
import { nearest } from '../../cli/near.ts';
import { keyturn } from './harness.ts';

describe('the word that was meant', () => {
  it.each([
    ['roate', 'rotate'],
    ['rotaet', 'rotate'],
    ['hist', 'history'],
    ['rotat', 'rotate'],
    ['LIST', 'list'],
    ['xyz', undefined],
    ['', undefined],
  ])('%s: %s', (typed, meant) => {
    expect(nearest(typed, ['list', 'show', 'rotation', 'rotate', 'rollback', 'history'])).toBe(meant);
  });
});

describe('the command line', () => {
  it.each([
    [['roate', 'orders-db'], 'Did you mean "keyturn rotate"?'],
    [['emergancy', 'orders-db'], 'Did you mean "keyturn emergency"?'],
    [['list', '--rotater', 'postgres'], 'Did you mean "--rotator"?'],
    [['rotate', 'orders-db', '--reson', 'x'], 'Did you mean "--reason"?'],
  ])('%j is refused with the word that was meant', async (words, said) => {
    const outcome = await keyturn(words);
    expect(outcome).toMatchObject({ exit: 2, out: '' });
    expect(outcome.err).toContain(said);
  });

  it('nothing is proposed where nothing is near', async () => {
    const outcome = await keyturn(['list', '--quickly']);
    expect(outcome).toMatchObject({ exit: 2 });
    expect(outcome.err).not.toContain('Did you mean');
  });
});
