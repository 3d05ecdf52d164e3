import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

// Sends a GET every 1/RATE seconds for some seconds, whether or not earlier answers have come, and prints latencies as JSON. A latency
// counts from the instant at which the request was due, so that a stall of the server counts for every request that it delays.
const [, , port, file = "", rate = "", seconds = ""] = process.argv;
const CONNECTIONS = 8;
const END = Buffer.from("\r\n\r\n");
const gapMs = 1000 / Number(rate);
const total = Number(rate) * Number(seconds);
const requests = readFileSync(file, "utf8")
  .trimEnd()
  .split("\n")
  .map((target) => Buffer.from(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`));

/** Milliseconds. */
const latencies = new Float64Array(total);
/** Sends the request of this number. */
const idle: ((number: number) => void)[] = [];
let sent = 0;
let done = 0;
let refused = 0;
let begin = 0;

/** One request at a time: the next is sent after the answer, which has no body. */
async function open(): Promise<void> {
  const socket = connect(Number(port), "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  let current = 0;
  const send = (number: number): void => {
    current = number;
    socket.write(requests[number % requests.length] ?? "");
  };
  socket.on("data", (answer: Buffer) => {
    if (!answer.subarray(-4).equals(END)) throw new Error("an answer came in parts");
    if (answer.toString("latin1", 9, 12) !== "200") refused++;
    latencies[current] = performance.now() - begin - current * gapMs;
    done++;
    idle.push(send);
  });
  idle.push(send);
}

await Promise.all(Array.from({ length: CONNECTIONS }, open));
begin = performance.now();

// A timer has a resolution of a millisecond, so this process looks at the clock and its sockets all the time.
function turn(): void {
  while (sent < total && idle.length > 0 && performance.now() - begin >= sent * gapMs) {
    idle.shift()?.(sent++);
  }
  if (done < total) setImmediate(turn);
  else {
    latencies.sort();
    const at = (share: number): number => latencies[Math.ceil(total * share) - 1] ?? 0;
    console.log(JSON.stringify({ refused, p50: at(0.5), p99: at(0.99) }));
    process.exit();
  }
}
turn();
