import { createServer } from "node:http";

// What node:http alone can do: 1 KB from memory, no file, no signature, no log.
const body = Buffer.alloc(1024, "x");
const [, , port] = process.argv;

createServer((_request, response) => {
  response.writeHead(200, ["content-type", "application/octet-stream", "content-length", "1024"]);
  response.end(body.toString("latin1"), "latin1");
}).listen(Number(port), "127.0.0.1");
