/** What is for bad days: emergency and rollback. */
import { askAndFollow } from '../asked.ts';
import type { Command } from '../command.ts';
import { secretNamed, secretsNamed } from '../names.ts';
import { breakGlass, breakGlassOption, reasonOption, waitOptions } from '../options.ts';
import { reasonFor } from '../reason.ts';

export const emergency: Command = {
  name: 'emergency',
  summary: 'a secret has leaked: rotate now, revoke the old credential at once, end its sessions',
  takes: 'NAME…',
  count: [1, 100],
  options: { ...breakGlassOption, ...reasonOption, ...waitOptions },
  about:
    'There is no overlap: consumers that hold the old credential fail until they read the new one. Needs the role emergency.',
  examples: ['keyturn emergency orders-db --reason "posted in a ticket"'],
  role: 'emergency',
  async run(context) {
    const named = await secretsNamed(context.api, context.given.args, context.vault);
    const reason = await reasonFor(context);
    return askAndFollow(
      context,
      named.map((one) => ({ named: one, action: 'emergency', body: { reason, ...breakGlass(context.given) } })),
    );
  },
};

export const rollback: Command = {
  name: 'rollback',
  summary: 'make the version before, or another earlier one, current again',
  takes: 'NAME',
  count: [1, 1],
  options: {
    to: { type: 'string', value: 'VERSION', help: 'this version; "keyturn show NAME" lists them' },
    force: { type: 'boolean', help: 'also to a credential that was revoked in an emergency. Needs the role emergency' },
    ...breakGlassOption,
    ...reasonOption,
    ...waitOptions,
  },
  about: 'Its credential is proven by a login first, or made to work again where the target allows that.',
  examples: ['keyturn rollback orders-db --reason "the new login lacks a schema"'],
  role: 'operator',
  roleFor: (given) => (given.flag('force') ? 'emergency' : 'operator'),
  async run(context) {
    const named = await secretNamed(context.api, context.given.args, context.vault);
    const reason = await reasonFor(context);
    const to = context.given.text('to');
    const force = context.given.flag('force') ? { force: true } : {};
    const body = { reason, ...(to === undefined ? {} : { to }), ...force, ...breakGlass(context.given) };
    return askAndFollow(context, [{ named, action: 'rollback', body }]);
  },
};
