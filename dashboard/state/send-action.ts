import { type ActionName, actions } from '../model/actions.ts';
import { apiPathOf } from '../model/place.ts';
import { paused, resumed, retired, rotation } from '../model/shapes.ts';
import { absolute } from '../model/time.ts';
import type { Client, Problem } from './client.ts';

/** What became of it: a rotation to follow, or a sentence. */
export interface Done {
  readonly kind: 'done';
  readonly rotationId?: string;
  readonly says: string;
}

interface Place {
  readonly vault: string;
  readonly secret: string;
}

/** Asks for it. Sent again with the same key it is asked for once. */
export async function sendAction(
  client: Client,
  name: ActionName,
  place: Place,
  body: unknown,
  idempotencyKey: string,
): Promise<Done | Problem | { readonly kind: 'signed-out' }> {
  const path = `${apiPathOf(place)}/${name}`;
  const asked = { method: 'POST', body } as const;
  switch (name) {
    case 'rotate':
    case 'repair':
    case 'rollback':
    case 'emergency': {
      const answer = await client.ask(path, rotation, { ...asked, idempotencyKey });
      if (answer.kind !== 'ok') return notOk(answer);
      return { kind: 'done', rotationId: answer.value.rotationId, says: '' };
    }
    case 'retire': {
      const answer = await client.ask(path, retired, asked);
      return answer.kind === 'ok' ? { kind: 'done', says: retiredText(answer.value) } : notOk(answer);
    }
    case 'pause': {
      const answer = await client.ask(path, paused, asked);
      if (answer.kind !== 'ok') return notOk(answer);
      const { pausedUntil } = answer.value;
      const until = pausedUntil === undefined ? 'until somebody resumes it' : `until ${absolute(pausedUntil)}`;
      return { kind: 'done', says: `Paused ${until}.` };
    }
    case 'resume': {
      const answer = await client.ask(path, resumed, asked);
      if (answer.kind !== 'ok') return notOk(answer);
      const { failuresBefore } = answer.value;
      return {
        kind: 'done',
        says: `Resumed. ${failuresBefore} failures are forgotten, and it is looked at again now.`,
      };
    }
  }
}

function notOk(
  answer: { readonly kind: 'unchanged' } | { readonly kind: 'signed-out' } | Problem,
): Problem | { readonly kind: 'signed-out' } {
  if (answer.kind === 'problem') return answer;
  return { kind: 'signed-out' };
}

function retiredText({ state, sessions, consumers, logins, retireBy }: ReturnType<typeof retired.parse>): string {
  const inTheWay = [...sessions, ...consumers].join(', ');
  switch (state) {
    case 'retired':
      return `The old credential${logins.length === 0 ? '' : ` (${logins.join(', ')})`} is dead and proven refused.`;
    case 'waiting':
      return `Nothing was changed: still on it: ${inTheWay || 'somebody'}. It ends by ${absolute(retireBy ?? '')} at the latest.`;
    case 'awaiting-approval':
      return `It waits for a second person: "${actions.retire.label}" is done when they approve it.`;
  }
}
