import { useState } from 'preact/hooks';
import * as z from 'zod/mini';
import { secretAddress } from '../model/place.ts';
import { type Approval, approvals as approvalsShape, oneApproval } from '../model/shapes.ts';
import { absolute } from '../model/time.ts';
import type { Problem } from '../state/client.ts';
import { useTools } from '../state/context.ts';
import { useWatched } from '../state/watched.ts';
import { Loading, ProblemNote, Title, When } from './parts.tsx';

const paceMs = 10_000;

/** `id`: one of them, as a link in a message names it. */
export function ApprovalsPage({ id }: { readonly id: string | undefined }) {
  const { me } = useTools();
  return (
    <main id="main">
      <Title>{id === undefined ? 'What waits for a second person' : 'A request for a second person'}</Title>
      {me.approvals.length === 0 && (
        <p class="muted">Nothing has to wait: the setting KEYTURN_APPROVALS names nothing.</p>
      )}
      {!me.person && (
        <p class="notice warn">
          A key can ask and never approve. Sign in with Entra, as another person than the one who asked.
        </p>
      )}
      {id === undefined ? <AllApprovals /> : <OneApproval id={id} />}
    </main>
  );
}

function AllApprovals() {
  const { value, problem, look } = useWatched('/approvals', approvalsShape, paceMs);
  if (value === undefined) return problem === undefined ? <Loading lines={4} /> : <ProblemNote problem={problem} />;
  if (value.approvals.length === 0) return <p class="empty">Nothing waits.</p>;
  return (
    <>
      {value.approvals.map((approval) => (
        <ApprovalCard approval={approval} changed={look} key={approval.approvalId} />
      ))}
    </>
  );
}

function OneApproval({ id }: { readonly id: string }) {
  const { value, problem, look } = useWatched(`/approvals/${encodeURIComponent(id)}`, oneApproval, paceMs);
  return (
    <>
      {value === undefined && problem === undefined && <Loading lines={4} />}
      {problem !== undefined && <ProblemNote problem={problem} />}
      {value !== undefined && <ApprovalCard approval={value} changed={look} />}
      <p>
        <a href="/approvals">All that waits</a>
      </p>
    </>
  );
}

const wants: Readonly<Record<string, string>> = {
  rotate: 'Have the admin replace the credential',
  emergency: 'Emergency',
  rollback: 'Roll back to a revoked credential',
  repair: 'Repair',
  retire: 'End the old credential and its sessions',
  rotations: 'Rotate many',
};

/** What the answer says differs by what was asked; only that it was accepted counts here. */
const anything = z.looseObject({});

function ApprovalCard({ approval, changed }: { readonly approval: Approval; readonly changed: () => void }) {
  const { client, me } = useTools();
  const [problem, setProblem] = useState<Problem>();
  const [sending, setSending] = useState(false);
  const { approvalId, action, vault, secret, matched, reason, requestedBy, requestedAt, expiresAt, state } = approval;
  const approve = async (): Promise<void> => {
    setSending(true);
    const answer = await client.ask(`/approvals/${approvalId}/approve`, anything, { method: 'POST', body: {} });
    setSending(false);
    setProblem(answer.kind === 'problem' ? answer : undefined);
    changed();
  };
  return (
    <article class="card">
      <h2>
        {wants[action] ?? action}:{' '}
        {matched === undefined ? <a href={secretAddress({ vault, secret })}>{secret}</a> : `${matched} secrets`}
      </h2>
      <p class="lead">{reason}</p>
      <p>
        Asked by <b>{requestedBy}</b> <When at={requestedAt} full />
      </p>
      <p class="muted">
        <code>{JSON.stringify(approval.asked)}</code>
      </p>
      {problem !== undefined && <ProblemNote problem={problem} />}
      {state === 'waiting' ? (
        <div class="buttons start">
          <button class="first" disabled={sending || !me.person} onClick={() => void approve()} type="button">
            Approve
          </button>
          <span class="muted">Void {absolute(expiresAt)}. Nothing is done until you approve it.</span>
        </div>
      ) : (
        <p role="status">
          {state === 'approved'
            ? `Approved by ${approval.approvedBy ?? 'somebody'}. It is on its way.`
            : 'Its time is over.'}
        </p>
      )}
    </article>
  );
}
