import { useMemo } from 'preact/hooks';
import { type Filters, filtered, noFilters } from '../model/filters.ts';
import { addressOf } from '../model/place.ts';
import { useTools } from '../state/context.ts';
import { useStore } from '../state/store.ts';
import { FilterBar } from './filter-bar.tsx';
import { Loading, ProblemNote, Title } from './parts.tsx';
import { SecretList } from './secret-list.tsx';

export function ListPage({ filters }: { readonly filters: Filters }) {
  const { watch, router } = useTools();
  const { all, complete, problem, vaults } = useStore(watch.fleet);
  const { shown, counts } = useMemo(() => filtered(all, filters), [all, filters]);
  const change = (next: Filters): void => router.replace(addressOf({ page: 'list', filters: next }));
  const waits = !complete && all.length === 0;
  return (
    <main id="main">
      <Title>Secrets by urgency</Title>
      <FilterBar all={all} change={change} counts={counts} filters={filters} vaults={vaults} />
      <p class="found" role="status">
        {waits ? 'Listing the vaults …' : `${shown.length.toLocaleString('en')} shown`}
        {!waits && !complete && ', and more to come'}
      </p>
      {waits && problem === undefined && <Loading lines={10} />}
      {waits && problem !== undefined && <ProblemNote problem={problem} />}
      {!waits && shown.length === 0 && complete && (
        <p class="empty">
          No secret fits.{' '}
          <button class="quiet" onClick={() => change(noFilters)} type="button">
            Show all
          </button>
        </p>
      )}
      {shown.length > 0 && <SecretList rows={shown} />}
    </main>
  );
}
