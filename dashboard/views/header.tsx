import { noFilters } from '../model/filters.ts';
import { addressOf, type Place } from '../model/place.ts';
import { approvals as approvalsShape } from '../model/shapes.ts';
import { useTools } from '../state/context.ts';
import type { SessionKeeper } from '../state/session.ts';
import { type Store, useStore } from '../state/store.ts';
import type { Theme } from '../state/theme.ts';
import { useWatched } from '../state/watched.ts';
import { ThemeButton } from './theme-button.tsx';

const pages: readonly (readonly [label: string, place: Place])[] = [
  ['Secrets', { page: 'list', filters: noFilters }],
  ['Calendar', { page: 'calendar' }],
  ['Approvals', { page: 'approvals' }],
  ['Fleet', { page: 'fleet' }],
];

const approvalsPaceMs = 60_000;

export function Header({ keeper, theme }: { readonly keeper: SessionKeeper; readonly theme: Store<Theme> }) {
  const { router, me } = useTools();
  const place = useStore(router.place);
  return (
    <header class="top">
      <a class="brand" href="/">
        <span aria-hidden="true" class="mark" />
        Keyturn
      </a>
      <nav aria-label="Pages">
        {pages.map(([label, to]) => (
          <a class="tab" aria-current={place.page === to.page ? 'page' : undefined} href={addressOf(to)} key={label}>
            {label}
            {to.page === 'approvals' && me.approvals.length > 0 && <Waiting />}
          </a>
        ))}
      </nav>
      <div class="who">
        <span class="name" title={`${me.name}: ${me.roles.join(', ')}`}>
          {me.name}
        </span>
        <ThemeButton theme={theme} />
        <button class="quiet" onClick={() => keeper.signOut()} type="button">
          Sign out
        </button>
      </div>
    </header>
  );
}

/** How many requests wait, where any could. */
function Waiting() {
  const { value } = useWatched('/approvals', approvalsShape, approvalsPaceMs);
  const count = value?.approvals.length ?? 0;
  return count === 0 ? null : <span class="count">{count} waiting</span>;
}
