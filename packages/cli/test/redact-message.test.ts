import { describe, expect, test } from "vitest";
import { redactMessage } from "../src/redact-message.ts";
import { daypass } from "./command.ts";

const SECRET = "1b9a8639e18b562797d555c8f1f4cf1bd1a3ad5f6ac38caf5d6c7ba4b7c0ffee";
const V4 = `https://s3.example.com/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Security-Token=${SECRET}&X-Amz-Signature=${SECRET}`;
const SAS = `https://a.blob.core.windows.net/c/b?sv=2022-11-02&sp=r&sig=${SECRET}%3D`;

describe("CVE-2017-8761: redactMessage()", () => {
  test.each([
    `the target is ${JSON.stringify(V4)}. Write s3://bucket/key`,
    `the folder to serve, ${V4}, does not exist or is a file. Create it, or name another`,
    `ENOENT: no such file or directory, open '${SAS}'`,
    `${JSON.stringify(`curl '${V4}' -o x; curl "${SAS}"`)} is not a command. See daypass --help`,
    `--error names ${V4.slice("https://s3.example.com".length)}, which does not exist. Check the spelling`,
    `${SAS} is not a command. See daypass --help`,
    `found http://name:${SECRET}@store.example.com/b`,
    `found ${JSON.stringify(SAS.replace("/b?", "/it's.txt?"))}`,
    `found ${JSON.stringify(V4.replaceAll("&", "\\u0026"))}`,
    `found ${V4.replace("/k?", "/a k?")}`,
    `found "store.example.com${V4.slice(V4.indexOf("?"))}": quote it`,
    `found https://app.example.com/?next=${encodeURIComponent(V4)}`,
    `found X-Amz-Signature=${SECRET}, and no URL`,
    `found X-Amz-Signature%3D${SECRET}, and no URL`,
    `found daypass://files.example.com/a?dp-key=k1&dp-signature=${SECRET}`,
  ])("redacts the signature in %s", async (message) => {
    const redacted = await redactMessage(message);
    expect(redacted).not.toContain(SECRET);
    expect(redacted).toContain("REDACTED");
    expect(redacted.slice(0, 12)).toBe(message.slice(0, 12));
  });

  test("does not change other messages", async () => {
    for (const message of [
      '--port is "70000". Pass a whole number from 0 to 65535',
      "the folder to serve, /srv/files, does not exist or is a file. Create it",
      "the Host 127.0.0.1:8080 is not of http://internal:3000,https://*.files.example.com",
      "a=b&c is /tmp/a?b: ENOENT",
      "",
    ])
      expect(await redactMessage(message)).toBe(message);
    expect(await redactMessage(`found none at ${SAS}: create it`)).toMatch(
      /^found none at https:\/\/a\.blob.*REDACTED: create it$/,
    );
  });

  test("redacts long messages in linear time", async () => {
    for (const piece of [":", "a", ".", "/", "/'", "sig=", "sig=a&", "u0026", "%3F", "-"]) {
      for (const text of [`/?${piece.repeat(262_144 / piece.length)}x`, `? ${piece.repeat(262_144 / piece.length)}x`])
        expect(await redactMessage(text), piece).toBeDefined();
    }
  });

  test.each([[[]], [["--json"]]])("redacts the message of a command (%j)", async (options) => {
    const { status, stdout, stderr } = await daypass(["doctor", V4, ...options]);
    expect(status).toBe(2);
    expect(stdout + stderr).toMatch(/the bucket is .*X-Amz-Signature=REDACTED/);
    expect(stdout + stderr).not.toContain(SECRET);
  });
});
