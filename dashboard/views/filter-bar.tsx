import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Filters, type Indexed, noFilters, queryOf } from '../model/filters.ts';
import { type State, states } from '../model/shapes.ts';
import { stateWords } from '../model/urgency.ts';

interface Props {
  readonly filters: Filters;
  readonly all: readonly Indexed[];
  readonly vaults: readonly string[];
  readonly counts: ReadonlyMap<State, number>;
  readonly change: (next: Filters) => void;
}

export function FilterBar({ filters, all, vaults, counts, change }: Props) {
  const { rotators, tags } = useMemo(() => choices(all), [all]);
  const search = useSearchKey();
  return (
    <search class="filters">
      <div class="fields">
        <label class="wide">
          <span class="caption">Search</span>
          <input
            autocomplete="off"
            onInput={({ currentTarget }) => change({ ...filters, text: currentTarget.value })}
            placeholder="Name, owner, reason …   /"
            ref={search}
            spellcheck={false}
            type="search"
            value={filters.text}
          />
        </label>
        <Choice change={(vault) => change({ ...filters, vault })} name="Vault" options={vaults} value={filters.vault} />
        <Choice
          change={(rotator) => change({ ...filters, rotator })}
          name="Rotator"
          options={rotators}
          value={filters.rotator}
        />
        <label>
          <span class="caption">Tag</span>
          <input
            autocomplete="off"
            list="tags"
            onInput={({ currentTarget }) => change({ ...filters, tag: currentTarget.value })}
            placeholder="team=shop"
            spellcheck={false}
            value={filters.tag}
          />
          <datalist id="tags">
            {tags.map((tag) => (
              <option key={tag} value={tag} />
            ))}
          </datalist>
        </label>
        <button class="quiet" disabled={queryOf(filters) === ''} onClick={() => change(noFilters)} type="button">
          Clear
        </button>
      </div>
      <StateChips change={change} counts={counts} filters={filters} />
    </search>
  );
}

function StateChips({ filters, counts, change }: Pick<Props, 'filters' | 'counts' | 'change'>) {
  const toggle = (state: State): void => {
    const without = filters.states.filter((one) => one !== state);
    const isOn = without.length < filters.states.length;
    change({ ...filters, states: isOn ? without : states.filter((one) => one === state || without.includes(one)) });
  };
  return (
    <fieldset class="chips">
      <legend class="hidden-text">States</legend>
      {states.map((state) => {
        const { label, tone, sign, means } = stateWords[state];
        const count = counts.get(state) ?? 0;
        return (
          <button
            aria-pressed={filters.states.includes(state)}
            class={`chip ${count === 0 ? 'none' : tone}`}
            key={state}
            onClick={() => toggle(state)}
            title={means}
            type="button"
          >
            <span aria-hidden="true" class="sign">
              {sign}
            </span>
            {label} <b>{count.toLocaleString('en')}</b>
          </button>
        );
      })}
    </fieldset>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly change: (value: string) => void;
}

function Choice({ name, value, options, change }: ChoiceProps) {
  // What the address asks for stays chosen, also where nothing has it yet.
  const offered = value === '' || options.includes(value) ? options : [value, ...options];
  return (
    <label>
      <span class="caption">{name}</span>
      <select onChange={({ currentTarget }) => change(currentTarget.value)} value={value}>
        <option value="">Any</option>
        {offered.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Tags that are offered. Anything else can be typed. */
const mostTags = 200;

function choices(all: readonly Indexed[]) {
  const rotators = new Set<string>();
  const tags = new Set<string>();
  for (const { row } of all) {
    if (row.rotator !== undefined) rotators.add(row.rotator);
    if (tags.size >= mostTags) continue;
    for (const [name, value] of Object.entries(row.tags)) if (name !== 'rotator') tags.add(`${name}=${value}`);
  }
  return { rotators: [...rotators].sort(), tags: [...tags].sort().slice(0, mostTags) };
}

/** `/` leads to the search from anywhere that takes no text itself. */
function useSearchKey() {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      if (target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
  return search;
}
