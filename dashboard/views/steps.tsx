import type { Step } from '../model/shapes.ts';
import { sentence, tookText } from '../model/time.ts';

export function Steps({ steps }: { readonly steps: readonly Step[] }) {
  if (steps.length === 0) return null;
  return (
    <ol class="steps">
      {steps.map(({ name, ms, outcome }, index) => (
        <li key={`${index} ${name}`}>
          <b>{name}</b>
          <span>{sentence(outcome)}</span>
          <small>{tookText(ms)}</small>
        </li>
      ))}
    </ol>
  );
}
