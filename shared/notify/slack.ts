/** What Slack's incoming webhooks take. Source: Slack's pages "Sending messages using incoming webhooks" and "Formatting text". */
import type { Notice } from '../contract/notice.ts';
import { wordsOf } from './text.ts';

export function slackBody(notice: Notice): { readonly text: string } {
  const { urgent, what, next, facts } = wordsOf(notice);
  const small = facts.map(([name, value]) => `${name}: ${plain(value)}`).join(' · ');
  return { text: `${urgent ? ':rotating_light: ' : ''}*${plain(what)}*\n${plain(next)}\n_${small}_` };
}

/** Signs that Slack acts on: a target's words must not call everybody, link anywhere or change how the rest looks. */
function plain(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[*_~`]/g, (sign) => `${sign}\u200b`);
}
