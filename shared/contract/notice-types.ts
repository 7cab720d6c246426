/** What consumers and people are told of. Apart from the notice itself, because the app reads its settings without loading schemas. */
export const noticeTypes = [
  'rotated',
  'retired',
  'waiting',
  'failed',
  'paused',
  'drifted',
  'announced',
  'reminder',
  'approval',
  'bypassed',
] as const;

export type NoticeType = (typeof noticeTypes)[number];
