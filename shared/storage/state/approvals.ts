import * as z from 'zod';
import { roles } from '../../contract/access.ts';
import { type Approval, type Approvals, approvalActions } from '../../contract/approvals.ts';
import { isFailure } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import type { Fields, Records } from './records.ts';

const grant = z
  .object({ role: z.enum(roles), scope: z.object({ vaults: z.string(), secrets: z.string() }).optional() })
  .transform(({ role, scope }) => ({ role, ...(scope === undefined ? {} : { scope }) }));

const approval = z
  .object({
    id: z.string(),
    action: z.enum(approvalActions),
    ...{ vault: z.string(), secret: z.string(), body: z.string(), fingerprint: z.string() },
    count: z.number().optional(),
    reason: z.string(),
    requester: z.object({ id: z.string(), name: z.string(), grants: z.array(grant) }),
    ...{ at: z.coerce.date(), expiresAt: z.coerce.date() },
    state: z.enum(['waiting', 'approved', 'expired']),
    approver: z.object({ id: z.string(), name: z.string(), at: z.coerce.date() }).optional(),
  })
  .transform(
    ({ count, approver, ...rest }): Approval => ({
      ...rest,
      ...(count === undefined ? {} : { count }),
      ...(approver === undefined ? {} : { approver }),
    }),
  );

const row = z.object({ approval: z.string() });
const group = ['approval'];

function read(record: unknown): Approval | undefined {
  return record === undefined ? undefined : approval.parse(parseJson(row.parse(record).approval));
}

function write(one: Approval): Fields {
  return { approval: JSON.stringify(one) };
}

/** One record for each request. */
export function tableApprovals(records: Records): Approvals {
  return {
    async add(one) {
      const added = await records.add(group, [one.id], write(one));
      if (isFailure(added)) return added;
      if (added.kind === 'put') return { kind: 'waiting', approval: one };
      const got = await records.get(group, [one.id]);
      if (isFailure(got)) return got;
      return { kind: 'known', approval: read(got.fields) ?? one };
    },
    async get(id) {
      const got = await records.get(group, [id]);
      return isFailure(got) ? got : { kind: 'got', approval: read(got.fields) };
    },
    async *all() {
      for await (const record of records.all(group)) {
        if (isFailure(record)) {
          yield record;
          return;
        }
        const one = read(record.fields);
        if (one !== undefined) yield { kind: 'approval', approval: one };
      }
    },
    async forget(id) {
      const removed = await records.remove(group, [id]);
      return isFailure(removed) ? removed : { kind: 'forgotten' };
    },
    async decide(id, approver) {
      let before: Approval | undefined;
      let after: Approval | undefined;
      const changed = await records.change(group, [id], (record) => {
        before = read(record);
        after = before === undefined ? undefined : decided(before, approver);
        return after === undefined ? undefined : write(after);
      });
      if (isFailure(changed)) return changed;
      if (before === undefined || after === undefined) return { kind: 'unknown' };
      return { kind: 'decided', before: before === after, approval: after };
    },
  };
}

function decided(before: Approval, approver: Approval['approver']): Approval {
  if (before.state !== 'waiting') return before;
  return approver === undefined ? { ...before, state: 'expired' } : { ...before, state: 'approved', approver };
}
