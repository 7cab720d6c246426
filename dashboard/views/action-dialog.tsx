import { useRef, useState } from 'preact/hooks';
import { type ActionName, actions } from '../model/actions.ts';
import type { Secret } from '../model/shapes.ts';
import { absolute } from '../model/time.ts';
import type { Problem } from '../state/client.ts';
import { useTools } from '../state/context.ts';
import { type Done, sendAction } from '../state/send-action.ts';
import { mayDo } from '../state/session.ts';
import { Dialog } from './dialog.tsx';
import { Buttons, isChecked, ReasonField, textIn } from './form.tsx';
import { ProblemNote } from './parts.tsx';
import { Progress } from './progress.tsx';

interface Props {
  readonly name: ActionName;
  readonly secret: Secret;
  readonly changed: () => void;
  readonly onClose: () => void;
}

/** Asks why, and for the name of the secret where it hurts; then says what became of it. */
export function ActionDialog({ name, secret, changed, onClose }: Props) {
  const { client } = useTools();
  const { label, does, danger } = actions[name];
  const [done, setDone] = useState<Done>();
  const [problem, setProblem] = useState<Problem>();
  const [sending, setSending] = useState(false);
  const [typed, setTyped] = useState('');
  const [force, setForce] = useState(false);
  const key = useIdempotencyKey();
  const typesName = name === 'emergency' || force;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const body = bodyOf(name, event);
    setSending(true);
    setProblem(undefined);
    const answer = await sendAction(client, name, secret, body, key(body));
    setSending(false);
    if (answer.kind === 'problem') setProblem(answer);
    else if (answer.kind === 'done') setDone(answer);
    changed();
  };
  const title = `${label.replace(/ now$/, '')}: ${secret.secret}`;
  if (done !== undefined)
    return (
      <Dialog onClose={onClose} title={title}>
        {done.rotationId === undefined ? <p role="status">{done.says}</p> : <Progress rotationId={done.rotationId} />}
        <div class="buttons">
          <button class="first" onClick={onClose} type="button">
            Close
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{does}</p>
        {name === 'rollback' && <VersionField secret={secret} />}
        {name === 'pause' && <UntilField />}
        {name === 'retire' && <ForceField change={setForce} />}
        <ReasonField />
        {typesName && <NameField change={setTyped} name={secret.secret} />}
        {problem !== undefined && <ProblemNote problem={problem} />}
        <Buttons
          danger={danger}
          disabled={typesName && typed !== secret.secret}
          label={label}
          onCancel={onClose}
          sending={sending}
        />
      </form>
    </Dialog>
  );
}

/** What is sent again after no answer came is the same request; what was changed is another one. */
function useIdempotencyKey(): (body: unknown) => string {
  const last = useRef({ text: '', key: '' });
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current.text !== text) last.current = { text, key: crypto.randomUUID() };
    return last.current.key;
  };
}

function bodyOf(name: ActionName, event: Event): Readonly<Record<string, unknown>> {
  const reason = textIn(event, 'reason');
  switch (name) {
    case 'rollback':
      return { reason, to: textIn(event, 'to') };
    case 'pause': {
      const until = textIn(event, 'until');
      return until === '' ? { reason } : { reason, until };
    }
    case 'retire':
      return isChecked(event, 'force') ? { reason, force: true } : { reason };
    case 'rotate':
    case 'repair':
    case 'resume':
    case 'emergency':
      return { reason };
  }
}

function VersionField({ secret }: { readonly secret: Secret }) {
  const earlier = secret.versions.filter(({ current }) => !current);
  return (
    <label class="field">
      <span>Back to the version of</span>
      <select name="to" required>
        {earlier.map(({ version, createdAt, enabled }) => (
          <option key={version} value={version}>
            {absolute(createdAt)} · {version.slice(0, 8)}
            {enabled ? '' : ' (disabled)'}
          </option>
        ))}
      </select>
    </label>
  );
}

function UntilField() {
  return (
    <label class="field">
      <span>For how long</span>
      <select name="until">
        <option value="PT4H">4 hours</option>
        <option value="P1D">1 day</option>
        <option value="P3D">3 days</option>
        <option value="P7D">7 days</option>
        <option value="">Until somebody resumes it</option>
      </select>
    </label>
  );
}

function ForceField({ change }: { readonly change: (force: boolean) => void }) {
  const { me } = useTools();
  const allowed = mayDo(me, 'emergency');
  return (
    <label class="check">
      <input
        disabled={!allowed}
        name="force"
        onChange={({ currentTarget }) => change(currentTarget.checked)}
        type="checkbox"
      />
      <span>Cut whoever still uses it{allowed ? '' : ' (needs the role emergency)'}</span>
    </label>
  );
}

function NameField({ name, change }: { readonly name: string; readonly change: (typed: string) => void }) {
  return (
    <label class="field">
      <span>
        Type <code>{name}</code> to confirm
      </span>
      <input
        autocomplete="off"
        name="typed"
        onInput={({ currentTarget }) => change(currentTarget.value)}
        required
        spellcheck={false}
      />
    </label>
  );
}
