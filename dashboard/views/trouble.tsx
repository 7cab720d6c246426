import type { ActivityTrouble, Secret } from '../model/shapes.ts';
import { sentence } from '../model/time.ts';
import { When } from './parts.tsx';

const what = {
  rotation: 'The rotation',
  retirement: 'The end of the old credential',
  check: 'The check of the credential',
} as const;

/** What is wrong, and what to do about it. */
export function TroubleNotes({ secret }: { readonly secret: Secret }) {
  const { trouble = {}, reminders = [], hints = [], warnings } = secret;
  return (
    <>
      {(['rotation', 'retirement', 'check'] as const).map((activity) => {
        const one = trouble[activity];
        return one === undefined ? null : <TroubleNote key={activity} name={what[activity]} trouble={one} />;
      })}
      {[...reminders, ...hints, ...warnings].map((text) => (
        <p class="notice warn" key={text}>
          {sentence(text)}
        </p>
      ))}
    </>
  );
}

function TroubleNote({ name, trouble }: { readonly name: string; readonly trouble: ActivityTrouble }) {
  const { failures, retries, since, last, nextTryAt, paused, unpublished } = trouble;
  const tries = failures + retries;
  return (
    <section class={`notice ${failures > 0 ? 'bad' : 'warn'}`}>
      <h2>
        {name} {failures > 0 ? 'fails' : 'is tried again'}
      </h2>
      <p>{sentence(last.message)}</p>
      <p>
        <strong>Do this:</strong> {last.hint}
      </p>
      {unpublished && <p>The target accepts a credential that no version holds yet. The next try sorts that out.</p>}
      <p class="muted">
        {tries} {tries === 1 ? 'try' : 'tries'} since <When at={since} full />
        {nextTryAt === undefined ? ' · no next try until somebody asks' : ' · next try '}
        {nextTryAt !== undefined && <When at={nextTryAt} full />}
        {paused && ' · paused'} · <code>{last.page}</code>
      </p>
    </section>
  );
}
