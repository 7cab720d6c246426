import { useState } from 'preact/hooks';
import { type Freeze, freeze as freezeShape } from '../model/shapes.ts';
import type { Problem } from '../state/client.ts';
import { useTools } from '../state/context.ts';
import { Dialog } from './dialog.tsx';
import { Buttons, ReasonField, textIn } from './form.tsx';
import { ProblemNote } from './parts.tsx';

export function FreezeDialog({ freeze, onClose }: { readonly freeze: Freeze; readonly onClose: () => void }) {
  const { client, watch } = useTools();
  const [problem, setProblem] = useState<Problem>();
  const [sending, setSending] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setSending(true);
    const body = { frozen: !freeze.frozen, reason: textIn(event, 'reason') };
    const answer = await client.ask('/freeze', freezeShape, { method: 'PUT', body });
    setSending(false);
    if (answer.kind === 'problem') setProblem(answer);
    if (answer.kind !== 'ok') return;
    watch.look();
    onClose();
  };
  return (
    <Dialog
      onClose={onClose}
      title={freeze.frozen ? 'Unfreeze: let rotations go on' : 'Freeze all automatic rotations'}
    >
      <form onSubmit={(event) => void submit(event)}>
        <p>
          {freeze.frozen
            ? 'What is due starts with the next sweep.'
            : 'Nothing rotates by itself until somebody unfreezes. What a person asks for is still done, and old credentials still end at their deadline.'}
        </p>
        <ReasonField />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <Buttons label={freeze.frozen ? 'Unfreeze' : 'Freeze all'} onCancel={onClose} sending={sending} />
      </form>
    </Dialog>
  );
}
