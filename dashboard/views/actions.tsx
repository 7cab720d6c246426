import { useState } from 'preact/hooks';
import { type ActionName, actions, offeredFor } from '../model/actions.ts';
import type { Secret } from '../model/shapes.ts';
import { useTools } from '../state/context.ts';
import { mayDo } from '../state/session.ts';
import { ActionDialog } from './action-dialog.tsx';

export function Actions({ secret, changed }: { readonly secret: Secret; readonly changed: () => void }) {
  const { me } = useTools();
  const [open, setOpen] = useState<ActionName>();
  const offered = offeredFor(secret);
  if (offered.length === 0) return null;
  const withheld = offered.filter((name) => !mayDo(me, actions[name].role));
  return (
    <>
      <fieldset class="actions">
        <legend class="hidden-text">Actions</legend>
        {offered.map((name) => {
          const { label, role, danger } = actions[name];
          const allowed = mayDo(me, role);
          const look = name === 'rotate' ? 'first' : danger ? 'danger' : '';
          return (
            <button class={look} disabled={!allowed} key={name} onClick={() => setOpen(name)} type="button">
              {label}
              {name === 'emergency' || name === 'rollback' || name === 'pause' ? ' …' : ''}
            </button>
          );
        })}
      </fieldset>
      {withheld.length > 0 && (
        <p class="muted">
          Without the role {withheld.some((name) => actions[name].role === 'operator') ? 'operator' : 'emergency'} some
          of them are off.
        </p>
      )}
      {open !== undefined && (
        <ActionDialog
          changed={changed}
          key={open}
          name={open}
          onClose={() => {
            setOpen(undefined);
            changed();
          }}
          secret={secret}
        />
      )}
    </>
  );
}
