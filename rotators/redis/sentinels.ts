/**
 * Sentinels that log in to the nodes as the user whose password changes. They keep its password among their own settings (`sentinel
 * auth-pass`) and lose the nodes at the next reconnect after it is gone; then there is no failover any more, and nothing says so.
 */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Fault, fault } from './fault.ts';
import { eachAtMost, type Fleet, type Node } from './fleet.ts';

/** Ids of the Sentinels that log in as the user, as far as the nodes show it. */
function watchersAs(fleet: Fleet, user: string): ReadonlySet<string> {
  return new Set(
    fleet.nodes().flatMap(({ state }) => {
      const watchers = state?.watchers.kind === 'watchers' ? state.watchers.watchers : [];
      return watchers.filter((watcher) => watcher.user === user).map((watcher) => watcher.id);
    }),
  );
}

/** Why the password must not be changed: a Sentinel uses it that cannot be told. Looks before anything is touched. */
export async function objectionToWatchers(fleet: Fleet, user: string): Promise<Fault | undefined> {
  const watchers = watchersAs(fleet, user);
  if (watchers.size === 0) return undefined;
  const joined = await fleet.joinSentinels();
  if (joined !== undefined) return joined;
  const known = fleet.sentinels().map(idOf);
  const unknown = [...watchers].filter((id) => !known.some((one) => one.startsWith(id)));
  if (unknown.length === 0) return undefined;
  const nodes = fleet
    .nodes()
    .map((node) => node.name)
    .join(', ');
  const who = `Sentinels (${unknown.join(', ')}) log in to it as ${user}`;
  // A Sentinel that has just started is not known to its peers for some seconds.
  if (known.length > 0)
    return fault('busy', nodes, `${who} that the others do not know, so they cannot be told the new password`);
  const detail = `${who}, and the admin connection leads to none of them, so they cannot be told the new password. Name the Sentinels in the admin connection, or give them a login of their own (sentinel auth-user, sentinel auth-pass)`;
  return fault('rejected', nodes, detail);
}

function idOf({ view }: Node): string {
  return view.watches?.id ?? '';
}

/**
 * Tells every Sentinel the password that stays. It drops its connections and logs in again, and writes its configuration file itself; one
 * that cannot write it says so. Nothing is sent where no Sentinel uses the user.
 */
export async function tellSentinels(fleet: Fleet, user: string, password: SecretText): Promise<Fault | undefined> {
  if (watchersAs(fleet, user).size === 0) return undefined;
  const answers = await eachAtMost(fleet.sentinels(), ({ connection, view }) =>
    connection.call('SENTINEL', 'SET', view.watches?.primary ?? '', 'auth-pass', password.reveal()),
  );
  return answers.find((answer) => answer.kind === 'fault');
}
