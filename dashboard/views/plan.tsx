import { useState } from 'preact/hooks';
import { type Plan, plan as planShape, type Secret } from '../model/shapes.ts';
import { sentence, spanText } from '../model/time.ts';
import type { Problem } from '../state/client.ts';
import { useTools } from '../state/context.ts';
import { Fact, ProblemNote } from './parts.tsx';

const modes = [
  ['asked', 'Rotate now'],
  ['scheduled', 'Scheduled rotation'],
  ['emergency', 'Emergency'],
  ['roll-back', 'Roll back'],
  ['repair', 'Repair'],
] as const;

/** What a rotation would do, with every check. Only when asked: it logs in at the target to look. */
export function PlanSection({ path, secret }: { readonly path: string; readonly secret: Secret }) {
  const { client } = useTools();
  const [mode, setMode] = useState<string>('asked');
  const [plan, setPlan] = useState<Plan>();
  const [problem, setProblem] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  if (secret.rotator === undefined || secret.manual === true) return null;
  const ask = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setAsking(true);
    const answer = await client.ask(`${path}/plan?mode=${mode}`, planShape);
    setAsking(false);
    setPlan(answer.kind === 'ok' ? answer.value : undefined);
    setProblem(answer.kind === 'problem' ? answer : undefined);
  };
  return (
    <section class="card">
      <h2>Plan</h2>
      <form class="inline" onSubmit={(event) => void ask(event)}>
        <label>
          <span class="hidden-text">What would happen with</span>
          <select onChange={({ currentTarget }) => setMode(currentTarget.value)} value={mode}>
            {modes.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <button disabled={asking} type="submit">
          {asking ? 'Looking …' : 'Look what would happen'}
        </button>
        <span class="muted">Changes nothing.</span>
      </form>
      <div aria-live="polite">
        {problem !== undefined && <ProblemNote problem={problem} />}
        {plan !== undefined && <PlanView plan={plan} />}
      </div>
    </section>
  );
}

const outcomes = {
  'would-rotate': ['good', 'It would rotate'],
  'would-skip': ['none', 'It would be left'],
  'would-fail': ['bad', 'It would fail'],
} as const;

const checkSigns = {
  passed: ['good', '✓', 'passed'],
  failed: ['bad', '✕', 'failed'],
  unknown: ['warn', '?', 'not known'],
} as const;

function PlanView({ plan }: { readonly plan: Plan }) {
  const [tone, says] = outcomes[plan.outcome];
  return (
    <>
      <p class={`lead ${tone}-text`}>
        <strong>{says}:</strong> {sentence(plan.detail)}
      </p>
      <ul class="checks">
        {plan.checks.map(({ name, state, detail, fix }) => {
          const [checkTone, sign, word] = checkSigns[state];
          return (
            <li key={name}>
              <span class={`badge ${checkTone}`}>
                <span aria-hidden="true" class="sign">
                  {sign}
                </span>
                {word}
              </span>
              <div>
                <b>{name}</b>
                <p>{sentence(detail)}</p>
                {fix !== undefined && (
                  <p>
                    <strong>Do this:</strong> {fix}
                  </p>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <dl class="row-facts">
        <Fact name="Target">{plan.target}</Fact>
        {plan.login !== undefined && <Fact name="Login">{plan.login}</Fact>}
        <Fact name="Admin">{plan.admin}</Fact>
        <Fact name="Strategy">{plan.strategy}</Fact>
        <Fact name="Overlap">{spanText(plan.overlapSeconds * 1_000)}</Fact>
        <Fact name="Valid for">{spanText(plan.validForSeconds * 1_000)}</Fact>
      </dl>
    </>
  );
}
