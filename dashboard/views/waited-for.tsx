import type { Secret } from '../model/shapes.ts';
import { spanText } from '../model/time.ts';
import { When } from './parts.tsx';

/** Who keeps the old credential alive: sessions that were seen on it, and consumers that have not acknowledged the new one. */
export function WaitedFor({ secret }: { readonly secret: Secret }) {
  const { retireBy, retired, acknowledgements, waitsFor = [] } = secret;
  if (retireBy === undefined || retired === true) return null;
  const missing = acknowledgements?.missing ?? [];
  const named = new Set(missing.map(({ consumer }) => consumer));
  const sessions = waitsFor.filter((one) => !named.has(one));
  const nobody = missing.length === 0 && sessions.length === 0;
  return (
    <section class="card">
      <h2>On the old credential</h2>
      {nobody ? (
        <p>Nobody is seen on it.</p>
      ) : (
        <ul>
          {missing.map(({ consumer, forSeconds }) => (
            <li key={consumer}>
              <b>{consumer}</b> has not acknowledged the new version for {spanText(forSeconds * 1_000)}
            </li>
          ))}
          {sessions.map((session) => (
            <li key={session}>
              <b>{session}</b> has a session
            </li>
          ))}
        </ul>
      )}
      <p class="muted">
        It ends <When at={retireBy} full />, whoever is on it then.
      </p>
    </section>
  );
}
