/** Who the caller is, so that a page offers what the caller may do. What is allowed is decided with each request, by the same roles. */
import * as z from 'zod';
import { approvalKinds } from '../../contract/approvals.ts';
import { ok } from '../answer.ts';
import { rolesOf } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields } from '../fields.ts';
import { type Route, route } from '../route.ts';

const me = z.object({
  id: z.string(),
  name: z.string(),
  how: z.enum(['key', 'token', 'platform']),
  person: z.boolean().describe('Only a person can approve.'),
  roles: z.array(z.string()).describe('Each with its bounds: `operator`, or `operator@prod-kv/orders-*`.'),
  approvals: z.array(z.enum(approvalKinds)).describe('What waits for a second person.'),
});

export function meRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'getCaller',
        method: 'GET',
        path: '/me',
        needs: 'reader',
        covers: 'each',
        summary: 'Who the caller is, and with which roles',
        answers: { 200: { description: 'The caller, as it was proven.', schema: me } },
        params: fields({}),
        query: fields({}),
      },
      async ({ caller }) => {
        const { id, name, how, person } = caller;
        return ok({ id, name, how, person, roles: rolesOf(caller), approvals: deps.fourEyes.kinds });
      },
    ),
  ];
}
