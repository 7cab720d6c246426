import { useState } from 'preact/hooks';
import { type Attempt, rotation as rotationShape, type Secret } from '../model/shapes.ts';
import { absolute, sentence, spanText } from '../model/time.ts';
import { type Moment, timelineOf } from '../model/timeline.ts';
import type { Tone } from '../model/urgency.ts';
import type { Problem } from '../state/client.ts';
import { useWatched } from '../state/watched.ts';
import { Loading, ProblemNote, When } from './parts.tsx';
import { Steps } from './steps.tsx';

interface Props {
  readonly secret: Secret;
  /** Undefined: not there yet. */
  readonly attempts: readonly Attempt[] | undefined;
  readonly problem: Problem | undefined;
}

export function Timeline({ secret, attempts, problem }: Props) {
  const moments = timelineOf(secret, attempts ?? []);
  const newest = moments.find(({ kind }) => kind === 'attempt');
  return (
    <section class="card">
      <h2>Timeline</h2>
      {problem !== undefined && <ProblemNote problem={problem} />}
      {attempts === undefined && problem === undefined ? (
        <Loading lines={5} />
      ) : (
        <ol class="timeline">
          {moments.map((moment) => (
            <li key={keyOf(moment)}>
              <MomentView moment={moment} open={moment === newest} />
            </li>
          ))}
        </ol>
      )}
      {attempts?.length === 0 && <p class="muted">No rotation of it is in the history.</p>}
    </section>
  );
}

function keyOf(moment: Moment): string {
  switch (moment.kind) {
    case 'attempt':
      return `${moment.at} ${moment.attempt.activity} ${moment.attempt.rotationId}`;
    case 'version':
      return moment.version.version;
    case 'acknowledged':
      return `${moment.at} ${moment.consumer}`;
  }
}

function MomentView({ moment, open }: { readonly moment: Moment; readonly open: boolean }) {
  switch (moment.kind) {
    case 'attempt':
      return <AttemptView attempt={moment.attempt} open={open} />;
    case 'version':
      return (
        <p class="moment">
          <span class="badge none">Version</span> <code>{moment.version.version.slice(0, 8)}</code>
          {moment.version.current && ' (current)'}
          {!moment.version.enabled && ' (disabled)'} <When at={moment.at} full />
        </p>
      );
    case 'acknowledged':
      return (
        <p class="moment">
          <span class="badge good">Acknowledged</span> by <b>{moment.consumer}</b> after{' '}
          {spanText(moment.afterSeconds * 1_000)} · <When at={moment.at} full />
        </p>
      );
  }
}

const outcomes: Readonly<Record<string, readonly [label: string, tone: Tone]>> = {
  'awaiting-approval': ['Awaits approval', 'warn'],
  queued: ['Queued', 'busy'],
  running: ['Running', 'busy'],
  retrying: ['Retrying', 'warn'],
  rotated: ['Rotated', 'good'],
  skipped: ['Left', 'none'],
  failed: ['Failed', 'bad'],
  waiting: ['Waits', 'warn'],
  retired: ['Retired', 'good'],
  paused: ['Paused', 'warn'],
  resumed: ['Resumed', 'busy'],
};

function AttemptView({ attempt, open }: { readonly attempt: Attempt; readonly open: boolean }) {
  const { rotationId, outcome, reason, requestedBy, startedAt, endedAt, detail, failure, nextTryAt } = attempt;
  const [label, tone] = outcomes[outcome] ?? [outcome, 'none'];
  const [shown, setShown] = useState(open);
  return (
    <details onToggle={({ currentTarget }) => setShown(currentTarget.open)} open={open}>
      <summary class="moment">
        <span class={`badge ${tone}`}>{label}</span>
        <span>
          {attempt.activity === 'retirement' && 'end of the old credential, '}
          asked by <b>{requestedBy}</b>: {reason}
        </span>
        <When at={startedAt} />
      </summary>
      <div class="told">
        {detail !== undefined && <p>{sentence(detail)}</p>}
        {failure !== undefined && (
          <div class="notice bad">
            {sentence(failure.message)}
            <p>
              <strong>Do this:</strong> {failure.hint}
            </p>
          </div>
        )}
        {(attempt.warnings ?? []).map((warning) => (
          <p class="notice warn" key={warning}>
            {sentence(warning)}
          </p>
        ))}
        <p class="muted">
          {absolute(startedAt)}
          {endedAt !== undefined && ` to ${absolute(endedAt)}`}
          {nextTryAt !== undefined && ` · next try ${absolute(nextTryAt)}`}
          {attempt.from !== undefined && ` · from ${attempt.from.slice(0, 8)}`}
          {attempt.to !== undefined && ` to ${attempt.to.slice(0, 8)}`}
        </p>
        <Steps steps={attempt.steps} />
        {shown && rotationId !== '' && attempt.activity === 'rotation' && <Deliveries rotationId={rotationId} />}
      </div>
    </details>
  );
}

const deliveriesPaceMs = 20_000;

/** Who was told of it, and how far that is. */
function Deliveries({ rotationId }: { readonly rotationId: string }) {
  const { value } = useWatched(`/rotations/${rotationId}`, rotationShape, deliveriesPaceMs);
  const deliveries = value?.deliveries ?? [];
  if (deliveries.length === 0) return null;
  return (
    <>
      <h3>Told</h3>
      <ul class="deliveries">
        {deliveries.map(({ channel, type, state, attempts, lastAt, nextAt, detail }) => (
          <li key={`${channel} ${type}`}>
            <b>{channel}</b> of “{type}”: {state}
            {attempts > 1 && ` after ${attempts} tries`}
            {lastAt !== undefined && ` · ${absolute(lastAt)}`}
            {nextAt !== undefined && ` · next try ${absolute(nextAt)}`}
            {detail !== undefined && ` · ${detail}`}
          </li>
        ))}
      </ul>
    </>
  );
}
