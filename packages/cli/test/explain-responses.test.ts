import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { pastedUrl } from "../src/commands/explain/pasted/signed-url.ts";
import { daypass } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
const clock = () => new Date("2026-01-02T03:04:05Z");
const AT = ["--at", "2026-01-02T03:05:00Z"];
const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "talks/key note.mp4", expiresIn: 900 },
});
const host = "media.s3.eu-west-1.amazonaws.com";
const path = url.slice(`https://${host}`.length);
const xml = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";

describe("a response beside the URL", () => {
  const RESPONSES: [text: string, status?: number | undefined, code?: string | undefined][] = [
    [`wget --method=HEAD -S '${url}'\n  HTTP/1.1 403 Forbidden`, 403, "SERVER"],
    [
      `> HEAD ${path} HTTP/2\n> Host: ${host}\n> Accept: */*\n> \n< HTTP/2 403 \n< server: AmazonS3\n< \n`,
      403,
      "METHOD",
    ],
    [`app.js:12  GET ${url} 403 (Forbidden)`, 403, "SERVER"],
    [`requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${url}`, 403, "SERVER"],
    [`203.0.113.9 - - "GET ${url} HTTP/1.1" 403 243`, 403, "SERVER"],
    [`GET ${url}\n< HTTP/1.1 307 Temporary Redirect\r\n`, 307, "ENDPOINT"],
    [`GET ${url} 200 (OK)`, 200, undefined],
    [`$ curl -I '${url}'\nHTTP/1.1 403 Forbidden\n`, 403, "METHOD"],
    [`PUT ${url} net::ERR_FAILED`, undefined, "CORS"],
    [`${url}\nUncaught (in promise) TypeError: Failed to fetch`, undefined, "CORS"],
    [`${url}\nTypeError: fetch failed\n  cause: Error: read ETIMEDOUT`, undefined, "HOST"],
    // The redirect that led to the URL is not the response to the URL.
    [`< HTTP/1.1 302 Found\r\n< Location: ${url}\r\n< \r\n`, undefined, undefined],
    // curl's failed connection attempts are not the cause once the server has answered.
    [
      `* connect to ::1 port 443 failed: Connection refused\n* Connected to ${host}\n> GET ${path} HTTP/1.1\n> Host: ${host}\n> \n< HTTP/1.1 403 Forbidden\n< \n`,
      403,
      "SERVER",
    ],
    // The request succeeded, so errors of other requests are not the cause.
    [`redis: Connection refused\nPUT ${url} 200 (OK)\nGET https://other.example.com/ 403 (Forbidden)`, 200, undefined],
    [`GET ${url} net::ERR_NAME_NOT_RESOLVED`, undefined, "HOST"],
    [
      `Access to fetch at '${url}' from origin 'null' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.`,
      undefined,
      "CORS",
    ],
    [
      `Access to fetch at '${url}' from origin 'https://app.example.com' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present.`,
      undefined,
      "CORS",
    ],
    [
      `An error occurred (ExpiredToken) when calling the GetObject operation: The provided token has expired. ${url}`,
      undefined,
      "EXPIRED_TOKEN",
    ],
  ];

  test.each(RESPONSES)("explains the status or the client's error: %s", async (text = "", status, code) => {
    expect((await pastedUrl(text)).status).toBe(status);
    const { stdout } = await daypass(["explain", text, ...AT, "--json"]);
    expect(JSON.parse(stdout).cause?.code).toBe(code);
  });

  test("reads the error body behind the URL", async () => {
    expect(await pastedUrl(`GET ${url} 403\n${xml}`)).toMatchObject({ url, errorBody: xml });
  });

  test.each([
    `Access to fetch at '${url}' from origin 'http://localhost:8081' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present.`,
    `XMLHttpRequest cannot load ${url} Origin http://localhost:8081 is not allowed by Access-Control-Allow-Origin.`,
  ])("writes the CORS rule for the page that the browser names: %s", async (blocked) => {
    const { stdout, stderr } = await daypass(["explain", blocked, ...AT]);
    expect(stdout).toContain('"http://localhost:8081"');
    expect(stderr).not.toContain("--method");
    const other = await daypass(["explain", blocked, ...AT, "--origin", "https://b.example"]);
    expect(other.stdout).toContain('"https://b.example"');
  });
});

describe("a response without its URL", () => {
  test("explains the URL that S3's error contains", async () => {
    const canonical = `GET\n/${url.split("?")[0]?.split("/").slice(3).join("/")}\n${url.split("?")[1]?.split("&X-Amz-Signature")[0]}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
    const signature = /X-Amz-Signature=(.*)/.exec(url)?.[1];
    const body = `<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided.</Message><SignatureProvided>${signature}</SignatureProvided><CanonicalRequest>${canonical.replaceAll("&", "&amp;")}</CanonicalRequest></Error>`;
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: "another" };
    const { stdout, stderr } = await daypass(["explain", "-", ...AT], { input: body, env });
    expect(stderr).toMatch(/^Found in the text: https:\/\/media\.s3\..*X-Amz-Signature=REDACTED/);
    expect(stdout).toMatch(/^The URL was signed with a different secret than the one given for AKIDEXAMPLE/);
    expect(stdout + stderr).not.toContain(signature);
  });

  test.each([
    [xml, /^The URL has expired/],
    [
      "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
      /^The session token/,
    ],
    [
      "botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId) when calling x",
      /^The server does not know/,
    ],
    [
      "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><StringToSign>PUT\n\nimage/png\n1767323945\n/b/k</StringToSign></Error>",
      /^The signature does not fit the request that the server saw, a PUT with the content-type image\/png/,
    ],
    ["curl: (6) Could not resolve host: minio", /^The client cannot resolve the host/],
  ])("explains %s by its own text", async (text, sentence) => {
    const { status, stdout, stderr } = await daypass(["explain", text]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(sentence)]);
    expect(stderr).toMatch(/^This is only the answer\./);
    expect(JSON.parse((await daypass(["explain", text, "--json"])).stdout)).toEqual({ cause: expect.any(Object) });
  });
});
