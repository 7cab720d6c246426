import { type Store, useStore } from '../state/store.ts';
import { type Theme, themes } from '../state/theme.ts';

const signs: Readonly<Record<Theme, string>> = { system: '◐', light: '☀', dark: '☾' };

/** Goes round the themes. */
export function ThemeButton({ theme }: { readonly theme: Store<Theme> }) {
  const current = useStore(theme);
  const next = themes[(themes.indexOf(current) + 1) % themes.length] ?? 'system';
  const label = `Theme: ${current}. Change to ${next}`;
  return (
    <button aria-label={label} class="quiet sign" onClick={() => theme.set(next)} title={label} type="button">
      {signs[current]}
    </button>
  );
}
