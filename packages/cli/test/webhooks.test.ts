import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

async function run(args: readonly string[]): Promise<string> {
  const finished = await daypass(args);
  expect([finished.status, finished.stderr]).toEqual([0, ""]);
  return finished.stdout;
}

test("webhooks announces the deliveries of a link in order, and lists, removes and refuses targets", async () => {
  const got: string[] = [];
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    got.push(JSON.parse(body).type);
    response.end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void receiver.close());
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files/a.txt"), "first");
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", webhooks: { allowNetworks: ["127.0.0.0/8"] } }));
  const place = ["--state", join(folder, ".daypass")] as const;
  await serve(folder, "--port", "0", "--config", config);
  const link = JSON.parse(await run(["links", "create", "files/a.txt", "--max-deliveries", "1", "--json", ...place]));
  const target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const added = JSON.parse(await run(["webhooks", "add", target, "--link", link.id, "--json", ...place]));
  expect(added).toMatchObject({ url: target, link: link.id, secret: expect.stringMatching(/^whsec_/) });
  await (await fetch(`${link.url}?dl=0123456789abcdef`)).text();
  await expect.poll(() => got, { timeout: 10_000 }).toEqual(["delivery.started", "delivery.completed"]);
  expect(await run(["webhooks", "list", ...place])).toBe(
    `${added.id}  ${target}  delivery.started,delivery.completed  link ${link.id}\n`,
  );
  expect(await run(["webhooks", "dead", ...place])).toBe("");
  expect(await run(["webhooks", "resend", added.id, ...place])).toBe("0 will be sent again\n");
  expect(await run(["webhooks", "remove", added.id, ...place])).toBe("");
  const refused = await daypass(["webhooks", "add", "https://169.254.169.254/", ...place]);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("TARGET_REFUSED")]);
});

test.each([
  [["webhooks", "add"], "takes a URL"],
  [["webhooks", "list", "x"], "takes no argument"],
  [["webhooks", "send"], 'the action is "send". Pass '],
])("refuses daypass %j", async (args, text) => {
  const finished = await daypass(args as string[]);
  expect([finished.status, finished.stderr]).toEqual([2, expect.stringContaining(text)]);
});
