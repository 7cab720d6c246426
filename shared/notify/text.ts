/** The news as people get it: one line what, one line next step, written to be read at three in the morning. */
import type { Notice } from '../contract/notice.ts';

export interface Words {
  /** Whether somebody has to do something now. */
  readonly urgent: boolean;
  readonly what: string;
  readonly next: string;
  /** Facts to look things up by. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const longestLine = 1_000;

export function wordsOf(notice: Notice): Words {
  const { urgent, what, next } = sentences(notice);
  return { urgent, what: line(what), next: line(next), facts: factsOf(notice) };
}

function sentences(notice: Notice): Pick<Words, 'urgent' | 'what' | 'next'> {
  const { secret, vault, retireBy, holding = [], failure, nextTryAt } = notice;
  const name = `${secret} (${vault})`;
  const hint = failure?.hint ?? `Run "keyturn plan ${secret}".`;
  const again = nextTryAt === undefined ? '' : ` Keyturn tries again at ${when(nextTryAt)}.`;
  switch (notice.type) {
    case 'rotated':
      return rotatedSentences(notice, name);
    case 'retired':
      return retiredSentences(notice, name);
    case 'waiting':
      return {
        urgent: true,
        what: `The old credential of ${name} is still used by ${holding.join(', ') || 'somebody'}.`,
        next: `Make them read the vault again${retireBy === undefined ? '' : ` before ${when(retireBy)}: then they are cut`}.`,
      };
    case 'failed':
      return {
        urgent: true,
        what: `${failedWhat(notice, name)}${consumersSentence(notice)} ${failure?.message ?? ''}`,
        next: `${hint}${again}`,
      };
    case 'paused':
      return {
        urgent: true,
        what: `Automatic rotations of ${name} are paused after failures.${consumersSentence(notice)} ${failure?.message ?? ''}`,
        next: `${hint} Then run "keyturn resume ${secret}".${again}`,
      };
    case 'drifted':
      return {
        urgent: true,
        what: `${name}: what the vault holds does not log in any more. ${failure?.message ?? ''}`,
        next: hint,
      };
    case 'announced':
      return {
        urgent: false,
        what: `${name} will be rotated ${notice.dueAt === undefined ? 'soon' : `from ${when(notice.dueAt)} on`}.`,
        next: `Nothing to do. If it must not be rotated then, run "keyturn pause ${secret}".`,
      };
    case 'reminder':
      return reminderSentences(notice, name);
    case 'approval':
    case 'bypassed':
      return approvalSentences(notice, name);
  }
}

function retiredSentences({ holding }: Notice, name: string): Pick<Words, 'urgent' | 'what' | 'next'> {
  // The worker that ended it died before it could say.
  if (holding === undefined) {
    const what = `The old credential of ${name} is dead. Whether somebody was still on it is not known.`;
    return { urgent: false, what, next: 'If something fails now, restart it so that it reads the vault again.' };
  }
  return holding.length === 0
    ? { urgent: false, what: `The old credential of ${name} is dead; nobody was on it.`, next: 'Nothing to do.' }
    : {
        urgent: true,
        what: `The old credential of ${name} is dead, and was still used by ${holding.join(', ')}.`,
        next: 'If they fail now, restart them so that they read the vault again.',
      };
}

const wanted = {
  rotate: 'wants to have the admin replace the credential of',
  emergency: 'wants an emergency rotation of',
  rollback: 'wants to go back to a credential that was revoked of',
  repair: 'wants to repair',
  retire: 'wants to end the old credential, and its sessions, of',
  rotations: 'wants to rotate',
} as const;

function approvalSentences({ type, approval }: Notice, name: string) {
  const { id = '', action = 'rotate', by = 'Somebody', reason = '', count, expiresAt, link } = approval ?? {};
  const what = `${by} ${wanted[action]} ${count === undefined ? name : `${count} secrets, ${name} among them`}: ${reason}`;
  if (type === 'bypassed')
    return {
      urgent: true,
      what: `${what}. No second person approved it.`,
      next: 'Ask them why, and look at the history.',
    };
  const where = link === undefined ? '' : `, or open ${link}`;
  const until = expiresAt === undefined ? '' : ` before ${when(expiresAt)}`;
  return {
    urgent: true,
    what: `${what}.`,
    next: `If it is right, run "keyturn approve ${id}"${where}${until}. Nothing is done until then.`,
  };
}

function rotatedSentences({ login, retireBy, consumers = [], warnings = [] }: Notice, name: string) {
  const old =
    retireBy === undefined
      ? 'The old credential is dead already.'
      : `The old one works until ${when(retireBy)} at the latest.`;
  const wait = consumers.length === 0 ? '' : ` To acknowledge: ${consumers.join(', ')}.`;
  return {
    // A rotation that succeeded with a warning has left something for a person.
    urgent: warnings.length > 0,
    what: `${name} has a new version${login === undefined ? '' : ` for ${login}`}. ${old}`,
    next: `${warnings.length === 0 ? 'Nothing to do.' : warnings.join(' ')}${wait}`,
  };
}

/** Whether anybody is down, which is what whoever is woken asks first. */
function consumersSentence({ stillWorks, worksUntil, version }: Notice): string {
  switch (stillWorks) {
    case 'yes':
      if (version !== undefined) return ' Consumers: the new version works.';
      return ` Consumers: the published credential is unchanged${worksUntil === undefined ? '' : ` and works until ${when(worksUntil)} at the latest`}.`;
    case 'no':
      return ' Consumers: what they hold is refused now.';
    case 'unknown':
      return ' Consumers: they may be refused until it is finished, as the target may have the new password already.';
    case undefined:
      return '';
  }
}

function failedWhat({ activity = 'rotation', version }: Notice, name: string): string {
  switch (activity) {
    case 'rotation':
      return version === undefined
        ? `${name} was not rotated.`
        : `${name} has a new version, but what comes after it failed: half done.`;
    case 'retirement':
      return `The old credential of ${name} could not be ended and may still work.`;
    case 'check':
      return `The credential of ${name} could not be checked.`;
  }
}

function reminderSentences({ secret, expiresAt, owner, link, failure }: Notice, name: string) {
  const who = owner === undefined ? 'its owner' : owner;
  const where = link === undefined ? '' : ` at ${link}`;
  return {
    urgent: true,
    what: `${name} has to be replaced by hand${expiresAt === undefined ? '' : `; it expires ${when(expiresAt)}`}.`,
    next:
      failure?.hint ??
      `To do by ${who}: make a new credential${where} and store it with "az keyvault secret set --name ${secret} --tags …", with all tags that it has.`,
  };
}

function factsOf(notice: Notice): Words['facts'] {
  const { version, from, rotationId, failure, expiresAt, owner, dashboard } = notice;
  const facts: [string, string | undefined][] = [
    ['Version', version],
    ['Version before', from],
    ['Expires', expiresAt === undefined ? undefined : when(expiresAt)],
    ['Owner', owner],
    ['Code', failure?.code],
    ['Page', failure?.page],
    ['Rotation', rotationId],
    ['Dashboard', dashboard],
    ['At', when(notice.at)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, line(value)] as const]));
}

/** To the minute, in UTC: `2026-03-01 02:14 UTC`. */
function when(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

/** A target's words may hold line ends and signs that no person can see. */
function line(text: string): string {
  const flat = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return flat.length <= longestLine ? flat : `${flat.slice(0, longestLine - 1)}…`;
}
