import { readFileSync, writeFileSync } from "node:fs";
import { testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { startRadosgw } from "../../tools/radosgw-server.ts";
import type { ClientTarget } from "../clients/client.ts";
import { prepare, table } from "../requests-table.ts";
import { startSwift } from "../servers/swift.ts";

const region = "us-east-1";
const page = new URL("../../docs/conformance.md", import.meta.url);
const BEGIN = "<!-- requests: begin -->\n";
const END = "<!-- requests: end -->";

interface Started {
  readonly target: ClientTarget;
  stop(): Promise<void>;
}

const servers: Readonly<Record<"daypass" | "radosgw" | "Swift's s3api", () => Promise<Started>>> = {
  async daypass() {
    const gateway = await testGateway();
    return { target: { endpoint: gateway.url, region, credentials: gateway.accessKey }, stop: gateway.close };
  },
  async radosgw() {
    const { endpoint, credentials, stop } = await startRadosgw();
    return { target: { endpoint, region, credentials }, stop };
  },
  async "Swift's s3api"() {
    const { endpoint, s3, stop } = await startSwift();
    return { target: { endpoint, region, credentials: s3 }, stop };
  },
};

const missing = needs("radosgw", "radosgw-admin", "swift-proxy-server");

describe.skipIf(missing)(`26 requests, to the gateway and to two other servers${missing ?? ""}`, () => {
  const started = new Map<string, Started>();
  const lines: string[] = [];

  beforeAll(async () => {
    for (const [name, start] of Object.entries(servers)) {
      const server = await start();
      started.set(name, server);
      await prepare(server.target, "table");
    }
  }, 60_000);

  // `npm run conformance` writes the table; otherwise, a table that differs fails.
  afterAll(async () => {
    for (const server of started.values()) await server.stop();
    if (lines.length < table.length) return;
    const [before = "", rest = ""] = readFileSync(page, "utf8").split(BEGIN);
    const [written, after = ""] = rest.split(END);
    const names = Object.keys(servers);
    const text = [
      `| request | Amazon | ${names.join(" | ")} |`,
      `|---|---|${names.map(() => "---|").join("")}`,
      ...lines,
      "",
    ].join("\n");
    if (process.env["CONFORMANCE"] === "write") writeFileSync(page, `${before}${BEGIN}${text}${END}${after}`);
    else expect(written).toBe(text);
  });

  test.each(table)("$name", async ({ name, expected, send }) => {
    const answers: Record<string, string> = {};
    for (const [server, { target }] of started) {
      const { status, code } = await send(target, "table");
      answers[server] = `${status} ${code}`.trim();
    }
    const amazon = expected.join(" ").trim();
    lines.push(
      `| ${[name, amazon, ...Object.values(answers).map((answer) => (answer === amazon ? "✓" : `**${answer}**`))].join(" | ")} |`,
    );
    expect(answers["daypass"]).toBe(amazon);
  });
});
