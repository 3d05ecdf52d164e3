import cluster from "node:cluster";
import { createServer } from "node:http";

// The limit of node:http alone: 1 KB from memory, no file, no signature, no log. With workers, each process of a cluster accepts
// its own connections.
const body = Buffer.alloc(1024, "x");
const [, , port, workers = "0"] = process.argv;

if (cluster.isPrimary && workers !== "0") {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  for (let worker = 0; worker < Number(workers); worker++) cluster.fork();
} else {
  createServer((_request, response) => {
    response.writeHead(200, ["content-type", "application/octet-stream", "content-length", "1024"]);
    response.end(body.toString("latin1"), "latin1");
  }).listen(Number(port), "127.0.0.1");
}
