import { describe, expect, test } from "vitest";
import { cpuMilliseconds } from "../../daypass/test/cpu-time.ts";
import { AWS_URLS } from "../../daypass/test/explain/aws-urls.ts";
import { BEARER_URLS } from "../../daypass/test/explain/bearer-urls.ts";
import { pastedUrl } from "../src/commands/explain/pasted-url.ts";
import { urlsInText } from "../src/commands/scan/urls-in-text.ts";
import { daypass } from "./command.ts";
import { scan } from "./scanning.ts";

const { eks, msk, rds, dsql, memorydb, iot } = AWS_URLS;

/** As their own tools show them. */
const TEXTS: Readonly<Record<string, readonly [url: string, text: string]>> = {
  "what aws eks get-token prints": [
    eks,
    JSON.stringify({ kind: "ExecCredential", status: { token: eks } }, undefined, 2),
  ],
  "a login of kubectl's": [eks, `curl -H "Authorization: Bearer ${eks}" https://example.com`],
  "a password in the environment": [rds, `export PGPASSWORD="${rds}"\npsql -h db -U app`],
  "a password in a program": [dsql, `const password = '${dsql}';`],
  "a password of a cache": [memorydb.replace("http://", ""), `AUTH app ${memorydb.replace("http://", "")}`],
  "a token in a broker's log": [msk, `oauthbearer token=${msk}, lifetime=900`],
  "a WebSocket in a browser's console": [
    iot,
    `WebSocket connection to '${iot}' failed: Error during WebSocket handshake`,
  ],
};

describe("tokens that are signed URLs", () => {
  test.each(Object.entries(TEXTS))(
    "scan finds one in %s, and shows nothing that opens anything",
    async (_, [url, text]) => {
      const { status, found } = await scan(["-"], text);
      expect([status, found.map(({ life, scheme }) => [life, scheme])]).toEqual([1, [["live", "aws"]]]);
      expect(found[0]?.url).toMatch(/X-Amz-Signature=REDACTED/);
      expect(JSON.stringify(found)).not.toContain(url.slice(-30));
    },
  );

  test.each(Object.entries(TEXTS))("explain reads one out of %s", async (_, [url, text]) => {
    expect(await pastedUrl(text)).toMatchObject({ url });
    const { status, stdout, stderr } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/scheme +aws/)]);
    expect(stdout + stderr).not.toContain(url.slice(-30));
  });

  test.each([eks, msk, rds, iot])("explain reads one that stands alone: %s", async (url) => {
    const { status, stdout, stderr } = await daypass(["explain", url, "--at", "2026-01-02T03:05:00Z"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/scheme +aws/)]);
    expect(stdout + stderr).not.toContain(url.slice(-30));
  });

  test("scan finds every one that can be read and not checked, and shows nothing that opens anything", async () => {
    const { status, found } = await scan(["-"], BEARER_URLS.map(({ url }) => url).join("\n"));
    expect(status).toBe(1);
    expect(found.map(({ line, life, scheme }) => [line, life, scheme])).toEqual(
      BEARER_URLS.map(({ scheme }, i) => [i + 1, "live", scheme]),
    );
    const shown = JSON.stringify(found);
    for (const { secret } of BEARER_URLS) expect(shown).not.toContain(secret);
  });

  test("a text of nothing but their beginnings takes no longer than its length", async () => {
    for (const piece of [
      "k8s-aws-v1.aHR0c",
      "/?Action=connect",
      "a/?Action=connect&",
      "aHR0cHM6Ly9rYWZrYS",
      "wss://",
    ]) {
      const text = piece.repeat(1_000_000 / piece.length);
      expect(await cpuMilliseconds(() => [...urlsInText(text)]), piece).toBeLessThan(4000);
    }
  });
});
