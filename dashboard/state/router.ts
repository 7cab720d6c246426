/** Addresses without loading the page again. */
import { type Place, placeOf } from '../model/place.ts';
import { makeStore, type Store } from './store.ts';

export interface Router {
  readonly place: Store<Place>;
  /** A new page. */
  go(address: string): void;
  /** The same page seen otherwise: no step of its own for the browser's "back". */
  replace(address: string): void;
}

export function startRouter(): Router {
  const here = () => placeOf(location.pathname, location.search);
  const place = makeStore<Place>(here());
  /** How far down a list was when it was left, by its step in the browser's history. */
  const scrolled = new Map<string, number>();
  const stepOf = (state: unknown) =>
    typeof state === 'object' && state !== null && 'step' in state ? String(state.step) : '';
  let step = stepOf(history.state);

  const go = (address: string): void => {
    scrolled.set(step, window.scrollY);
    step = crypto.randomUUID();
    history.pushState({ step }, '', address);
    place.set(here());
    window.scrollTo(0, 0);
  };

  history.scrollRestoration = 'manual';
  window.addEventListener('popstate', ({ state }) => {
    scrolled.set(step, window.scrollY);
    step = stepOf(state);
    place.set(here());
    // Once the page is drawn and as long as it was.
    requestAnimationFrame(() => requestAnimationFrame(() => window.scrollTo(0, scrolled.get(step) ?? 0)));
  });
  document.addEventListener('click', (event) => {
    const address = addressWithin(event);
    if (address === undefined) return;
    event.preventDefault();
    go(address);
  });
  return {
    place,
    go,
    replace(address) {
      history.replaceState({ step }, '', address);
      place.set(here());
    },
  };
}

/** Of a plain click on a link to a page of ours; a new tab, a download and an address of the platform are the browser's. */
function addressWithin(event: MouseEvent): string | undefined {
  if (event.defaultPrevented || event.button !== 0) return undefined;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return undefined;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.origin !== location.origin || link.target !== '') return undefined;
  return link.pathname.startsWith('/.auth/') || link.hash !== '' ? undefined : link.pathname + link.search;
}
