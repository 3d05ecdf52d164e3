import { join } from "node:path";
import { testGateway } from "@daypass/gateway/testing";
import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { expect, onTestFinished, test } from "vitest";
import { keyRing } from "../src/commands/serve/key-ring.ts";
import { keyStore } from "../src/state-folder/key-store.ts";
import { daypass, temporaryFolder } from "./command.ts";

/**
 * A gateway over the keys that `keys create` made, with a clock that the test moves. The links are signed by the library with the
 * bare secret, as any other tool would: a tool that knows the scope would refuse to sign.
 */
async function served(...created: readonly (readonly string[])[]) {
  const folder = join(temporaryFolder(), "state");
  const keys = [];
  for (const args of created) {
    const { stdout, stderr } = await daypass([
      ...["keys", "create", ...args, "--state", folder, "--show-secret", "--json"],
    ]);
    expect(stderr).not.toContain("daypass keys:");
    keys.push(JSON.parse(stdout));
  }
  let now = Date.now();
  const clock = (): Date => new Date(now);
  const ring = await keyRing(keyStore({ folder, env: {}, clock }), {
    clock,
    publicKeys: () => [],
    onGone: () => {},
  });
  const gateway = await testGateway({
    files: { "media/a.txt": "a" },
    gateway: () => ({ clock, keys: { s3: (id) => ring.s3(id), url: (kid) => ring.url(kid) } }),
  });
  onTestFinished(() => gateway.close());
  const code = async (url: string): Promise<string> => {
    const reply = await fetch(url);
    const text = await reply.text();
    return reply.ok ? "opens" : (/(?<=<Code>|"code":")\w+/.exec(text)?.[0] ?? text);
  };
  return {
    gateway,
    keys,
    code,
    to(at: number): void {
      now = at;
    },
    clock,
    s3(key: { readonly id: string; readonly secretAccessKey: string }, expiresIn: number): string {
      const credentials = { accessKeyId: key.id, secretAccessKey: key.secretAccessKey };
      const signer = s3Signer({ ...gateway.clients.daypass, credentials, clock });
      return signer.sign({ bucket: "media", key: "a.txt", expiresIn }).url;
    },
    url({ jwk }: { readonly jwk: { readonly scope?: unknown } }, expiresIn: number): string {
      const { scope: _, ...bare } = jwk;
      return urlSigner({ key: bare as never, clock }).sign({ url: `${gateway.url}/media/a.txt`, expiresIn }).url;
    },
  };
}

test("rejects the URLs of an expired access key", async () => {
  const end = Math.ceil(Date.now() / 1000) * 1000 + 600_000;
  const { keys, s3, code, to } = await served(["s3", "--until", new Date(end).toISOString()], ["s3"]);
  const [ending, lasting] = [s3(keys[0], 3600), s3(keys[1], 3600)];
  to(end - 1);
  expect([await code(ending), await code(lasting)]).toEqual(["opens", "opens"]);
  to(end);
  expect([await code(ending), await code(lasting)]).toEqual(["AccessDenied", "opens"]);
});

test("rejects an S3 URL that exceeds the maximum lifetime of its key", async () => {
  const { keys, s3, code } = await served(["s3", "--max-life", "10m"]);
  expect(await code(s3(keys[0], 600))).toBe("opens");
  expect(await code(s3(keys[0], 601))).toBe("AccessDenied");
});

test("rejects a Daypass URL that exceeds the maximum lifetime or the expiry of its key", async () => {
  const end = Math.ceil(Date.now() / 1000) * 1000 + 600_000;
  const { keys, url, code, to } = await served(
    ["url", "--max-life", "10m"],
    ["url", "--until", new Date(end).toISOString()],
  );
  expect(await code(url(keys[0], 600))).toBe("opens");
  expect(await code(url(keys[0], 601))).toBe("KEY_SCOPE");
  to(end - 60_000);
  expect(await code(url(keys[1], 60))).toBe("opens");
  expect(await code(url(keys[1], 61))).toBe("KEY_SCOPE");
});
