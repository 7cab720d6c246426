import { rotation as rotationShape } from '../model/shapes.ts';
import { absolute, sentence } from '../model/time.ts';
import { useWatched } from '../state/watched.ts';
import { ProblemNote } from './parts.tsx';
import { Steps } from './steps.tsx';

const paceMs = 1_500;

const words: Readonly<Record<string, string>> = {
  'awaiting-approval': 'It waits for a second person. Nothing is done until they approve it.',
  queued: 'In the queue …',
  running: 'A worker is at it …',
  retrying: 'It failed in a way that passes, and is tried again.',
  rotated: 'Done: the new version is current and proven.',
  skipped: 'Left as it is.',
  failed: 'It failed.',
};

/** One rotation, step by step, until it is over. */
export function Progress({ rotationId }: { readonly rotationId: string }) {
  const { value, problem } = useWatched(`/rotations/${rotationId}`, rotationShape, paceMs);
  if (value === undefined)
    return problem === undefined ? <p role="status">Asked for …</p> : <ProblemNote problem={problem} />;
  const { state, detail, failure, nextTryAt, warnings, approval } = value;
  const [newest] = value.attempts;
  return (
    <div>
      <p aria-live="polite" class={state === 'failed' ? 'bad-text' : ''}>
        <strong>{words[state] ?? state}</strong> {detail !== undefined && sentence(detail)}
      </p>
      {approval !== undefined && <p>It waits until {absolute(approval.expiresAt)}.</p>}
      {failure !== undefined && (
        <div class="notice bad">
          {failure.message}
          <p>{failure.hint}</p>
        </div>
      )}
      {nextTryAt !== undefined && <p>Next try: {absolute(nextTryAt)}.</p>}
      {warnings.map((warning) => (
        <p class="notice warn" key={warning}>
          {warning}
        </p>
      ))}
      {newest !== undefined && <Steps steps={newest.steps} />}
    </div>
  );
}
