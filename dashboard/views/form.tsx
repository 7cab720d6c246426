import type { ComponentChildren } from 'preact';

/** Why, which is required wherever something changes. */
export function ReasonField() {
  return (
    <label class="field">
      <span>Reason</span>
      <textarea
        maxLength={512}
        name="reason"
        placeholder="Stands in the history for everybody to read"
        required
        rows={2}
      />
    </label>
  );
}

interface ButtonsProps {
  readonly label: ComponentChildren;
  readonly sending: boolean;
  readonly onCancel: () => void;
  readonly danger?: boolean;
  readonly disabled?: boolean;
}

export function Buttons({ label, sending, onCancel, danger = false, disabled = false }: ButtonsProps) {
  return (
    <div class="buttons">
      <button class="quiet" onClick={onCancel} type="button">
        Cancel
      </button>
      <button class={danger ? 'danger' : 'first'} disabled={sending || disabled} type="submit">
        {sending ? 'Sending …' : label}
      </button>
    </div>
  );
}

/** One line of what somebody typed into a field; empty where there is none. */
export function textIn(event: Event, name: string): string {
  const form = event.currentTarget;
  const value = form instanceof HTMLFormElement ? new FormData(form).get(name) : null;
  return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').trim() : '';
}

export function isChecked(event: Event, name: string): boolean {
  const form = event.currentTarget;
  return form instanceof HTMLFormElement && new FormData(form).get(name) === 'on';
}
