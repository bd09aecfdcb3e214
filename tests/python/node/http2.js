// Asks a server over HTTP/2 with Node's own client, and prints what came of it as JSON.
//
//   node http2.js URL [CA]
'use strict';
const fs = require('node:fs');
const http2 = require('node:http2');

const [url, ca] = process.argv.slice(2);
const session = http2.connect(url, ca ? {ca: fs.readFileSync(ca)} : {});
session.on('error', (error) => { throw error; });

function ask(path, body) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const stream = session.request({':method': method, ':path': path});
    const answer = {status: 0, body: Buffer.alloc(0), trailers: {}};
    const parts = [];
    stream.on('response', (fields) => { answer.status = fields[':status']; });
    stream.on('trailers', (fields) => { answer.trailers = {...fields}; });
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => { answer.body = Buffer.concat(parts); resolve(answer); });
    stream.on('error', reject);
    stream.end(body);
  });
}

function reset(path) {
  return new Promise((resolve) => {
    const stream = session.request({':path': path});
    stream.on('error', () => {});
    stream.on('response', () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on('close', () => resolve(stream.rstCode));
    stream.resume();
  });
}

async function main() {
  const sizes = [...Array(50).keys()].map((number) => number * 3000);
  const bodies = sizes.map((size, number) => Buffer.alloc(size, number));
  // All at once on one connection.
  const echoes = await Promise.all(bodies.map((body) => ask('/echo', body)));
  const large = Buffer.alloc(5 << 20, 'x');
  const code = await reset('/stream?n=1000&size=1000&pause=0.01');
  const report = {
    alpn: session.alpnProtocol,
    right: echoes.filter((echo, i) => echo.status === 200 && echo.body.equals(bodies[i])).length,
    counted: (await ask('/count', large)).body.toString(),
    reset: code,
    hello: (await ask('/hello?id=7')).body.toString(),
  };
  report.ping = await new Promise((resolve) => session.ping((error) => resolve(error === null)));
  session.close(() => console.log(JSON.stringify(report)));
}

main().catch((error) => { console.error(error); process.exit(1); });
