import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { linkFiles } from "../src/state-folder/link-files.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

/** Sends the head and `bytes` of a body that does not end, and returns what the server answers meanwhile. */
async function answerTo(bytes: number, { headers, ...place }: RequestOptions) {
  const type = { "content-type": "application/json", host: "localhost" };
  const sent = request({ ...place, method: "POST", path: "/links", headers: { ...type, ...headers } });
  sent.write(" ".repeat(bytes));
  const [message] = (await once(sent, "response")) as [IncomingMessage];
  const body = JSON.parse((await message.toArray()).join(""));
  sent.on("error", () => undefined).destroy();
  return [message.statusCode, body.code];
}

test("the admin API refuses a long body on both listeners, and another one without the scope, before it has arrived", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  const [state, port] = [join(folder, ".daypass"), await freePort()];
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", admin: { listen: `127.0.0.1:${port}` } }));
  await serve(folder, "--port", "0", "--config", config);
  const listener = async (scope: string) => {
    const { stdout } = await daypass(["tokens", "create", "--scope", scope, "--state", state]);
    const headers = { authorization: `Bearer ${stdout.trim()}`, host: `127.0.0.1:${port}` };
    return { host: "127.0.0.1", port, headers };
  };
  const writer = await listener("links:write");
  expect(await answerTo(300_000, { socketPath: linkFiles(state).adminSocket })).toEqual([413, "TOO_LARGE"]);
  expect(await answerTo(300_000, writer)).toEqual([413, "TOO_LARGE"]);
  expect(await answerTo(1, await listener("links:read"))).toEqual([403, "TOKEN_SCOPE"]);
});
