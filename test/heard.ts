/** News that no channel waits for is not put into the queue. Settings with a channel that waits for all of it, and cannot be reached. */
export const heardSettings: Readonly<Record<string, string>> = {
  KEYTURN_CHANNELS: JSON.stringify({
    hook: { kind: 'webhook', url: 'http://127.0.0.1:9/', signingSecret: 'hook-signing' },
  }),
  KEYTURN_NOTIFY: 'hook',
};
