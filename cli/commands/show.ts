import { type ActivityTrouble, type Inspected, inspected } from '../api/views.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { type Field, fieldLines } from '../terminal/fields.ts';
import { tableLines } from '../terminal/table.ts';
import { absolute, relative } from '../terminal/time.ts';
import { lastFailure, stateColour } from './list.ts';

/** Tags that stand in a line of their own, or say nothing to a person. */
const shownElsewhere: ReadonlySet<string> = new Set(['rotator', 'strategy', 'consumers', 'rotation']);

function fieldsOf(one: Inspected, now: Date): readonly Field[] {
  const { trouble, pending, acknowledgements: acks } = one;
  const last = lastFailure(one);
  const tags = Object.entries(one.tags).filter(([name]) => !shownElsewhere.has(name));
  const old =
    one.retireBy === undefined
      ? undefined
      : one.retired === true
        ? 'refused'
        : `works until ${absolute(one.retireBy, now)}`;
  return [
    { name: 'secret', value: pathOf(one) },
    { name: 'state', value: one.state, colour: stateColour(one.state) },
    // When it is due has a line of its own.
    { name: '', value: one.state === 'healthy' ? '' : one.detail },
    ...(one.hints ?? []).map((hint) => ({ name: '', value: hint, colour: 'yellow' as const })),
    { name: 'rotator', value: [one.rotator, one.strategy].filter((word) => word !== undefined).join(', ') },
    { name: 'version', value: one.version },
    { name: 'login', value: one.login },
    { name: 'enabled', value: one.enabled ? '' : 'no: nobody can read it', colour: 'red' },
    { name: 'expires', value: absolute(one.expiresAt, now) },
    { name: 'due', value: absolute(one.dueAt, now) },
    { name: 'old credential', value: old },
    { name: 'pending', value: pending && `${pending.secret}, since ${absolute(pending.createdAt, now)}` },
    { name: 'acknowledged', value: acks?.acknowledged.map(({ consumer }) => consumer).join(', ') },
    { name: 'missing', value: acks?.missing.map(({ consumer }) => consumer).join(', '), colour: 'yellow' },
    { name: 'copies', value: one.copies?.join(', ') },
    { name: 'waits for', value: one.waitsFor?.join(', '), colour: 'yellow' },
    { name: 'warned of', value: one.reminders?.join(' '), colour: 'yellow' },
    { name: 'owner', value: one.owner },
    ...troubleFields('rotation', trouble?.rotation, now),
    ...troubleFields('retirement', trouble?.retirement, now),
    ...troubleFields('check', trouble?.check, now),
    { name: 'do', value: last?.hint },
    { name: 'tags', value: tags.map(([name, value]) => `${name}=${value}`).join('  ') },
  ];
}

function troubleFields(activity: string, trouble: ActivityTrouble | undefined, now: Date): readonly Field[] {
  if (trouble === undefined) return [];
  const { failures, retries, last, nextTryAt, unpublished } = trouble;
  const count = failures > 0 ? `${failures} failed in a row` : `${retries} tried again`;
  const next = nextTryAt === undefined ? 'not tried again before somebody asks' : `next ${absolute(nextTryAt, now)}`;
  return [
    { name: activity, value: `${count}, ${next}`, colour: failures > 0 ? 'red' : 'yellow' },
    { name: '', value: `${last.code}, ${absolute(last.at, now)}: ${last.message}` },
    { name: '', value: unpublished ? 'the target accepts a credential that no version holds' : undefined },
  ];
}

export const show: Command = {
  name: 'show',
  aliases: ['get'],
  summary: 'one secret: state, policy, versions, trouble, who has acknowledged',
  takes: 'NAME',
  count: [1, 1],
  options: {},
  about: 'No value is read to show it.',
  examples: ['keyturn show orders-db', 'keyturn show contoso-kv/orders-db --query expiresAt -o tsv'],
  role: 'reader',
  async run({ api, given, vault, terminal, json, print, now }) {
    const named = await secretNamed(api, given.args, vault);
    const one = must(await api.ask({ path: routeOf(named), schema: inspected }));
    if (json) {
      print(one);
      return 'ok';
    }
    for (const line of fieldLines(fieldsOf(one, now()), terminal.columns, terminal.colour.out)) terminal.out(line);
    for (const warning of one.warnings) terminal.err(`warning: ${warning}`);
    const table = {
      columns: [
        { title: 'VERSION' },
        { title: 'CREATED', drop: 1 },
        { title: 'EXPIRES', drop: 2 },
        { title: 'STATE' },
        { title: 'MADE BY', drop: 3 },
      ],
      rows: one.versions.map((version) => [
        version.version,
        relative(version.createdAt, now()),
        relative(version.expiresAt, now()),
        version.current ? 'current' : version.enabled ? 'enabled' : 'disabled',
        version.rotationId === undefined ? 'not Keyturn' : `rotation ${version.rotationId}`,
      ]),
    };
    terminal.out('');
    for (const line of tableLines(table, terminal.columns, terminal.colour.out)) terminal.out(line);
    return 'ok';
  },
};
