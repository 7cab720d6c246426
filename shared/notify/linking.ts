import { withLinks } from '../links.ts';
import type { Sender } from './sender.ts';

/** The same channel, told links to the docs where a notice names a page. `docsUrl` empty: it is told the paths. */
export function linking(sender: Sender, docsUrl: string): Sender {
  const linked = (text: string): string => withLinks(text, docsUrl);
  return {
    send: ({ failure, warnings, ...notice }, signal) =>
      sender.send(
        {
          ...notice,
          ...(warnings === undefined ? {} : { warnings: warnings.map(linked) }),
          ...(failure === undefined
            ? {}
            : {
                failure: {
                  code: failure.code,
                  message: linked(failure.message),
                  hint: linked(failure.hint),
                  page: linked(failure.page),
                },
              }),
        },
        signal,
      ),
  };
}
