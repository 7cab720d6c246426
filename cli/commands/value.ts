/** A secret's value, looked at and edited on this machine: for rotations by hand, while the app is down. */
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Format, formats, parseSecretValue, type SecretValue } from '../../shared/secret-value/index.ts';
import type { Command, Context } from '../command.ts';
import type { Given } from '../options.ts';
import { plain } from '../terminal/text.ts';
import { Stop, usageStop } from '../trouble.ts';

const verbs = ['login', 'replace'] as const;

export const value: Command = {
  name: 'value',
  summary: 'print the login in a value, or put another password into it; calls nobody',
  takes: verbs.join('|'),
  count: [1, 1],
  options: {
    login: { type: 'string', value: 'NAME', help: 'with replace: the login to write, where it is another one' },
    'password-env': { type: 'string', value: 'NAME', help: 'with replace: the environment variable with the password' },
    'keep-previous': { type: 'boolean', help: 'with replace, in JSON: keep the old one in the field "previous"' },
    format: { type: 'string', value: 'FORMAT', choices: formats, help: 'how the value is written (found out)' },
    'content-type': { type: 'string', value: 'TYPE', help: 'content type of the secret, where it has one' },
    field: { type: 'string', value: 'POINTER', help: 'the tag "field" of the secret, where it has one' },
  },
  about:
    'Reads the value from standard input. "replace" writes the new value to standard output, as a rotation would write it: everything but login and password stays as it is. It does not write to a terminal.',
  examples: [
    'printf %s "$VALUE" | keyturn value login',
    'VALUE=$(printf %s "$VALUE" | NEW="$NEW" keyturn value replace --login orders_app_alt --password-env NEW)',
  ],
  role: undefined,
  async run(context) {
    const verb = verbs.find((one) => one === context.given.args[0]);
    if (verb === undefined)
      throw usageStop(`keyturn value does not take "${context.given.args[0]}"`, `It takes ${verbs.join(' or ')}.`);
    const password = verb === 'replace' ? passwordOf(context) : undefined;
    if (password !== undefined && context.terminal.columns !== undefined)
      throw usageStop(
        'the new value would be shown on the terminal',
        'Catch it: VALUE=$(… | keyturn value replace …).',
      );
    const parsed = await read(context);
    if (password === undefined) {
      context.terminal.out(plain(parsed.credential.username ?? ''));
      return 'ok';
    }
    const login = context.given.text('login');
    const outcome = parsed.replace({
      password,
      ...(login === undefined ? {} : { username: login }),
      ...(context.given.flag('keep-previous') ? { parts: { previous: parsed.credential.password } } : {}),
    });
    if (outcome.kind === 'unreplaceable') throw unreadable(outcome.detail);
    context.terminal.write(outcome.value.reveal());
    return 'ok';
  },
};

function passwordOf({ given, env }: Context): SecretText {
  const name = given.text('password-env');
  const text = name === undefined ? undefined : env[name];
  if (name === undefined)
    throw usageStop('the new password is missing', 'Put it into a variable and name it: --password-env NEW.');
  if (text === undefined || text === '')
    throw usageStop(`the variable ${name} is not set`, `Give it to this command: ${name}="$${name}" keyturn value …`);
  return new SecretText(text);
}

async function read({ given, terminal }: Context): Promise<SecretValue> {
  const text = await terminal.input();
  if (text === undefined || text === '')
    throw usageStop('the value is missing', 'It comes on standard input: printf %s "$VALUE" | keyturn value …');
  const outcome = parseSecretValue(new SecretText(text), hintOf(given));
  if (outcome.kind === 'unreadable') throw unreadable(outcome.detail);
  return outcome.value;
}

function hintOf(given: Given) {
  const format: Format | undefined = formats.find((one) => one === given.text('format'));
  const contentType = given.text('content-type');
  const field = given.text('field');
  return {
    ...(format === undefined ? {} : { format }),
    ...(contentType === undefined || contentType === '' ? {} : { contentType }),
    ...(field === undefined || field === '' ? {} : { field }),
  };
}

function unreadable(detail: string): Stop {
  return new Stop({
    exit: 'failed',
    code: 'value-unreadable',
    message: detail,
    hint: 'Edit the value by hand, or say how it is written with --format or --field.',
    page: 'docs/errors/value-unreadable.md',
  });
}
