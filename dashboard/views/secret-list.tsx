import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { secretAddress } from '../model/place.ts';
import { rowsInView } from '../model/rows-in-view.ts';
import type { Row } from '../model/shapes.ts';
import { sentence } from '../model/time.ts';
import { needsPerson, nextOf } from '../model/urgency.ts';
import { Badge, When } from './parts.tsx';

/** As style.css makes them: a row of a list that is drawn in part has to be as high as it is counted. */
const wideRow = 60;
const narrowRow = 124;
const narrow = window.matchMedia('(max-width: 52rem)');

/** Ten thousand rows, of which a few dozen are drawn. Arrows, Home and End go through all of them. */
export function SecretList({ rows }: { readonly rows: readonly Row[] }) {
  const list = useRef<HTMLOListElement>(null);
  const rowHeight = useRowHeight();
  const { first, end } = useRowsInView(list, rows.length, rowHeight);
  const keys = useArrowKeys(list, rows.length, rowHeight);
  return (
    <>
      <div aria-hidden="true" class="heads">
        <span>State</span>
        <span>Secret</span>
        <span>Why, and who is waited for</span>
        <span>Since</span>
        <span>Next</span>
      </div>
      <ol
        class="secrets"
        onKeyDown={keys}
        ref={list}
        style={{ paddingTop: `${first * rowHeight}px`, paddingBottom: `${(rows.length - end) * rowHeight}px` }}
      >
        {rows.slice(first, end).map((row, index) => (
          <SecretRow count={rows.length} index={first + index} key={`${row.vault}/${row.secret}`} row={row} />
        ))}
      </ol>
    </>
  );
}

function SecretRow({ row, index, count }: { readonly row: Row; readonly index: number; readonly count: number }) {
  const next = nextOf(row);
  return (
    <li aria-posinset={index + 1} aria-setsize={count} data-index={index}>
      <a class="row" href={secretAddress(row)}>
        <Badge state={row.state} />
        <span class="what">
          <b>{row.secret}</b>
          <small>
            {row.vault}
            {row.rotator !== undefined && ` · ${row.rotator}`}
            {row.owner !== undefined && ` · ${row.owner}`}
            {row.expired && <strong class="bad-text"> · expired</strong>}
          </small>
        </span>
        <span class="why" title={sentence(row.detail)}>
          {sentence(row.detail)}
        </span>
        <span class="since">
          <span class="hidden-text">Since: </span>
          {row.since === undefined ? '–' : <When at={row.since} />}
        </span>
        <span class="next">
          {next === undefined ? (
            <>
              <span class="hidden-text">Next: </span>
              {needsPerson(row) ? <b class="bad-text">needs you</b> : '–'}
            </>
          ) : (
            <>
              <When at={next.at} />
              <small>{next.what}</small>
            </>
          )}
        </span>
      </a>
    </li>
  );
}

function useRowHeight(): number {
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const changed = (): void => setNarrow(narrow.matches);
    narrow.addEventListener('change', changed);
    return () => narrow.removeEventListener('change', changed);
  }, []);
  return isNarrow ? narrowRow : wideRow;
}

type ListRef = { readonly current: HTMLOListElement | null };

function useRowsInView(list: ListRef, count: number, rowHeight: number) {
  const [edge, setEdge] = useState({ top: 0, height: window.innerHeight });
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = -(list.current?.getBoundingClientRect().top ?? 0);
      // Drawn again only when another row comes into view.
      const rounded = Math.floor(top / rowHeight) * rowHeight;
      const height = window.innerHeight;
      setEdge((known) => (known.top === rounded && known.height === height ? known : { top: rounded, height }));
    };
    measure();
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, [list, count, rowHeight]);
  return rowsInView(count, rowHeight, edge.top, edge.height);
}

/** Where each key leads from a row; undefined: it is no key of the list. */
function wanted(key: string, index: number, count: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return index + 1;
    case 'ArrowUp':
      return index - 1;
    case 'PageDown':
      return index + page;
    case 'PageUp':
      return index - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

function useArrowKeys(list: ListRef, count: number, rowHeight: number) {
  return useCallback(
    (event: KeyboardEvent): void => {
      const { current } = list;
      const from = event.target instanceof Element ? event.target.closest('[data-index]') : null;
      if (current === null || from === null) return;
      const page = Math.max(1, Math.floor(window.innerHeight / rowHeight) - 1);
      const to = wanted(event.key, Number(from.getAttribute('data-index')), count, page);
      if (to === undefined) return;
      event.preventDefault();
      void focusRow(current, Math.min(count - 1, Math.max(0, to)), rowHeight);
    },
    [list, count, rowHeight],
  );
}

/** The row may have to be drawn first, which takes a frame after it has been scrolled to. */
async function focusRow(list: HTMLOListElement, index: number, rowHeight: number): Promise<void> {
  const find = () => list.querySelector<HTMLElement>(`[data-index="${index}"] a`);
  if (find() === null) {
    const top = list.getBoundingClientRect().top + window.scrollY + index * rowHeight;
    window.scrollTo(0, top - window.innerHeight / 2);
    for (let frames = 0; frames < 5 && find() === null; frames++) await nextFrame();
  }
  find()?.focus();
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
