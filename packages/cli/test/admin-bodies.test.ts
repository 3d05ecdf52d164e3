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

test("the admin API refuses to revoke a text that is no URL, and a URL that the gateway would refuse, with 400", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  const { origin } = new URL((await serve(folder, "--port", "0")).said.url);
  const state = join(folder, ".daypass");
  await daypass(["tokens", "create", "--scope", "links:read", "--state", state]);
  const { adminSocket: socketPath } = linkFiles(state);
  const revoke = async (url: string) => {
    const headers = { "content-type": "application/json", host: "localhost" };
    const sent = request({ socketPath, method: "POST", path: "/revocations", headers }).end(JSON.stringify({ url }));
    const [message] = (await once(sent, "response")) as [IncomingMessage];
    return [message.statusCode, JSON.parse((await message.toArray()).join("")).code];
  };
  const inputs: Record<string, string> = {};
  for (const url of ["", "x", "x:y", "ftp://a/b", "http:x", "http://", "http://[/a", "/l/x"])
    inputs[url] = "INVALID_INPUT";
  inputs["https://example.com/a"] = "NO_SIGNATURE";
  inputs[`${origin}/files/a?dp-sig=x`] = "MALFORMED";
  inputs[`${origin}/files/a\\b`] = "INVALID_REQUEST";
  inputs[`${origin}/files/${"a".repeat(20_000)}`] = "URI_TOO_LONG";
  for (const [url, code] of Object.entries(inputs)) expect([url, ...(await revoke(url))]).toEqual([url, 400, code]);
});
