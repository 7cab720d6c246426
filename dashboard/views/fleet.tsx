import type { Health } from '../model/shapes.ts';
import { health as healthShape } from '../model/shapes.ts';
import { useTools } from '../state/context.ts';
import { useStore } from '../state/store.ts';
import { useWatched } from '../state/watched.ts';
import { Fact, Loading, ProblemNote, Title, When } from './parts.tsx';

const paceMs = 30_000;

/** Whether the app reaches what it needs, and whether its work goes on. */
export function FleetPage() {
  const { value, problem } = useWatched('/health/details', healthShape, paceMs);
  return (
    <main id="main">
      <Title>Fleet</Title>
      {problem !== undefined && <ProblemNote problem={problem} />}
      {value === undefined && problem === undefined && <Loading lines={8} />}
      {value !== undefined && <HealthView health={value} />}
    </main>
  );
}

function HealthView({ health }: { readonly health: Health }) {
  const { all } = useStore(useTools().watch.fleet);
  const { status, version, vaults, storage, queues, failing = 0, paused = 0, retrying = 0 } = health;
  return (
    <>
      <p class="lead">
        <strong class={status === 'healthy' ? 'good-text' : 'bad-text'}>
          {status === 'healthy' ? 'All is reached.' : 'Something is not reached.'}
        </strong>{' '}
        {failing} failing, {paused} paused after failures, {retrying} retrying. Keyturn {version}.
      </p>
      <div class="cards">
        {vaults.map(({ vault, sweptAt, ...reach }) => (
          <section class="card" key={vault}>
            <h2>Vault {vault}</h2>
            <Reach {...reach} />
            <dl>
              <Fact name="Secrets">{all.filter(({ row }) => row.vault === vault).length.toLocaleString('en')}</Fact>
              <Fact name="Last sweep">{sweptAt === undefined ? 'not known' : <When at={sweptAt} full />}</Fact>
            </dl>
          </section>
        ))}
        <section class="card">
          <h2>Storage account</h2>
          {storage.services.map(({ service, ...reach }) => (
            <div key={service}>
              <h3>{service}</h3>
              <Reach {...reach} />
            </div>
          ))}
        </section>
        {queues !== undefined && <Queues queues={queues} />}
      </div>
    </>
  );
}

/** A message that was given up lies beside its queue, and stays there until somebody looks. */
function Queues({ queues }: { readonly queues: NonNullable<Health['queues']> }) {
  const poison = new Map(queues.map(({ queue, messages }) => [queue, messages]));
  return (
    <section class="card">
      <h2>Queues</h2>
      <ul class="queues">
        {queues
          .filter(({ queue }) => !queue.endsWith('-poison'))
          .map(({ queue, messages }) => {
            const lost = poison.get(`${queue}-poison`) ?? 0;
            return (
              <li key={queue}>
                <span>{queue}</span>
                <b>{messages.toLocaleString('en')}</b>
                {lost > 0 && <strong class="bad-text">{lost.toLocaleString('en')} given up</strong>}
              </li>
            );
          })}
      </ul>
      <p class="muted">What is delayed on purpose is counted too.</p>
    </section>
  );
}

interface ReachProps {
  readonly reachable: boolean;
  readonly ms: number;
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

function Reach({ reachable, ms, code, detail, hint }: ReachProps) {
  if (reachable)
    return (
      <p>
        <span class="badge good">
          <span aria-hidden="true" class="sign">
            ✓
          </span>
          reached
        </span>{' '}
        in {ms} ms
      </p>
    );
  return (
    <div class="notice bad">
      <strong>{code === 'vault-throttled' ? 'Throttled' : 'Not reached'}</strong> ({code}): {detail}
      <p>{hint}</p>
    </div>
  );
}
