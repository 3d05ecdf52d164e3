import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { guardNode } from "daypass/node";
import { urlVerifier } from "daypass/url";

const port = Number(process.env["PORT"] ?? 8080);
const folder = process.env["USES_FOLDER"] ?? "uses";
const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [`http://127.0.0.1:${port}`],
});

/**
 * Counts uses in files: only one process can create a file that must not exist. A cron job may delete files whose name begins with a past time.
 * @type {import("daypass").UseStore}
 */
const uses = {
  async claim(kid, grantId, limit, until) {
    const url = createHash("sha256").update(`${kid} ${grantId}`).digest("hex");
    for (let use = 1; use <= limit; use++) {
      if (await create(join(folder, `${until.getTime()}-${url}-${use}`))) return true;
    }
    return false;
  },
};

/** @param {string} path */
async function create(path) {
  try {
    await (await open(path, "wx")).close();
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
  // The use must survive a power cut before the answer is sent.
  const entries = await open(folder);
  await entries.sync();
  await entries.close();
  return true;
}

await mkdir(folder, { recursive: true });
const ticket = guardNode(verifier, (_grant, _req, res) => res.end("your ticket"), { uses });
createServer(ticket).listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
