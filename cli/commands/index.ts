/** All commands, in the order in which help lists them. */
import type { Command } from '../command.ts';
import { completionCommand } from '../completion.ts';
import { apply } from './apply.ts';
import { approvals, approve } from './approvals.ts';
import { config } from './config.ts';
import { discover } from './discover.ts';
import { doctor } from './doctor.ts';
import { ack, retire } from './end.ts';
import { list } from './list.ts';
import { onboard } from './onboard.ts';
import { history, rotation } from './past.ts';
import { pause, resume } from './pause.ts';
import { plan } from './plan.ts';
import { rehearse } from './rehearse.ts';
import { release } from './release.ts';
import { adopt, repair } from './repair.ts';
import { emergency, rollback } from './revert.ts';
import { rotate } from './rotate.ts';
import { selftest } from './selftest.ts';
import { show } from './show.ts';
import { freeze, health, unfreeze } from './switch.ts';
import { value } from './value.ts';

const work: readonly Command[] = [
  ...[discover, list, show, plan, doctor, health, history, rotation],
  ...[
    rotate,
    emergency,
    rollback,
    repair,
    adopt,
    onboard,
    rehearse,
    apply,
    retire,
    release,
    pause,
    resume,
    freeze,
    unfreeze,
    approvals,
    approve,
    ack,
    selftest,
    value,
    config,
  ],
];

export const commands: readonly Command[] = [...work, completionCommand(work)];
