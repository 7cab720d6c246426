/** What a Teams workflow takes. Source: Adaptive Cards 1.4, and Microsoft's page "Create incoming webhooks with Workflows for Microsoft Teams". */
import type { Notice } from '../contract/notice.ts';
import { wordsOf } from './text.ts';

export function teamsBody(notice: Notice): unknown {
  const { urgent, what, next, facts } = wordsOf(notice);
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      textRun(what, { weight: 'Bolder', ...(urgent ? { color: 'Attention' } : {}) }),
      textRun(next),
      textRun(facts.map(([name, value]) => `${name}: ${value}`).join(' · '), { isSubtle: true, size: 'Small' }),
    ],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: card }] };
}

/** A run is never read as Markdown: a target's words cannot become a link. */
function textRun(text: string, look: Readonly<Record<string, string | boolean>> = {}) {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...look }] };
}
