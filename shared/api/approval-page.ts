/**
 * The page behind a link in a message. It is the same for every request but for the id, which the link has already: what it shows is fetched
 * with the person's own sign-in, and what it changes is a POST of JSON that only its button sends. Texts are put in as text, never as HTML.
 */
export function approvalPage(id: string): string {
  return page.replace('APPROVAL_ID', id);
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Keyturn: a request waits for you</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
button { font: inherit; padding: .5rem 1.5rem; }
</style>
</head>
<body>
<h1>A request waits for a second person</h1>
<p id="say" role="status">Loading …</p>
<dl id="facts"></dl>
<p><button id="approve" hidden>Approve</button> <a id="sign-in" hidden>Sign in</a></p>
<script>
const at = '/api/v1/approvals/APPROVAL_ID';
const by = (id) => document.getElementById(id);
const say = (text) => { by('say').textContent = text; };
const facts = (pairs) => by('facts').replaceChildren(...pairs.flatMap(([name, value]) => {
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
  dt.textContent = name; dd.textContent = value;
  return [dt, dd];
}));
async function ask(path, options) {
  const answer = await fetch(path, { credentials: 'same-origin', redirect: 'error', ...options });
  return { status: answer.status, body: await answer.json().catch(() => ({})) };
}
async function look() {
  const { status, body } = await ask(at);
  if (status === 401) {
    by('sign-in').href = '/.auth/login/aad?post_login_redirect_uri=' + encodeURIComponent(location.pathname);
    by('sign-in').hidden = false;
    return say('Sign in to see it. Where this app has no sign-in page, run: keyturn approve ' + at.split('/').pop());
  }
  if (status !== 200) return say(body.detail || 'It cannot be shown.');
  facts([
    ['Who', body.requestedBy], ['What', body.action],
    ['Secret', body.matched === undefined ? body.vault + '/' + body.secret : body.matched + ' secrets'],
    ['Why', body.reason], ['Asked', JSON.stringify(body.asked)],
    ['Waits until', body.expiresAt], ...(body.approvedBy === undefined ? [] : [['Approved by', body.approvedBy]]),
  ]);
  say(body.state === 'waiting' ? 'Nothing is done until you approve it.' : 'It does not wait any more: ' + body.state + '.');
  by('approve').hidden = body.state !== 'waiting';
}
by('approve').addEventListener('click', async () => {
  by('approve').disabled = true;
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const { status, body } = await ask(at + '/approve', options);
  say(status < 300 ? 'Approved. It is on its way.' : (body.detail || 'It was refused.') + ' ' + (body.hint || ''));
  by('approve').hidden = true;
});
look().catch(() => say('The app gave no answer.'));
</script>
</body>
</html>
`;
