/**
 * The descriptions that come with Keyturn. JSON modules are read by Node from source and packed by the bundler alike, so that nothing
 * has to be found on disk. YAML would need a parser for the sake of comments that `documentation` makes up for.
 */
import cloudflare from './cloudflare.json' with { type: 'json' };
import confluent from './confluent.json' with { type: 'json' };
import datadog from './datadog.json' with { type: 'json' };
import github from './github.json' with { type: 'json' };
import mongodbAtlas from './mongodb-atlas.json' with { type: 'json' };
import newRelic from './new-relic.json' with { type: 'json' };
import openai from './openai.json' with { type: 'json' };
import pagerduty from './pagerduty.json' with { type: 'json' };
import sendgrid from './sendgrid.json' with { type: 'json' };
import stripe from './stripe.json' with { type: 'json' };
import twilio from './twilio.json' with { type: 'json' };

export const builtIn: readonly unknown[] = [
  cloudflare,
  confluent,
  datadog,
  github,
  mongodbAtlas,
  newRelic,
  openai,
  pagerduty,
  sendgrid,
  stripe,
  twilio,
];
