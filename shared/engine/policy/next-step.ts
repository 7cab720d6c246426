/** What a person does next where a request changed nothing: no answer leaves somebody alone at night with "not now". */
import type { SkipReason } from './due.ts';

/** An order to follow, or that there is nothing to do. `secret`: as it is typed after a command. Pure. */
export function nextStepOf(reason: SkipReason, secret: string): string {
  switch (reason) {
    case 'overlap-running':
      return `Wait until then, or run "keyturn retire ${secret}" to end the old credential now; if it leaked, run "keyturn emergency ${secret}".`;
    case 'not-due':
      return `Nothing to do. To rotate it now, run "keyturn rotate ${secret}".`;
    case 'outside-window':
      return `Nothing to do: it starts by itself then. To rotate it now, run "keyturn rotate ${secret}".`;
    case 'already-rotated':
      return `Nothing to do: look at "keyturn show ${secret}".`;
    case 'superseded':
      return `Look at "keyturn history ${secret}" for who made the newer version, and ask again if it is still needed.`;
    case 'busy':
      return `Nothing to do: another worker is at it. Look at "keyturn show ${secret}" in a minute.`;
    case 'opted-out':
      return `Set the tag "rotator" on it; if its newest version lost the tags, run "keyturn adopt ${secret}".`;
    case 'frozen':
      return `Run "keyturn unfreeze" to start everything again, or "keyturn rotate ${secret}" for this one alone.`;
    case 'paused':
      return `Run "keyturn resume ${secret}" to end the pause, or "keyturn rotate ${secret}" for once.`;
    case 'nothing-to-retire':
    case 'already-retired':
      return `Nothing to do: no old credential of ${secret} is alive.`;
    case 'copy':
      return `Rotate its source instead; "keyturn show ${secret}" names it.`;
  }
}
