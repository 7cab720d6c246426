/**
 * The app while its settings are wrong. Every function is there and says what is wrong, because an app that does not load looks like one that
 * was never deployed: an empty 404 everywhere, and the reason in a log that nobody reads.
 */
import { app, type HttpRequest, type HttpResponseInit, type InvocationContext, output } from '@azure/functions';
import { describeProblems, type SettingProblem } from '../shared/config/settings.ts';
import { logTo } from '../shared/telemetry.ts';
import { connection } from './register.ts';
import { registerPage } from './register-page.ts';
import type { AppFunction } from './table.ts';

/** Thrown so that whoever asked asks again. */
class SettingsWrong extends Error {
  override readonly name = 'SettingsWrong';
}

/** A message is put back before it is delivered for the last time: the platform gives it up after five. */
const putBackAtDelivery = 4;

/** Tells the platform of one function that refuses. Once for each. */
export function registerRefusing(one: AppFunction, problems: readonly SettingProblem[]): void {
  const detail = `Keyturn does no work until its settings are corrected. ${describeProblems(problems)}`;
  const say = (context: InvocationContext) =>
    logTo(context).error('settings-wrong', { detail, page: 'docs/on-call/app-down.md' });
  const { name } = one;
  switch (one.kind) {
    case 'queue':
      refuseMessages(name, one.queue, say, detail);
      return;
    case 'timer':
      app.timer(name, {
        ...{ schedule: one.schedule, runOnStartup: true },
        handler: async (_timer, context: InvocationContext) => say(context),
      });
      return;
    case 'event':
      app.eventGrid(name, {
        handler: async (_event, context: InvocationContext) => {
          say(context);
          // Event Grid sends it again for a day.
          throw new SettingsWrong(detail);
        },
      });
      return;
    case 'http':
      app.http(name, {
        ...{ authLevel: 'anonymous', methods: [...one.methods], route: one.route },
        handler: async (request, context) => {
          say(context);
          return refuse(request, detail);
        },
      });
      return;
    case 'page':
      // It shows what the API answers, which is what is wrong.
      registerPage(one);
  }
}

function refuseMessages(
  name: string,
  queueName: string,
  say: (context: InvocationContext) => void,
  detail: string,
): void {
  const back = output.storageQueue({ queueName, connection });
  app.storageQueue(name, {
    ...{ queueName, connection, extraOutputs: [back] },
    handler: async (message: unknown, context: InvocationContext) => {
      say(context);
      // Poison would need a person for each message; put back, it is done when the settings are right.
      if (Number(context.triggerMetadata?.['dequeueCount']) < putBackAtDelivery) throw new SettingsWrong(detail);
      context.extraOutputs.set(back, message);
    },
  });
}

async function refuse({ method }: HttpRequest, detail: string): Promise<HttpResponseInit> {
  const [{ alwaysSent }, { problem }] = await Promise.all([
    import('../shared/api/answer.ts'),
    import('../shared/api/problem.ts'),
  ]);
  const { status, headers, body } = problem('settings-wrong', detail);
  const all = { ...headers, ...alwaysSent };
  return method === 'HEAD' ? { status, headers: all } : { status, headers: all, body: JSON.stringify(body) };
}
