// Talks to a WebSocket that echoes with the package `ws`, and prints what came of it as JSON.
//
//   node ws.js URL PACKAGES [CA]
'use strict';
const fs = require('node:fs');
const {createRequire} = require('node:module');

const [url, packages, ca] = process.argv.slice(2);
const WebSocket = createRequire(`${packages}/`)('ws');
const SIZES = [0, 1, 125, 126, 127, 1000, 65535, 65536, 300000];

async function talk(deflate) {
  const options = {perMessageDeflate: deflate, ...(ca ? {ca: fs.readFileSync(ca)} : {})};
  const socket = new WebSocket(url, options);
  await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
  const next = () => new Promise((resolve) => {
    socket.once('message', (data, binary) => resolve([data, binary]));
  });
  let right = 0;
  for (const size of SIZES) {
    for (const binary of [false, true]) {
      const message = Buffer.alloc(size, 'abc');
      const answer = next();
      socket.send(message, {binary});
      const [data, kind] = await answer;
      if (data.equals(message) && kind === binary) right += 1;
    }
  }
  const answer = next();
  socket.send('a', {fin: false});
  socket.send('b'.repeat(10000), {fin: false});
  socket.send('c');
  const whole = (await answer)[0].toString() === `a${'b'.repeat(10000)}c`;
  const pong = new Promise((resolve) => { socket.once('pong', (data) => resolve(data.toString())); });
  socket.ping('are you there');
  const report = {right, whole, pong: await pong, extensions: socket.extensions};
  const closed = new Promise((resolve) => { socket.once('close', resolve); });
  socket.close(4001, 'done');
  report.code = await closed;
  return report;
}

(async () => console.log(JSON.stringify([await talk(false), await talk(true)])))().catch((error) => {
  console.error(error);
  process.exit(1);
});
