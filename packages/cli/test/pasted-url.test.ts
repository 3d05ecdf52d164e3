import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { pastedUrl } from "../src/commands/explain/pasted-url.ts";
import { daypass } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
const clock = () => new Date("2026-01-02T03:04:05Z");
const url = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "talks/key note.mp4", expiresIn: 900 },
}).url;
const host = "media.s3.eu-west-1.amazonaws.com";
const path = url.slice(`https://${host}`.length);
const xml = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
const FOUND: Readonly<Record<string, readonly [text: string, method?: string]>> = {
  "a Markdown link": [`[the talk](${url})`],
  "a link of Slack": [`<${url}|the talk>`],
  "a sentence around it": [`Der Link ${url} geht nicht!`],
  "words behind it": [`${url} gives me 403`],
  "Chrome's console": [`app.js:12  PUT ${url} 403 (Forbidden)`, "PUT"],
  "Firefox' console": [`XHRGET${url}\n[HTTP/1.1 403 Forbidden 88ms]`],
  "a command": [`curl '${url}' \\\n  -X 'PUT' \\\n  -H 'content-type: image/jpeg'`, "PUT"],
  "what curl -v shows of HTTP/1.1": [
    `* Connected to ${host} port 443\n> GET ${path} HTTP/1.1\n> Host: ${host}\n> \n< HTTP/1.1 403 Forbidden\n< \n${xml}`,
    "GET",
  ],
  "what curl -v shows of HTTP/2": [
    `* [HTTP/2] [1] [:method: PUT]\n* [HTTP/2] [1] [:authority: ${host}]\n* [HTTP/2] [1] [:path: ${path}]\n> PUT ${path} HTTP/2\n> Host: ${host}\n`,
    "PUT",
  ],
  "an entry of a HAR file": [JSON.stringify({ request: { method: "PUT", url } }, undefined, 2), "PUT"],
  "axios' exception": [`AxiosError: 403\n  config: {\n    method: 'put',\n    url: '${url}',\n  }`],
  "requests' exception": [`requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${url}`],
  "Guzzle's exception": [`Client error: \`GET ${url}\` resulted in a \`403 Forbidden\` response:\n${xml}`, "GET"],
  "Java's exception": [`java.io.IOException: Server returned HTTP response code: 403 for URL: ${url}\n\tat x`],
  "a link behind a scanner of mail": [`https://eur01.safelinks.example.com/?url=${encodeURIComponent(url)}&data=05`],
  "one that was encoded": [encodeURIComponent(url)],
  "one without its protocol": [url.slice("https://".length)],
  "one that begins with two slashes": [url.slice("https:".length)],
  "the second of two, where the first is not signed": [`https://example.com/a?b=c ${url}`],
};

describe("what somebody pastes", () => {
  test("a link of a service that writes the URL in a spelling of its own is left to explain as a whole", async () => {
    const stars = btoa(url.replace(/[^%]/g, ""));
    const links = [
      `https://urldefense.com/v3/__${url.replaceAll("%", "*")}__;${stars}!!a-b!c$`,
      `https://url.avanan.click/v2/___${url}___.YXBzMTp`,
    ];
    for (const link of links) expect(await pastedUrl(`see ${link} now`)).toMatchObject({ url: link });
  });

  test.each(Object.entries(FOUND))("%s", async (_, [text, method]) => {
    expect(await pastedUrl(text)).toMatchObject({ url, isPart: true });
    expect((await pastedUrl(text)).method).toBe(method);
  });

  test("a URL alone loses the marks around it", async () => {
    for (const text of [url, `${url}\n`, `"${url}"`, `'${url}'`, `<${url}>`, `\`${url}\``, `**${url}**`]) {
      expect(await pastedUrl(text)).toEqual({ url, isPart: false });
    }
  });

  test("a URL alone is left to explain, escaped or damaged", async () => {
    for (const text of [
      `${url}.`,
      url.replaceAll("&", "&amp;"),
      url.replaceAll("&", "&amp;").replaceAll("=", "&#x3D;"),
      url.replaceAll("&", "\\u0026").replaceAll("=", "\\u003d"),
      url.replaceAll("/", "\\/"),
      url.replace(/[?&=]/g, "\\$&"),
      url.replaceAll("=", "=3D"),
      url.replaceAll("%", "%25"),
      url.replace(/.{70}/g, "$&\n"),
      url.replace(/.{70}/g, "$&\n> "),
      url.slice(0, -20),
      url.split("&", 1)[0] as string,
      `${url.slice(0, 120)}…`,
    ]) {
      expect(await pastedUrl(text)).toEqual({ url: text, isPart: false });
    }
  });

  test("what is no signed URL is left to explain, and a path is asked for its host", async () => {
    for (const text of ["https://example.com/a.txt", "https://example.com/a.txt 403", "s3://media/a.txt", " "])
      expect(await pastedUrl(text)).toEqual({ url: text, isPart: false });
    await expect(pastedUrl("it does not work, 403")).rejects.toThrow("a signed URL in the text, found none");
    for (const text of [path, path.slice(path.indexOf("?")), `203.0.113.9 - - "GET ${path} HTTP/1.1" 403 555`])
      await expect(pastedUrl(text)).rejects.toThrow("put https:// and the host in front of it");
  });

  test("the body of an answer stands in it, and what a browser says of a preflight", async () => {
    const { errorBody } = await pastedUrl(`GET ${url} 403\n${xml}`);
    expect(errorBody).toBe(xml);
    const blocked = `Access to fetch at '${url}' from origin 'https://app.example.com' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present.`;
    const { status, stdout } = await daypass(["explain", blocked, "--at", "2026-01-02T03:05:00Z", "--json"]);
    expect([status, JSON.parse(stdout).cause.code]).toEqual([0, "CORS"]);
  });

  test("the page that a browser names, for the CORS rule, and no hint to ask for that rule", async () => {
    const at = ["--at", "2026-01-02T03:05:00Z"];
    const isMissing = "No 'Access-Control-Allow-Origin' header is present.";
    for (const blocked of [
      `Access to fetch at '${url}' from origin 'http://localhost:8081' has been blocked by CORS policy: ${isMissing}`,
      `XMLHttpRequest cannot load ${url} Origin http://localhost:8081 is not allowed by Access-Control-Allow-Origin.`,
    ]) {
      const { stdout, stderr } = await daypass(["explain", blocked, ...at]);
      expect(stdout).toContain('"http://localhost:8081"');
      expect(stderr).not.toContain("--method");
      const other = await daypass(["explain", blocked, ...at, "--origin", "https://b.example"]);
      expect(other.stdout).toContain('"https://b.example"');
    }
  });
});

test("explain - reads it from standard input, and says without the signature what it has found", async () => {
  const input = `> GET ${path} HTTP/1.1\n> Host: ${host}\n< HTTP/1.1 403 Forbidden\n\n${xml}`;
  const { status, stdout, stderr } = await daypass(["explain", "-"], { input });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^The URL has expired/)]);
  expect(stderr).toMatch(/^Found in the text: GET https:\/\/media\.s3\..*X-Amz-Signature=REDACTED/);
  const twice = await daypass(["explain", "-", "--error", "-"], { input });
  expect([twice.status, twice.stderr]).toEqual([2, expect.stringContaining("standard input")]);
});

describe("an answer without its URL", () => {
  const canonical = `GET\n/${url.split("?")[0]?.split("/").slice(3).join("/")}\n${url.split("?")[1]?.split("&X-Amz-Signature")[0]}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const signature = /X-Amz-Signature=(.*)/.exec(url)?.[1];
  const body = `<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided.</Message><SignatureProvided>${signature}</SignatureProvided><CanonicalRequest>${canonical.replaceAll("&", "&amp;")}</CanonicalRequest></Error>`;

  test("of S3 shows the URL, which is explained", async () => {
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: "another" };
    const { stdout, stderr } = await daypass(["explain", "-", "--at", "2026-01-02T03:05:00Z"], { input: body, env });
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
    [
      "<html><center><h1>413 Request Entity Too Large</h1></center><hr><center>nginx</center></html>",
      /^nginx does not accept a body/,
    ],
    ["curl: (6) Could not resolve host: minio", /^The client cannot resolve the host/],
  ])("is explained by its own words: %s", async (text, says) => {
    const { status, stdout, stderr } = await daypass(["explain", text]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(says)]);
    expect(stderr).toMatch(/^This is only the answer\./);
    expect(JSON.parse((await daypass(["explain", text, "--json"])).stdout)).toEqual({ cause: expect.any(Object) });
  });
});

test("what a client, or an exception, has made of an answer is read beside the URL", async () => {
  for (const [text, code] of [
    [`GET ${url} net::ERR_NAME_NOT_RESOLVED`, "HOST"],
    [
      `Access to fetch at '${url}' from origin 'null' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.`,
      "CORS",
    ],
    [
      `An error occurred (ExpiredToken) when calling the GetObject operation: The provided token has expired. ${url}`,
      "EXPIRED_TOKEN",
    ],
  ] as const) {
    const { stdout } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z", "--json"]);
    expect(JSON.parse(stdout).cause.code).toBe(code);
  }
});

test("what curl said of its tries is none of an answer that came", async () => {
  const input = `* connect to ::1 port 443 failed: Connection refused\n* Connected to ${host}\n> GET ${path} HTTP/1.1\n> Host: ${host}\n> \n< HTTP/1.1 403 Forbidden\n< \n`;
  const { stdout } = await daypass(["explain", "-", "--at", "2026-01-02T03:05:00Z", "--json"], { input });
  expect(JSON.parse(stdout).cause.code).toBe("SERVER");
});

test.each([
  [`wget --method=HEAD -S '${url}'\n  HTTP/1.1 403 Forbidden`, 403, "METHOD"],
  [`> HEAD ${path} HTTP/2\n> Host: ${host}\n> Accept: */*\n> \n< HTTP/2 403 \n< server: AmazonS3\n< \n`, 403, "METHOD"],
  [`app.js:12  GET ${url} 403 (Forbidden)`, 403, "SERVER"],
  [`requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${url}`, 403, "SERVER"],
  [`203.0.113.9 - - "GET ${url} HTTP/1.1" 403 243`, 403, "SERVER"],
  [`GET ${url} 200 (OK)`, undefined, undefined],
])("the status of a refusal without its body: %s", async (text, status, code) => {
  expect((await pastedUrl(text)).status).toBe(status);
  const { stdout } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z", "--json"]);
  expect(JSON.parse(stdout).cause?.code).toBe(code);
});

test("a redirect that led to the URL is no answer to it", async () => {
  const led = `< HTTP/1.1 302 Found\r\n< Location: ${url}\r\n< \r\n`;
  expect((await pastedUrl(led)).status).toBeUndefined();
  const { stdout } = await daypass(["explain", led, "--at", "2026-01-02T03:05:00Z", "--json"]);
  expect(JSON.parse(stdout).cause).toBeUndefined();
  expect((await pastedUrl(`GET ${url}\n< HTTP/1.1 307 Temporary Redirect\r\n`)).status).toBe(307);
});
