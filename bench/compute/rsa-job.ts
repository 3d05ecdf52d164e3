import { generateKeyPairSync } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { gcsSigner } from "daypass/gcs";
import { job, keyOf } from "./job.ts";

// A separate process, because the number of cores belongs to a process: signs with a service account's key and says how many
// URLs a second that gave, and how late the event loop came in the meantime.

const SECONDS = 2;
const WARM_UP = 200;
/** The finest that the timer of the histogram can do; without load it shows about this much. */
const RESOLUTION = 1;

const signer = gcsSigner({
  credentials: {
    client_email: "signer@example-project.iam.gserviceaccount.com",
    private_key: generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    }).privateKey,
  },
});

function* requests(until: (turn: number) => boolean) {
  for (let turn = 0; !until(turn); turn++) {
    yield { bucket: job.bucket, object: keyOf(turn), expiresIn: job.expiresIn };
  }
}

async function sign(until: (turn: number) => boolean): Promise<number> {
  let signed = 0;
  for await (const result of signer.signMany(requests(until))) {
    if ("error" in result) throw result.error;
    signed += 1;
  }
  return signed;
}

await sign((turn) => turn >= WARM_UP);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();
const begin = performance.now();
const signed = await sign(() => performance.now() - begin > SECONDS * 1000);
const seconds = (performance.now() - begin) / 1000;
delay.disable();
console.log(JSON.stringify({ perSecond: signed / seconds, lateMilliseconds: delay.percentile(99) / 1e6 - RESOLUTION }));
