import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { send } from "../src/commands/doctor/http-request.ts";
import { AWS, daypass, start, temporaryFolder, words } from "./command.ts";

interface Report {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly verdict: string;
    readonly sentence: string;
    readonly fix?: string;
  }[];
  readonly contentSecurityPolicy?: string;
  readonly cors?: unknown;
}

async function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = { ...AWS, AWS_REGION: "us-east-1" },
): Promise<{
  readonly status: number | null;
  readonly report: Report;
  readonly verdicts: Readonly<Record<string, string>>;
}> {
  const { status, stdout } = await daypass(["doctor", ...args, "--json"], { env });
  expect(stdout).not.toContain(AWS.AWS_SECRET_ACCESS_KEY);
  const report: Report = JSON.parse(stdout);
  for (const { sentence, verdict, fix } of report.findings) {
    expect(sentence).toMatch(/\.$/);
    // Every problem has a remedy.
    expect(fix !== undefined).toBe(verdict === "problem" || verdict === "warning");
  }
  return {
    status,
    report,
    verdicts: Object.fromEntries(report.findings.map(({ check, verdict }) => [check, verdict])),
  };
}

async function gateway(config: object = {}): Promise<{ readonly args: readonly string[] }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files", "media"), { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const child = start(words`serve ${join(folder, "files")} --port 0 --json --config ${join(folder, "config.json")}`);
  const [line] = await once(child.stdout, "data");
  const { s3Endpoint } = JSON.parse(String(line)) as { readonly s3Endpoint: string };
  return { args: ["s3://media", "--endpoint", s3Endpoint, "--state", join(folder, "files", ".daypass")] };
}

/** A server with this listener. */
async function server(listener: RequestListener): Promise<string> {
  const listening = createServer({ keepAlive: false }, listener).listen(0, "127.0.0.1");
  await once(listening, "listening");
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

test("finds no problem with a gateway that allows the page", async () => {
  const { args } = await gateway({ cors: { origins: ["https://page.example"] } });
  const { status, report, verdicts } = await doctor([...args, "--origin", "https://page.example"], {});
  expect([status, report.ok]).toEqual([0, true]);
  expect(verdicts).toMatchObject({
    reach: "ok",
    clock: "ok",
    region: "ok",
    signature: "ok",
    put: "ok",
    get: "ok",
    delete: "ok",
    preflight: "ok",
  });
  // Another page is refused, with the rule that would allow it.
  const other = await doctor([...args, "--origin", "https://other.example", "--read-only"], {});
  expect([other.status, other.verdicts["preflight"], other.verdicts["put"]]).toEqual([1, "problem", undefined]);
  expect(other.report.contentSecurityPolicy).toMatch(/^connect-src http:\/\/127\.0\.0\.1:\d+$/);
  expect(other.report.cors).toHaveProperty("CORSRules.0.AllowedOrigins", ["https://other.example"]);
});

test("reports a wrong region, bucket and access key", async () => {
  const { args } = await gateway();
  const region = await doctor([...args, "--region", "eu-west-9", "--read-only"], {});
  expect(region.report.findings.find(({ check }) => check === "region")).toMatchObject({
    verdict: "problem",
    sentence: expect.stringContaining("us-east-1"),
    fix: expect.stringContaining("--region us-east-1"),
  });
  // The other checks used the right region.
  expect([region.status, region.verdicts["signature"], region.verdicts["get"]]).toEqual([1, "ok", "ok"]);
  const bucket = await doctor(["s3://nobodys", ...args.slice(1)], {});
  expect([bucket.status, bucket.report.findings.at(-1)?.sentence]).toEqual([1, "There is no bucket nobodys."]);
  const [, , endpoint = ""] = args;
  const stranger = await doctor(["s3://media", "--endpoint", endpoint]);
  expect([stranger.status, stranger.report.findings.at(-1)?.sentence]).toEqual([
    1,
    expect.stringContaining("InvalidAccessKeyId"),
  ]);
});

test.each([
  [1200, "problem", "behind"],
  [-1200, "problem", "ahead of"],
  [60, "warning", "behind"],
  [0, "ok", "differ by"],
])("rates a server clock that is %i s ahead: %s", async (seconds, verdict, words) => {
  const endpoint = await server((_, response) => {
    response.setHeader("date", new Date(Date.now() + seconds * 1000).toUTCString());
    response.end("<ListBucketResult/>");
  });
  const { report } = await doctor(["s3://media", "--endpoint", endpoint, "--read-only"]);
  expect(report.findings.find(({ check }) => check === "clock")).toMatchObject({
    verdict,
    sentence: expect.stringContaining(words),
  });
});

test("reads the region from a redirect", async () => {
  const endpoint = await server((request, response) => {
    if (request.url?.includes("eu-central-1")) return response.end("<ListBucketResult/>");
    response.writeHead(301, { "x-amz-bucket-region": "eu-central-1" });
    response.end("<Error><Code>PermanentRedirect</Code></Error>");
  });
  const { verdicts, report } = await doctor(["s3://media", "--endpoint", endpoint, "--read-only"]);
  expect(verdicts).toMatchObject({ region: "problem", signature: "ok" });
  expect(report.findings.find(({ check }) => check === "region")?.fix).toContain("--region eu-central-1");
});

test("reports a website with status 200 as not S3 storage", async () => {
  const site = await server((_, response) => void response.end("<html><body>hello</body></html>"));
  const { status, verdicts, report } = await doctor(["s3://media", "--endpoint", site, "--read-only"]);
  expect([status, verdicts["signature"]]).toEqual([1, "problem"]);
  expect(report.findings.at(-1)?.sentence).toContain("no ListBucketResult");
  const half = await server((request, response) => {
    response.end(request.url?.includes("list-type") ? "<ListBucketResult/>" : "<html>hello</html>");
  });
  expect((await doctor(["s3://media", "--endpoint", half, "--read-only"])).verdicts["cors"]).toBe("skipped");
});

test.each([401, 403, 404, 405, 503])("reports a website with status %i as not S3 storage", async (answer) => {
  const site = await server((_, response) => response.writeHead(answer).end("<html><body>no</body></html>"));
  const { status, report } = await doctor(["s3://media", "--endpoint", site, "--read-only"]);
  expect([status, report.findings.at(-1)]).toMatchObject([
    1,
    { check: "signature", verdict: "problem", sentence: expect.stringContaining("not S3 storage") },
  ]);
});

test("reports the page of a proxy as not S3 storage", async () => {
  const page = "<html><body><h1>502 Bad Gateway</h1><hr><center>nginx</center></body></html>";
  const site = await server((_, response) => response.writeHead(502).end(page));
  const { report } = await doctor(["s3://media", "--endpoint", site, "--read-only"]);
  expect(report.findings.at(-1)).toMatchObject({ check: "signature", sentence: expect.stringContaining("with 502") });
});

test("reports a timeout with its duration", async () => {
  const url = await server(() => {});
  await expect(send({ url, method: "GET", limitMs: 50 })).rejects.toThrow("no answer within 0.05 s");
  const slow = await server((_, response) => void response.write("<"));
  await expect(send({ url: slow, method: "GET", limitMs: 200 })).rejects.toThrow("no answer within 0.2 s");
});

test("reports earlier findings and the stored object if the server stops responding", async () => {
  const listing = "<ListBucketResult><Name>media</Name></ListBucketResult>";
  for (const [first, lost] of [
    ["PUT", ["put", "cors", "preflight"]],
    ["GET", ["get", "delete", "cors", "preflight"]],
  ] as const) {
    const listener: RequestListener = (request, response) => {
      if (request.url?.includes("list-type=")) response.end(listing);
      else if (request.method === "PUT" && first === "GET") response.end();
      else request.socket.destroy();
    };
    const endpoint = await server(listener);
    const args = ["s3://media", "--endpoint", endpoint, "--origin", "https://app.example.com"];
    const { status, report } = await doctor(args);
    const found = report.findings.filter(({ sentence }) => sentence.includes("ECONNRESET"));
    expect([status, new Set(found.map(({ check }) => check))]).toEqual([1, new Set(lost)]);
    expect(found[first === "PUT" ? 0 : 1]?.fix).toMatch(/aws s3 rm s3:\/\/media\/daypass-doctor-/);
  }
});

test("rates expiring credentials and a missing session token", async () => {
  const life = async (env: Readonly<Record<string, string>>) => {
    const { report } = await doctor(["s3://media", "--endpoint", "http://127.0.0.1:9"], {
      AWS_REGION: "x",
      ...AWS,
      ...env,
    });
    expect(report.findings.map(({ check }) => check)).toEqual(["credentials", "reach"]);
    const isSent = report.findings[0]?.sentence.includes("in -") !== true;
    expect(report.findings[1]?.sentence).toContain(isSent ? "cannot be reached" : "no URL can be signed");
    return report.findings[0]?.verdict;
  };
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
  const AWS_SESSION_TOKEN = "t";
  expect(await life({})).toBe("ok");
  expect(await life({ AWS_SESSION_TOKEN })).toBe("warning");
  expect(await life({ AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION: inSeconds(600) })).toBe("warning");
  expect(await life({ AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION: inSeconds(-600) })).toBe("problem");
  expect(await life({ AWS_ACCESS_KEY_ID: "ASIAEXAMPLE" })).toBe("problem");
});

test("reports a server that switches protocols as unreachable", async () => {
  const endpoint = await server((_, { socket }) => {
    socket?.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  const { status, report } = await doctor(["s3://media", "--endpoint", endpoint]);
  expect([status, report.ok]).toEqual([1, false]);
  expect(report.findings.at(-1)?.sentence).toContain("cannot be reached");
});

test("prints its findings as text", async () => {
  const { args } = await gateway();
  const { status, stdout } = await daypass(["doctor", ...args]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ok {7}credentials {2}The key .*\nok {7}reach/);
  expect(stdout).toMatch(/\n {2}aws s3api put-bucket-cors --bucket media --endpoint-url http:.*\n {2}\{\n/);
});
