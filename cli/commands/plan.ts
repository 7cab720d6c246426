import { type PlanView, plan as planView } from '../api/views.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { type Field, fieldLines } from '../terminal/fields.ts';
import { paint } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { padded, plain, wrapped } from '../terminal/text.ts';
import { absolute, lengthOf } from '../terminal/time.ts';
import { stateColour } from './list.ts';

/** The checks log in at the target, so they may take as long as the API gives them. */
export const planWithinMs = 90_000;

const outcomes = {
  'would-rotate': { text: 'would rotate', colour: 'green' },
  'would-skip': { text: 'would be left', colour: 'yellow' },
  'would-fail': { text: 'would fail', colour: 'red' },
} as const;

const marks = {
  passed: { text: 'passed', colour: 'green' },
  failed: { text: 'failed', colour: 'red' },
  unknown: { text: 'unknown', colour: 'yellow' },
} as const;

function fieldsOf(one: PlanView, now: Date): readonly Field[] {
  return [
    { name: 'secret', value: `${pathOf(one)}, version ${one.version}` },
    { name: 'state', value: one.state, colour: stateColour(one.state) },
    { name: 'outcome', value: outcomes[one.outcome].text, colour: outcomes[one.outcome].colour },
    { name: 'because', value: one.reason === 'asked' ? 'it was asked for' : `${one.reason}: ${one.detail}` },
    { name: 'target', value: one.target },
    { name: 'login', value: one.login },
    { name: 'rotator', value: `${one.rotator}, ${one.strategy}` },
    { name: 'admin', value: one.admin },
    { name: 'due', value: absolute(one.dueAt, now) },
    { name: 'expires', value: absolute(one.expiresAt, now) },
    { name: 'valid for', value: lengthOf(one.validForSeconds) },
    { name: 'overlap', value: lengthOf(one.overlapSeconds) },
    { name: 'consumers', value: one.consumers.join(', ') },
  ];
}

export function checkLines(checks: PlanView['checks'], terminal: Terminal): readonly string[] {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, state, detail, fix }) => {
    const mark = paint(padded(marks[state].text, 7), marks[state].colour, terminal.colour.out);
    const indent = ' '.repeat(width + 11);
    const text = wrapped(plain(detail), terminal.columns, indent).slice(indent.length);
    const todo = fix === undefined ? [] : [wrapped(`Do: ${plain(fix)}`, terminal.columns, indent)];
    return [`${mark}  ${padded(plain(name), width)}  ${text}`, ...todo];
  });
}

export function tellPlan(one: PlanView, terminal: Terminal, now: Date): void {
  for (const line of fieldLines(fieldsOf(one, now), terminal.columns, terminal.colour.out)) terminal.out(line);
  terminal.out('');
  for (const line of checkLines(one.checks, terminal)) terminal.out(line);
}

export const plan: Command = {
  name: 'plan',
  summary: 'what a rotation would do and why, each check with its result; changes nothing',
  takes: 'NAME',
  count: [1, 1],
  options: {
    mode: {
      type: 'string',
      value: 'MODE',
      help: 'as whom: asked (default), scheduled, forced, emergency, roll-back, repair',
      choices: ['asked', 'scheduled', 'forced', 'emergency', 'roll-back', 'repair'],
    },
  },
  about: 'It logs in at the target to look. Exits with 1 if the rotation would fail.',
  examples: ['keyturn plan orders-db', 'keyturn plan orders-db --mode scheduled'],
  role: 'reader',
  async run({ api, given, vault, terminal, json, print, now }) {
    const named = await secretNamed(api, given.args, vault);
    const query = [['mode', given.text('mode') ?? 'asked'] as const];
    const one = must(await api.ask({ path: routeOf(named, 'plan'), query, schema: planView, withinMs: planWithinMs }));
    if (json) print(one);
    else tellPlan(one, terminal, now());
    return one.outcome === 'would-fail' ? 'failed' : 'ok';
  },
};
