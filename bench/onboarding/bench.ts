import * as z from 'zod';
import type { BenchCase, Broken, Run } from '../bench.ts';
import { type Played, startTheatre } from './play.ts';
import { withSignIn } from './sign-in.ts';

const onboarded = z.object({
  secrets: z.array(z.object({ vault: z.string(), secret: z.string(), outcome: z.string(), why: z.string() })),
});
const rehearsed = z.object({ secrets: z.array(z.object({ outcome: z.string() })) });
const discovered = z.object({ vaults: z.number(), findings: z.array(z.unknown()), blind: z.array(z.unknown()) });

function read<Value>(schema: z.ZodType<Value>, { out, err }: Played): Value {
  if (out === '') throw new Error(err);
  return schema.parse(JSON.parse(out));
}

/** Every secret by the commands alone; what each of them took, and what became of it. */
export const run: Run = ({ quick, progress }) =>
  withSignIn(async () => {
    const size = quick ? { vaults: 2, secrets: 24 } : { vaults: 20, secrets: 1_000 };
    const theatre = await startTheatre(size);
    try {
      progress(`${size.secrets} secrets in ${size.vaults} vaults`);
      const looked = await theatre.keyturn('discover', '--read');
      const { findings, vaults, blind } = read(discovered, looked);
      progress(`discovered in ${Math.round(looked.ms)} ms`);
      const before = await theatre.keyturn('onboard', '--all', '--parallel', '8');
      progress(`looked at in ${Math.round(before.ms)} ms`);
      const done = await theatre.keyturn('onboard', '--all', '--yes', '--parallel', '8', '-r', 'bench');
      progress(`onboarded in ${Math.round(done.ms)} ms`);
      const { secrets } = read(onboarded, done);
      const rehearsal = await theatre.keyturn('rehearse', '--all', '--parallel', '8', '-r', 'bench');
      const expected = new Map(theatre.generated.map((one) => [`${one.vault}/${one.secret}`, one.expected]));
      const wrong = secrets.filter((one) => {
        const right: readonly string[] = expected.get(`${one.vault}/${one.secret}`) ?? [];
        return !right.includes(one.outcome) || (one.outcome !== 'onboarded' && one.why === '');
      });
      for (const { vault, secret, outcome, why } of wrong) progress(`${vault}/${secret} ended as ${outcome}: ${why}`);
      const count = (outcome: string): number => secrets.filter((one) => one.outcome === outcome).length;
      const seconds = (ms: number): number => Math.round(ms / 100) / 10;
      const cases: readonly BenchCase[] = [
        { name: 'discover', secrets: findings.length, vaults, seconds: seconds(looked.ms), unseen: blind.length },
        { name: 'onboard, look', secrets: size.secrets, vaults: size.vaults, seconds: seconds(before.ms), unseen: 0 },
        {
          ...{ name: 'onboard, do', secrets: secrets.length, vaults: size.vaults, seconds: seconds(done.ms) },
          ...{
            unseen: size.secrets - secrets.length,
            onboarded: count('onboarded'),
            named: secrets.length - count('onboarded'),
          },
          ...{ wrong: wrong.length, throttled: theatre.throttled() },
        },
        {
          ...{ name: 'rehearse', secrets: read(rehearsed, rehearsal).secrets.length, vaults: size.vaults },
          ...{ seconds: seconds(rehearsal.ms), unseen: 0 },
        },
      ];
      return cases;
    } finally {
      await theatre.close();
    }
  });

export const broken: Broken = (cases) =>
  cases.flatMap((one) => [
    ...(Number(one['unseen'] ?? 0) > 0 ? [`${one.name}: ${String(one['unseen'])} were not seen`] : []),
    ...(Number(one['wrong'] ?? 0) > 0
      ? [`${one.name}: ${String(one['wrong'])} ended in another way than they should`]
      : []),
  ]);
