/** Puts the runbook into the Automation account: a template could only name an address from which it is taken. */
import { type Azure, must } from './azure.ts';
import { textAt } from './json.ts';

const apiVersion = '2024-10-23';

/** Publishes `script` as the runbook `rotate_secret`, and says whose identity it runs as. May be called again. */
export async function publishRunbook({ manager }: Azure, accountId: string, script: string): Promise<string> {
  const runbook = `${accountId}/runbooks/rotate_secret`;
  const version = `api-version=${apiVersion}`;
  const content = {
    method: 'PUT',
    path: `${runbook}/draft/content?${version}`,
    body: script,
    contentType: 'text/powershell',
  } as const;
  await must(manager, content, 200, 201, 202);
  await must(manager, { method: 'POST', path: `${runbook}/publish?${version}` }, 200, 201, 202);
  const account = await must(manager, { method: 'GET', path: `${accountId}?${version}` }, 200);
  return textAt(account.body, 'identity', 'principalId');
}
