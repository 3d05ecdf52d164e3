import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import type { UseStore } from "daypass";
import { signedRoute } from "daypass/routes/node";
import { type UrlHmacKey, urlSigner, urlVerifier } from "daypass/url";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

const EXAMPLE = new URL("../../../examples/routes/one-time-admin-api.js", import.meta.url).href;
const KEY: UrlHmacKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };

test("a one-time route with a wrong token of the admin API answers 500, and logs the reason that the gateway gave", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  const [admin, port] = [await freePort(), await freePort()];
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", admin: { listen: `127.0.0.1:${admin}` } }));
  await serve(folder, "--port", "0", "--config", config);
  await daypass(["tokens", "create", "--scope", "claims:write", "--state", join(folder, ".daypass")]);

  vi.stubEnv("DAYPASS_ADMIN", `http://127.0.0.1:${admin}`);
  vi.stubEnv("DAYPASS_ADMIN_TOKEN", "a-token-that-was-revoked");
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  const { uses } = (await import(EXAMPLE)) as { readonly uses: UseStore };
  const [signer, origins] = [urlSigner({ key: KEY }), [`http://127.0.0.1:${port}`]];
  const route = signedRoute({ path: "/a", signer, verifier: urlVerifier({ keys: [KEY], origins }), uses });
  const server = createServer(route.node((_grant, _params, _request, response) => response.end("served")));
  onTestFinished(() => void server.close());
  await once(server.listen(port, "127.0.0.1"), "listening");
  expect((await fetch(route.sign({}, { expiresIn: 60, uses: 1 }).url)).status).toBe(500);
  expect(logged.mock.calls.map((texts) => texts.join(" "))).toEqual([
    expect.stringMatching(
      /^daypass: .* 500: Error: the gateway refused a claim: 401 .*NO_TOKEN.*unknown or was revoked/,
    ),
  ]);
});
