import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { pastedUrl } from "../src/commands/explain/pasted/signed-url.ts";
import { daypass, temporaryFolder } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
const clock = () => new Date("2026-01-02T03:04:05Z");
const AT = ["--at", "2026-01-02T03:05:00Z"];
const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "talks/key note.jpg", expiresIn: 900, method: "PUT" },
  bind: { contentType: "image/jpeg" },
});
const host = "media.s3.eu-west-1.amazonaws.com";
const path = url.slice(`https://${host}`.length);
const xml = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
const SENT = { accept: "*/*", "content-type": "image/png", cookie: "sid=s3cr3t-of-a-session" };
const headers = Object.entries(SENT);

/** A word as Chrome writes it for Windows' cmd. */
const cmd = (word: string): string =>
  `^"${word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]/g, "^$&")
    .replace(/%(?=[a-zA-Z0-9_])/g, "%^")}^"`;

/** Texts that contain the URL, with the method that they state. */
const TEXTS: [name: string, text: string, method?: string][] = [
  ["a Markdown link", `[the talk](${url})`],
  ["a Slack link", `<${url}|the talk>`],
  ["a sentence", `Der Link ${url} geht nicht!`],
  ["a URL followed by words", `${url} gives me 403`],
  ["Chrome's console", `app.js:12  PUT ${url} 403 (Forbidden)`, "PUT"],
  ["Firefox's console", `XHRGET${url}\n[HTTP/1.1 403 Forbidden 88ms]`],
  ["a curl command", `curl '${url}' \\\n  -X 'PUT' \\\n  -H 'content-type: image/jpeg'`, "PUT"],
  [
    "curl -v over HTTP/1.1",
    `* Connected to ${host} port 443\n> GET ${path} HTTP/1.1\n> Host: ${host}\n> \n< HTTP/1.1 403 Forbidden\n< \n${xml}`,
    "GET",
  ],
  [
    "curl -v over HTTP/2",
    `* [HTTP/2] [1] [:method: PUT]\n* [HTTP/2] [1] [:authority: ${host}]\n* [HTTP/2] [1] [:path: ${path}]\n> PUT ${path} HTTP/2\n> Host: ${host}\n`,
    "PUT",
  ],
  ["a HAR entry", JSON.stringify({ request: { method: "PUT", url } }, undefined, 2), "PUT"],
  ["an axios exception", `AxiosError: 403\n  config: {\n    method: 'put',\n    url: '${url}',\n  }`],
  ["a requests exception", `requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${url}`],
  ["a Guzzle exception", `Client error: \`GET ${url}\` resulted in a \`403 Forbidden\` response:\n${xml}`, "GET"],
  ["a Java exception", `java.io.IOException: Server returned HTTP response code: 403 for URL: ${url}\n\tat x`],
  ["a percent-encoded URL", encodeURIComponent(url)],
  [
    "a link of Outlook's Safe Links",
    `See https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(url)}&data=05%7C02&reserved=0 please`,
  ],
  ["a link of Slack alone", `https://slack-redir.net/link?url=${encodeURIComponent(url)}`],
  ["a URL without its protocol", url.slice("https://".length)],
  ["a URL that begins with two slashes", url.slice("https:".length)],
  ["an unsigned URL before the signed one", `https://example.com/a?b=c ${url}`],
];

describe("the signed URL in pasted text", () => {
  test.each(TEXTS)("finds the URL in %s", async (_, text = "", method) => {
    const { url: found, isPart, method: stated } = await pastedUrl(text);
    expect([found, isPart, stated]).toEqual([url, true, method]);
  });

  test.each([url, `${url}\n`, `"${url}"`, `'${url}'`, `<${url}>`, `\`${url}\``, `**${url}**`])(
    "returns a lone URL without its quotes: %s",
    async (text) => {
      expect(await pastedUrl(text)).toEqual({ url, isPart: false });
    },
  );

  test.each([
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
    ...["https://example.com/a.txt", "https://example.com/a.txt 403", "s3://media/a.txt", " "],
  ])("returns a damaged or unsigned URL unchanged, for explain to repair: %j", async (text) => {
    expect(await pastedUrl(text)).toEqual({ url: text, isPart: false });
  });

  test.each([
    ["it does not work, 403", "the text has no signed URL"],
    [path, "Put https:// and the host in front of the path"],
    [path.slice(path.indexOf("?")), "Put https:// and the host in front of the path"],
    [`203.0.113.9 - - "GET ${path} HTTP/1.1" 403 555`, "Put https:// and the host in front of the path"],
  ])("rejects a text without a whole URL: %s", async (text, message) => {
    await expect(pastedUrl(text)).rejects.toThrow(message);
  });

  test("reads standard input for -, and prints the found URL without its signature", async () => {
    const input = `> GET ${path} HTTP/1.1\n> Host: ${host}\n< HTTP/1.1 403 Forbidden\n\n${xml}`;
    const { status, stdout, stderr } = await daypass(["explain", "-"], { input });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^The URL has expired/)]);
    expect(stderr).toMatch(/^Found in the text: GET https:\/\/media\.s3\..*X-Amz-Signature=REDACTED/);
    const twice = await daypass(["explain", "-", "--error", "-"], { input });
    expect([twice.status, twice.stderr]).toEqual([2, expect.stringContaining("standard input")]);
  });

  test.each([
    ["line ends", `${"\n".repeat(200_000)}GET ${path} HTTP/1.1\nHost: ${host}\n`],
    ["an escaped body", `curl -T a '${url}' --data-raw "${'a\\"'.repeat(2_000_000)}"`],
    ["curl options", `${"curl -o a ".repeat(100_000)} '${url}'`],
    ["unfinished curl commands", `${url} x\n${"curl -G -d a ".repeat(5000)}`],
  ])("finds the URL in a long text of %s in linear time", async (_, text) => {
    expect((await pastedUrl(text)).url).toMatch(/^https:\/\/media\.s3/);
  });
});

/** Each sends a PUT with the headers of `SENT`. */
const REQUESTS: Readonly<Record<string, string>> = {
  "Chrome's Copy as cURL (bash)": `curl '${url}' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  -H 'content-type: image/png' \\\n  -b 'sid=s3cr3t-of-a-session' \\\n  --data-raw $'\\u0000\\'x'`,
  "Firefox's Copy as cURL (bash)": `curl '${url}' \\\n  -X PUT \\\n  -H 'Accept: */*' \\\n  -H 'Content-Type: image/png' \\\n  -H 'Cookie: sid=s3cr3t-of-a-session' \\\n  --data-binary '@a.png'`,
  "Chrome's Copy as cURL (cmd)": `curl ${cmd(url)} ^\n  -X ^"PUT^" ^\n${headers.map(([name, value]) => `  -H ${cmd(`${name}: ${value}`)}`).join(" ^\n")} ^\n  --data-raw ${cmd('{"a":1}')}`,
  "an older Chrome's Copy as cURL (cmd)": `curl "${url.replaceAll("&", "^&").replaceAll("%", "^%^")}" ^\n  -X "PUT" ^\n${headers.map(([name, value]) => `  -H "${name}: ${value}"`).join(" ^\n")}`,
  "Postman's curl command": `curl --location --request PUT '${url}' \\\n--header 'Accept: */*' \\\n--header 'Content-Type: image/png' \\\n--header 'Cookie: sid=s3cr3t-of-a-session' \\\n--data '@/a.png'`,
  "a handwritten curl command": `$ curl -sSXPUT -H "Accept: */*" -HContent-Type:image/png --cookie="sid=s3cr3t-of-a-session" -T a.png "${url}"`,
  "a script with a variable and commented-out commands": `URL="${url}"\n# curl -X DELETE "$URL"\ncurl -X PUT -H 'Accept: */*' -H 'Content-Type: image/png' -b sid=s3cr3t-of-a-session "$URL"`,
  "a command behind root's prompt": `# curl -X PUT -H 'Accept: */*' -H 'Content-Type: image/png' -b sid=s3cr3t-of-a-session "${url}"`,
  "a HAR entry": JSON.stringify({
    request: { method: "PUT", url, headers: headers.map(([name, value]) => ({ name, value })) },
    response: { status: 403, content: { text: "" } },
  }),
  "the output of curl -v": `> PUT ${path} HTTP/2\n> Host: ${host}\n${headers.map(([name, value]) => `> ${name}: ${value}`).join("\n")}\n> \n< HTTP/2 403 \n< content-type: application/xml\n`,
  "Copy request headers": `PUT ${path} HTTP/1.1\nHost: ${host}\nAccept: */*\nContent-Type: image/png\nCookie: sid=s3cr3t-of-a-session\n`,
};

describe("the request in pasted text", () => {
  test.each(Object.entries(REQUESTS))("reads method and headers from %s", async (_, text) => {
    const { method, headers = {}, ...found } = await pastedUrl(text);
    expect([found.url, method]).toEqual([url, "PUT"]);
    const { host: _host, ...rest } = headers;
    expect(rest).toEqual(SENT);
  });

  test.each(Object.entries(REQUESTS))(
    "compares headers with the signed ones, and shows no cookie of %s",
    async (_, text) => {
      const { stdout, stderr } = await daypass(["explain", "-", ...AT, "--reveal"], { input: text, env });
      expect(stdout).toMatch(/^The header content-type was signed as "image\/jpeg" and sent as "image\/png"\./);
      expect(stderr).toMatch(/^Found in the text: PUT https:.*, sent with .*cookie/);
      expect(stdout + stderr).not.toContain("s3cr3t");
    },
  );

  test.each([
    ["curl 'URL'", "GET", {}],
    ["curl -I 'URL'", "HEAD", {}],
    ["curl -sIL -o /dev/null 'URL'", "HEAD", {}],
    ["curl -G -d a=b 'URL'", "GET", {}],
    ["curl -d @a.png 'URL'", "POST", { "content-type": "application/x-www-form-urlencoded" }],
    ["curl -X PUT -H 'Content-Type:' -d @a.png 'URL'", "PUT", {}],
    ["curl -F file=@a.png 'URL'", "POST", { "content-type": "multipart/form-data" }],
    ["curl --json '{}' 'URL'", "POST", { "content-type": "application/json" }],
    ["curl -T a.png -H 'X-Empty;' 'URL'", "PUT", { "x-empty": "" }],
    ["curl -r 0-0 -u user:p4ssw0rd 'URL'", "GET", { range: "bytes=0-0", authorization: "Basic -" }],
    ["curl --oauth2-bearer t0ken 'URL' | jq .", "GET", { authorization: "Bearer -" }],
    [
      "curl -H 'Authorization: Bearer t0ken' -H \"Accept: a\\\"b\" 'URL'",
      "GET",
      { authorization: "Bearer -", accept: 'a"b' },
    ],
    // Values of variables and files are unknown.
    ["curl -X \"$METHOD\" -H 'Content-Type: image/jpeg' 'URL'", undefined, { "content-type": "image/jpeg" }],
    ["curl -T a -H \"Content-Type: $TYPE\" 'URL'", "PUT", undefined],
    ["curl -T a -H \"Content-Type: $(file -b --mime-type a)\" 'URL'", "PUT", undefined],
    ["curl -T a -H \"Authorization: Bearer $TOKEN\" 'URL'", "PUT", { authorization: "Bearer -" }],
    ["curl -T a -H @headers.txt 'URL'", "PUT", undefined],
    ["curl -K upload.cfg -T a.png 'URL'", "PUT", undefined],
    ["curl --variable %TYPE --expand-header 'Content-Type: {{TYPE}}' -T a.png 'URL'", "PUT", undefined],
  ])("reads %s", async (command, method, sent) => {
    const found = await pastedUrl(command.replace("URL", url));
    expect([found.url, found.method, found.headers]).toEqual([url, method, sent]);
  });

  test("explains that an Authorization header is refused, and does not show it", async () => {
    const text = `curl -H 'Authorization: Bearer s3cr3t-of-an-app' -H 'Content-Type: image/jpeg' -T a.jpg '${url}'`;
    const { stdout, stderr } = await daypass(["explain", text, ...AT]);
    expect(stdout).toMatch(/^The request is refused before its signature is checked: .*Authorization/i);
    expect(stdout + stderr).not.toContain("s3cr3t");
  });

  test.each([[[]], [["--json"]], [["--reveal"]]])(
    "shows no login of a command beside an answer (%j)",
    async (options) => {
      const text = `AccessDenied curl -u user:s3cr3t -x http://user:s3cr3t@proxy:3128 -U user:s3cr3t --cert c.pem:s3cr3t -H 'Authorization: s3cr3t' '${url}'`;
      const { stdout, stderr } = await daypass(["explain", text, ...AT, ...options]);
      expect(stdout + stderr).not.toContain("s3cr3t");
    },
  );

  test("prefers options to the pasted text", async () => {
    const text = `curl -X PUT -H 'content-type: image/png' '${url}'`;
    const args = ["explain", text, ...AT, "--header", "Content-Type: image/jpeg", "--json"];
    expect(JSON.parse((await daypass(args, { env })).stdout).cause).toBeUndefined();
  });

  test("reads the refused request of a HAR file with its response, and not the preflight", async () => {
    const entry = (method: string, status: number, content: object) => ({
      ...{ request: { method, url, headers: [{ name: ":authority", value: host }] }, response: { status, content } },
    });
    const archive = {
      log: {
        entries: [
          entry("OPTIONS", 403, { text: "no" }),
          entry("PUT", 200, { text: "" }),
          entry("PUT", 403, { text: Buffer.from(xml).toString("base64"), encoding: "base64" }),
        ],
      },
    };
    const found = await pastedUrl(JSON.stringify(archive));
    expect(found).toMatchObject({ url, method: "PUT", headers: { host }, errorBody: xml });
  });

  test("reads a HAR file by its name: the refused request, and no URL in a response before it", async () => {
    const file = join(temporaryFolder(), "a.har");
    const other = url.replace("talks/", "other/");
    const page = { text: Array.from({ length: 3000 }, (_, i) => `https://example.com/${i} ${other}`).join(" ") };
    const entry = (requested: string, status: number, content: object) => ({
      ...{ request: { method: "PUT", url: requested, headers: [] }, response: { status, content } },
    });
    const entries = [
      entry("https://app.example.com/", 200, page),
      entry(other, 200, {}),
      entry(url, 403, { text: xml }),
    ];
    writeFileSync(file, JSON.stringify({ log: { entries } }));
    const { status, stdout, stderr } = await daypass(["explain", file, "--json"]);
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { scheme: "s3", cause: { code: "EXPIRED" } }]);
    expect(stderr).toContain("Found in the text: PUT https://media.s3.eu-west-1.amazonaws.com/talks/");
    const missing = await daypass(["explain", `${file}.har`]);
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining("a.har.har")]);
  });

  test.each([
    ["http", "* Connected to 127.0.0.1 (127.0.0.1) port 9000\n* using HTTP/1.x\n"],
    ["https", "* Connected to 127.0.0.1 (127.0.0.1) port 9000\n* ALPN: curl offers h2,http/1.1\n"],
    ["https", "* Connected to 127.0.0.1 (127.0.0.1) port 443 (#0)\n"],
    ["https", ""],
  ])("completes the path in the output of curl -v with %s", async (protocol, before) => {
    const text = `${before}> PUT ${path} HTTP/1.1\n> Host: 127.0.0.1:9000\n> \n< HTTP/1.1 403 Forbidden\n`;
    expect((await pastedUrl(text)).url).toBe(`${protocol}://127.0.0.1:9000${path}`);
  });
});

const api = "https://api.example.com/uploads";
const login = "Authorization: Bearer s3cr3t-of-an-app";
const JPEG = { "content-type": "image/jpeg" };

/** Texts with a request to another URL, and what they state of the request to the signed URL. */
const OTHER_REQUESTS: [name: string, text: string, method?: string, headers?: object][] = [
  ["a command that asks for the URL", `$ curl -X POST ${api} -H '${login}' -d name=a\n{"url":"${url}"}`],
  ["a command that forwards the URL", `curl -X POST ${api} -H '${login}' -d '{"url":"${url}"}'`],
  ["a curl in a sentence", `I used curl to PUT ${url}`, "PUT"],
  [
    "a command before",
    `curl -X POST ${api} -H '${login}' -d name=a\ncurl -T a.png -H 'Content-Type: image/jpeg' '${url}'`,
    "PUT",
    JPEG,
  ],
  [
    "a command behind",
    `curl -T a.png -H 'Content-Type: image/jpeg' '${url}' && curl -X POST ${api} -H '${login}'`,
    "PUT",
    JPEG,
  ],
  [
    "a --next request",
    `curl -T a.png -H 'Content-Type: image/jpeg' '${url}' --next -X POST ${api} -H '${login}'`,
    "PUT",
    JPEG,
  ],
  [
    "a command without the script's variable",
    `TOKEN=x\nURL="${url}"\ncurl -X POST ${api} -H '${login}'\ncurl -T a.png -H 'Content-Type: image/jpeg' "$URL"`,
    "PUT",
    JPEG,
  ],
  [
    "a redirected request",
    `> GET /dl/1 HTTP/1.1\r\n> Host: api.example.com\r\n> ${login}\r\n> \r\n< HTTP/1.1 302 Found\r\n< Location: ${url}\r\n< \r\n> PUT ${path} HTTP/1.1\r\n> Host: ${host}\r\n> content-type:image/jpeg\r\n> \r\n< HTTP/1.1 403 Forbidden\r\n`,
    "PUT",
    { host, ...JPEG },
  ],
];

test.each(OTHER_REQUESTS)("ignores requests to other URLs: %s", async (_, text = "", method, headers) => {
  const found = await pastedUrl(text);
  expect([found.url, found.method, found.headers]).toEqual([url, method, headers]);
  const { stdout, stderr } = await daypass(["explain", "-", ...AT, "--json"], { input: text, env });
  expect(stdout + stderr).not.toContain("s3cr3t");
  expect(JSON.parse(stdout).cause?.code).toBe(text.includes("403") ? "PERMISSION" : undefined);
});

describe("a URL that curl composes", () => {
  const { origin, pathname, searchParams } = new URL(url);
  const place = `${origin}${pathname}`;
  const whole = [...searchParams];
  const urlencoded = whole.map(([name, value]) => `--data-urlencode '${name}=${value}'`).join(" \\\n  ");
  const encoded = whole.map(([name, value]) => `-d '${name}=${encodeURIComponent(value)}'`).join(" ");
  const own = whole.map(([name, value]) => `--url-query '${name}=${value}'`).join(" ");
  const composed = `${place}?${whole.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;

  test.each([
    ["-G and --data-urlencode", `curl -G '${place}' \\\n  ${urlencoded}`, "GET", {}],
    ["--get and -d", `curl --get ${encoded} '${place}'`, "GET", {}],
    [
      "--url-query",
      `curl -X PUT '${place}' ${own} -H 'Content-Type: image/png' -T a.png`,
      "PUT",
      { "content-type": "image/png" },
    ],
    [
      "the second of two commands",
      `curl -X DELETE -H 'x-a: b' https://example.com/\ncurl -G '${place}' ${encoded}`,
      "GET",
      {},
    ],
  ])("assembles %s", async (_, text, method, headers) => {
    const found = await pastedUrl(text);
    expect([found.url, found.method, found.headers]).toEqual([composed, method, headers]);
  });

  test("rejects one whose signature is a variable", async () => {
    const text = `curl -G '${place}' ${urlencoded} -d "X-Amz-Signature=$SIG"`;
    await expect(pastedUrl(text)).rejects.toThrow(/has no signed URL/);
  });
});
