/** What the readings of a server and of its databases have in common. */
import * as z from 'zod';
import type { PermissionRow } from './grants.ts';

/** An account that is read about; without a security id, one that does not exist yet. */
export interface Subject {
  readonly name: string;
  readonly sid?: Buffer;
}

const absentSid = Buffer.alloc(16, 0xff);

export function paramsOf(subjects: readonly Subject[]): Record<string, string | Buffer> {
  const [first, second = first] = subjects;
  return {
    name1: first?.name ?? '',
    name2: second?.name ?? '',
    sid1: first?.sid ?? absentSid,
    sid2: second?.sid ?? absentSid,
  };
}

export const permissionRow: z.ZodType<PermissionRow & { readonly grantee: number }> = z.object({
  grantee: z.number(),
  class: z.number(),
  classText: z.string(),
  majorId: z.number(),
  permission: z.string(),
  state: z.string(),
  name: z.string().nullable(),
  schemaName: z.string().nullable(),
  columnName: z.string().nullable(),
  principalType: z.string().nullable(),
});

export const membership = z.object({ member: z.number(), role: z.string(), roleId: z.number() });
type Membership = z.infer<typeof membership>;

/** Roles that a principal is in, those by way of others included. */
export function inherited(members: readonly Membership[], id: number): readonly string[] {
  const found = new Map<number, string>();
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { member, role, roleId } of members) {
      if (member !== next || found.has(roleId)) continue;
      found.set(roleId, role);
      open.push(roleId);
    }
  }
  return [...found.values()];
}

export const permissionColumns = `p.grantee_principal_id AS grantee, p.class AS class, p.class_desc AS classText, p.major_id AS majorId,
  p.permission_name AS permission, p.state AS state`;
