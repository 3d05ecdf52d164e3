/** The shortest program on Node that sends a file: its length, and `createReadStream` into the response. No signature, no log. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";

const [, , port, folder] = process.argv;

createServer((request, response) => {
  const path = `${folder}${request.url?.split("?")[0]}`;
  response.writeHead(200, { "content-length": statSync(path).size });
  createReadStream(path).pipe(response);
}).listen(Number(port), "127.0.0.1");
