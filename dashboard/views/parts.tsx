/** Small pieces that several pages are made of. Texts are always put in as text. */
import type { ComponentChildren } from 'preact';
import type { State } from '../model/shapes.ts';
import { absolute, relative } from '../model/time.ts';
import { stateWords } from '../model/urgency.ts';
import type { Problem } from '../state/client.ts';
import { useNow } from '../state/context.ts';

export function Badge({ state }: { readonly state: State }) {
  const { label, tone, sign, means } = stateWords[state];
  return (
    <span class={`badge ${tone}`} title={means}>
      <span aria-hidden="true" class="sign">
        {sign}
      </span>
      {label}
    </span>
  );
}

/** How long ago, or how far off. `full`: with the time itself. */
export function When({ at, full = false }: { readonly at: string; readonly full?: boolean }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={absolute(at)}>
      {relative(at, nowMs)}
      {full && <span class="muted"> · {absolute(at)}</span>}
    </time>
  );
}

export function ProblemNote({ problem }: { readonly problem: Problem }) {
  return (
    <div class="notice bad" role="alert">
      <strong>{problem.title}.</strong> {problem.detail}
      <p>{problem.hint}</p>
    </div>
  );
}

export function Title({ children }: { readonly children: ComponentChildren }) {
  return (
    <h1 id="title" tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Something is still on its way. As high as what comes. */
export function Loading({ lines = 6 }: { readonly lines?: number }) {
  return (
    <div aria-busy="true" class="loading">
      <p class="hidden-text">Loading</p>
      {Array.from({ length: lines }, (_, index) => (
        <div class="bone" key={index} />
      ))}
    </div>
  );
}
