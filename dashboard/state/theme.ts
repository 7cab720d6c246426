/** Dark or light: as the system says, until somebody chooses. */
import { makeStore, type Store } from './store.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const kept = 'keyturn-theme';

export function startTheme(): Store<Theme> {
  const before = localStorage.getItem(kept);
  const theme = makeStore<Theme>(themes.find((one) => one === before) ?? 'system');
  const show = (): void => {
    document.documentElement.dataset['theme'] = theme.get();
  };
  show();
  theme.subscribe(() => {
    localStorage.setItem(kept, theme.get());
    show();
  });
  return theme;
}
