import { useEffect, useState } from 'preact/hooks';
import { relative, sentence } from '../model/time.ts';
import { useTools } from '../state/context.ts';
import type { Fleet } from '../state/fleet-watch.ts';
import { mayDo } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { FreezeDialog } from './freeze-dialog.tsx';
import { When } from './parts.tsx';

/** Whether anything happens by itself, and how old what is shown is. Always there and always as high, so that nothing moves when it changes. */
export function StatusLine() {
  const { watch, me } = useTools();
  const { freeze, lookedAtMs, problem, failed, warnings } = useStore(watch.fleet);
  const [asking, setAsking] = useState(false);
  const frozen = freeze === 'unread' || freeze?.frozen === true;
  const known = typeof freeze === 'object' ? freeze : undefined;
  return (
    <>
      <section aria-label="Status" class={frozen ? 'status frozen' : 'status'}>
        <p aria-live="polite">
          {freeze === undefined && 'Asking how things stand …'}
          {freeze === 'unread' && (
            <>
              <strong>Counts as frozen:</strong> whether it is cannot be read, so nothing starts by itself.
            </>
          )}
          {known?.frozen === true && (
            <>
              <strong>Frozen</strong>
              {known.by !== undefined && ` by ${known.by}`}
              {known.since !== undefined && (
                <>
                  {' '}
                  <When at={known.since} />
                </>
              )}
              : {known.reason}. Nothing rotates by itself.
            </>
          )}
          {known?.frozen === false && 'Automatic rotations are on.'}
        </p>
        <p class="age">
          <Age lookedAtMs={lookedAtMs} trouble={problem?.title} />
        </p>
        {known !== undefined && mayDo(me, 'operator') && (
          <button class="quiet" onClick={() => setAsking(true)} type="button">
            {known.frozen ? 'Unfreeze' : 'Freeze all'}
          </button>
        )}
      </section>
      <Unknown failed={failed} warnings={warnings} />
      {asking && known !== undefined && <FreezeDialog freeze={known} onClose={() => setAsking(false)} />}
    </>
  );
}

/** What is not on the page, and why. */
function Unknown({ failed, warnings }: Pick<Fleet, 'failed' | 'warnings'>) {
  if (failed.length === 0 && warnings.length === 0) return null;
  return (
    <section aria-label="What is not known" class="unknown">
      {failed.map(({ vault, message, hint }) => (
        <p class="notice bad" key={vault} role="alert">
          <strong>The vault {vault} cannot be listed.</strong> {sentence(message)}. {hint}
        </p>
      ))}
      {warnings.map((warning) => (
        <p class="notice warn" key={warning} role="status">
          {warning}
        </p>
      ))}
    </section>
  );
}

const tickMs = 5_000;

function Age({ lookedAtMs, trouble }: { readonly lookedAtMs: number; readonly trouble: string | undefined }) {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), tickMs);
    return () => window.clearInterval(timer);
  }, []);
  const age =
    lookedAtMs === 0 ? '' : `Seen ${relative(new Date(lookedAtMs).toISOString(), Math.max(nowMs, lookedAtMs))}`;
  if (trouble === undefined) return <span>{age}</span>;
  return (
    <strong class="bad-text">
      {trouble}. {age}
    </strong>
  );
}
