// node listen.mjs ADDRESS TOKEN USER: tells two listens with the npm client
// "listenbrainz", and prints what it then reads back.
import listenbrainz from 'listenbrainz';

const [, , address, token, user] = process.argv;
const client = new listenbrainz.Client(token, `${address}/`);
const now = Math.floor(Date.now() / 1000);
for (const [i, name] of ['Jóga', 'Bachelorette'].entries()) {
  await client.submitListen({
    listen_type: 'single',
    payload: [{ listened_at: now - 600 + 300 * i, track_metadata: { artist_name: 'Björk', track_name: name, release_name: 'Homogenic' } }],
  });
}
let refused = '';
try {
  await client.submitListen({ listen_type: 'single', payload: [] });
} catch (error) {
  refused = String(error);
}
const listens = await client.getUserListens(user);
const latest = await client.getLatestImport(user);
console.log(JSON.stringify({ listens: listens.data, rate: listens.rate_limit, latest: latest.data, refused }));
