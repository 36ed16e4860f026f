// node scrobble.mjs PORT USER PASSWORD SECRET: logs in, scrobbles and loves with
// the npm client "lastfm-ts-api", and prints what it then reads back. The client
// speaks HTTPS and knows no ports: the agent's default is the server's.
import dns from 'node:dns';
import https from 'node:https';
import { LastFMAuth, LastFMTrack, LastFMUser } from 'lastfm-ts-api';

const [, , port, user, password, secret] = process.argv;
https.globalAgent.defaultPort = Number(port);
dns.setDefaultResultOrder('ipv4first'); // the server of the test listens on 127.0.0.1 alone
const config = { hostname: 'localhost', path: '/2.0/' };
const key = 'a key of the test';

const auth = new LastFMAuth(key, secret, undefined, config);
let refused = '';
try {
  await new LastFMAuth(key, 'another secret', undefined, config).getMobileSession({ username: user, password });
} catch (error) {
  refused = error.message;
}
const { session } = await auth.getMobileSession({ username: user, password });
const tracks = new LastFMTrack(key, secret, session.key, config);
const now = Math.floor(Date.now() / 1000);
await tracks.updateNowPlaying({ artist: 'Air', track: 'Run' });
const { scrobbles } = await tracks.scrobbleMany([
  { artist: 'Air', track: 'Cherry Blossom Girl', album: 'Talkie Walkie', timestamp: now - 900 },
  { artist: 'Air', track: 'Venus', timestamp: now - 600, duration: 244 },
  { artist: 'Air', track: 'Too Early', timestamp: 3 },
]);
await tracks.love({ artist: 'Air', track: 'Venus' });
// To look, it sends no session but the API key alone: here a token does as one.
const recent = await new LastFMUser(password, secret, undefined, config).getRecentTracks({ user, limit: 10 });
console.log(JSON.stringify({ session, scrobbles, recent: recent.recenttracks, refused }));
