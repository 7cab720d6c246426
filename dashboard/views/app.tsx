import { useEffect } from 'preact/hooks';
import { titleOf } from '../model/place.ts';
import type { Client } from '../state/client.ts';
import { ToolsContext, useTools } from '../state/context.ts';
import type { FleetWatch } from '../state/fleet-watch.ts';
import type { Router } from '../state/router.ts';
import type { SessionKeeper } from '../state/session.ts';
import { type Store, useStore } from '../state/store.ts';
import type { Theme } from '../state/theme.ts';
import { ApprovalsPage } from './approvals.tsx';
import { CalendarPage } from './calendar.tsx';
import { FleetPage } from './fleet.tsx';
import { Header } from './header.tsx';
import { ListPage } from './list.tsx';
import { SecretPage } from './secret.tsx';
import { SignIn } from './sign-in.tsx';
import { StatusLine } from './status-line.tsx';

interface AppProps {
  readonly client: Client;
  readonly keeper: SessionKeeper;
  readonly router: Router;
  readonly theme: Store<Theme>;
  readonly watch: FleetWatch;
}

export function App({ client, keeper, router, theme, watch }: AppProps) {
  const session = useStore(keeper.session);
  const signedIn = session.kind === 'signed-in';
  useEffect(() => (signedIn ? watch.start() : watch.stop()), [signedIn, watch]);
  if (session.kind !== 'signed-in') return <SignIn keeper={keeper} session={session} theme={theme} />;
  return (
    <ToolsContext.Provider value={{ client, watch, router, me: session.me }}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Header keeper={keeper} theme={theme} />
      <StatusLine />
      <Page />
    </ToolsContext.Provider>
  );
}

function Page() {
  const place = useStore(useTools().router.place);
  const title = titleOf(place);
  const where = place.page === 'secret' ? `${place.vault}/${place.secret}` : place.page;
  useEffect(() => {
    document.title = `${title} · Keyturn`;
  }, [title]);
  useEffect(() => {
    // A screen reader says where it is now; the first page says so by its title.
    if (history.state !== null) document.getElementById('title')?.focus({ preventScroll: true });
  }, [where]);
  switch (place.page) {
    case 'list':
      return <ListPage filters={place.filters} />;
    case 'secret':
      return <SecretPage key={where} secret={place.secret} vault={place.vault} />;
    case 'approvals':
      return <ApprovalsPage id={place.id} />;
    case 'calendar':
      return <CalendarPage />;
    case 'fleet':
      return <FleetPage />;
  }
}
