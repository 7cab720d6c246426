import { apiPathOf, secretAddress } from '../model/place.ts';
import { history as historyShape, type Row, type Secret, secret as secretShape } from '../model/shapes.ts';
import { absolute, sentence } from '../model/time.ts';
import { nextOf } from '../model/urgency.ts';
import { useTools } from '../state/context.ts';
import { useWatched } from '../state/watched.ts';
import { Actions } from './actions.tsx';
import { Badge, Fact, Loading, ProblemNote, Title, When } from './parts.tsx';
import { PlanSection } from './plan.tsx';
import { Timeline } from './timeline.tsx';
import { TroubleNotes } from './trouble.tsx';
import { WaitedFor } from './waited-for.tsx';

const paceMs = 10_000;

export function SecretPage({ vault, secret: name }: { readonly vault: string; readonly secret: string }) {
  const { watch } = useTools();
  const path = apiPathOf({ vault, secret: name });
  const shown = useWatched(path, secretShape, paceMs, (value) => watch.renew(rowOf(value)));
  const past = useWatched(`${path}/history?limit=100`, historyShape, paceMs);
  const { value: secret, problem } = shown;
  const changed = (): void => {
    shown.look();
    past.look();
  };
  return (
    <main id="main">
      <p class="crumbs">
        <a href="/">Secrets</a> <span aria-hidden="true">/</span> {vault}
      </p>
      <div class="heading">
        <Title>{name}</Title>
        {secret !== undefined && <Badge state={secret.state} />}
      </div>
      {problem !== undefined && <ProblemNote problem={problem} />}
      {secret === undefined && problem === undefined && <Loading lines={12} />}
      {secret !== undefined && (
        <>
          <Standing secret={secret} />
          <Actions changed={changed} secret={secret} />
          <TroubleNotes secret={secret} />
          <div class="columns">
            <div>
              <WaitedFor secret={secret} />
              <PlanSection path={path} secret={secret} />
              <Timeline attempts={past.value?.attempts} problem={past.problem} secret={secret} />
            </div>
            <Facts secret={secret} />
          </div>
        </>
      )}
    </main>
  );
}

/** As the list has it. */
function rowOf({ consumers, copies, hints, version, versions, ...secret }: Secret): Row {
  const { pending, acknowledgements, trouble, warnings, ...row } = secret;
  return row;
}

function Standing({ secret }: { readonly secret: Secret }) {
  const { detail, since } = secret;
  const next = nextOf(secret);
  return (
    <div class="standing">
      <p class="lead">{sentence(detail)}.</p>
      <p class="muted">
        {since !== undefined && (
          <>
            Since <When at={since} full />
          </>
        )}
        {next !== undefined && (
          <>
            {since !== undefined && ' — '}
            {next.what} <When at={next.at} full />
          </>
        )}
      </p>
    </div>
  );
}

function Facts({ secret }: { readonly secret: Secret }) {
  const { rotator, strategy, owner, expiresAt, dueAt, retireBy, retired, consumers, copies, source, pausedBy } = secret;
  const tags = Object.entries(secret.tags);
  return (
    <aside aria-label="Facts" class="facts">
      <dl>
        <Fact name="Vault">{secret.vault}</Fact>
        <Fact name="Version">
          <code>{secret.version}</code>
        </Fact>
        {rotator !== undefined && (
          <Fact name="Rotator">{strategy === undefined ? rotator : `${rotator}, ${strategy}`}</Fact>
        )}
        {owner !== undefined && <Fact name="Owner">{owner}</Fact>}
        {expiresAt !== undefined && (
          <Fact name="Expires">
            <When at={expiresAt} full />
          </Fact>
        )}
        {dueAt !== undefined && (
          <Fact name="Due">
            <When at={dueAt} full />
          </Fact>
        )}
        {retireBy !== undefined && (
          <Fact name="Old credential">
            {retired === true ? 'dead, proven refused' : `works until ${absolute(retireBy)}`}
          </Fact>
        )}
        {pausedBy !== undefined && <Fact name="Paused by">{pausedBy}</Fact>}
        {consumers !== undefined && <Fact name="Consumers">{consumers.join(', ')}</Fact>}
        {copies !== undefined && <Fact name="Copies">{copies.join(', ')}</Fact>}
        {source !== undefined && (
          <Fact name={source.derived ? 'Derived from' : 'Copy of'}>
            <a href={secretAddress(source)}>
              {source.vault}/{source.secret}
            </a>
          </Fact>
        )}
        {tags.length > 0 && (
          <Fact name="Tags">
            <ul class="tags">
              {tags.map(([name, value]) => (
                <li key={name}>
                  <code>
                    {name}={value}
                  </code>
                </li>
              ))}
            </ul>
          </Fact>
        )}
      </dl>
    </aside>
  );
}
