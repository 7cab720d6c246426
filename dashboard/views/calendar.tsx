import { useMemo } from 'preact/hooks';
import { calendarOf, type Day, type Entry } from '../model/calendar.ts';
import { secretAddress } from '../model/place.ts';
import { useNow, useTools } from '../state/context.ts';
import { useStore } from '../state/store.ts';
import { Badge, Loading, Title } from './parts.tsx';

const days = 90;
/** Of one day; a vault of thousands may have more, and the list has them all. */
const mostOfDay = 40;

export function CalendarPage() {
  const { all, complete } = useStore(useTools().watch.fleet);
  const nowMs = useNow();
  const dayMs = Math.floor(nowMs / 60_000) * 60_000;
  const calendar = useMemo(
    () =>
      calendarOf(
        all.map(({ row }) => row),
        dayMs,
        days,
      ),
    [all, dayMs],
  );
  return (
    <main id="main">
      <Title>The next {days} days</Title>
      <p class="muted">
        Secrets of all vaults, and the certificates among them. Keys are not listed: Keyturn has no right to read them.
      </p>
      {!complete && all.length === 0 && <Loading lines={8} />}
      {complete && calendar.length === 0 && <p class="empty">Nothing rotates or expires.</p>}
      {calendar.map((day) => (
        <DayView day={day} key={day.date} today={new Date(nowMs).toISOString().slice(0, 10)} />
      ))}
    </main>
  );
}

function DayView({ day, today }: { readonly day: Day; readonly today: string }) {
  const shown = day.entries.slice(0, mostOfDay);
  const left = day.entries.length - shown.length;
  return (
    <section class="day">
      <h2>
        {weekday(day.date)} {day.date}
        {day.date === today && <small> today and overdue</small>}
      </h2>
      <ul>
        {shown.map((entry) => (
          <EntryView entry={entry} key={`${entry.row.vault}/${entry.row.secret} ${entry.what}`} />
        ))}
      </ul>
      {left > 0 && <p class="muted">And {left.toLocaleString('en')} more.</p>}
    </section>
  );
}

function EntryView({ entry: { row, at, what, by } }: { readonly entry: Entry }) {
  return (
    <li>
      <time dateTime={at}>{at.slice(11, 16)}</time>
      <a href={secretAddress(row)}>{row.secret}</a>
      <Badge state={row.state} />
      <span class="what">{by === 'nobody' ? <Expires /> : wordsOf(what, by)}</span>
      <small class="place">{row.vault}</small>
    </li>
  );
}

/** It ends then, and whoever uses it is left without. */
function Expires() {
  return (
    <>
      expires, <strong class="bad-text">and nobody renews it</strong>
    </>
  );
}

function wordsOf(what: Entry['what'], by: string): string {
  switch (what) {
    case 'rotates':
    case 'old credential ends':
      return what;
    case 'expires':
      return `expires, renewed ${by}`;
    case 'to replace by hand':
      return `${what}: ${by}`;
  }
}

function weekday(date: string): string {
  return new Date(`${date}T00:00:00Z`).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
}
