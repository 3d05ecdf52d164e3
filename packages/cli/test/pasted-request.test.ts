import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { cpuMilliseconds } from "../../daypass/test/cpu-time.ts";
import { pastedUrl } from "../src/commands/explain/pasted-url.ts";
import { daypass } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
const clock = () => new Date("2026-01-02T03:04:05Z");
const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "talks/key note.jpg", expiresIn: 900, method: "PUT" },
  bind: { contentType: "image/jpeg" },
});
const host = "media.s3.eu-west-1.amazonaws.com";
const path = url.slice(`https://${host}`.length);
const SENT = { accept: "*/*", "content-type": "image/png", cookie: "sid=s3cr3t-of-a-session" };

/** As Chrome writes a word for Windows' cmd. */
const cmd = (word: string): string =>
  `^"${word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]/g, "^$&")
    .replace(/%(?=[a-zA-Z0-9_])/g, "%^")}^"`;
const headers = Object.entries(SENT);

const COPIED: Readonly<Record<string, string>> = {
  "Copy as cURL (bash) of Chrome": `curl '${url}' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  -H 'content-type: image/png' \\\n  -b 'sid=s3cr3t-of-a-session' \\\n  --data-raw $'\\u0000\\'x'`,
  "Copy as cURL (bash) of Firefox": `curl '${url}' \\\n  -X PUT \\\n  -H 'Accept: */*' \\\n  -H 'Content-Type: image/png' \\\n  -H 'Cookie: sid=s3cr3t-of-a-session' \\\n  --data-binary '@a.png'`,
  "Copy as cURL (cmd) of Chrome": `curl ${cmd(url)} ^\n  -X ^"PUT^" ^\n${headers.map(([name, value]) => `  -H ${cmd(`${name}: ${value}`)}`).join(" ^\n")} ^\n  --data-raw ${cmd('{"a":1}')}`,
  "Copy as cURL (cmd) of an older Chrome":
    `curl "${url.replaceAll("&", "^&").replaceAll("%", "^%^")}" ^\n  -X "PUT" ^\n${headers.map(([name, value]) => `  -H "${name}: ${value}"`).join(" ^\n")} ^\n  --compressed`.replace(
      " ^\n  --compressed",
      "",
    ),
  "Postman's": `curl --location --request PUT '${url}' \\\n--header 'Accept: */*' \\\n--header 'Content-Type: image/png' \\\n--header 'Cookie: sid=s3cr3t-of-a-session' \\\n--data '@/a.png'`,
  "one that somebody wrote": `$ curl -sSXPUT -H "Accept: */*" -HContent-Type:image/png --cookie="sid=s3cr3t-of-a-session" -T a.png "${url}"`,
  "Copy as fetch": `fetch(${JSON.stringify(url)}, {\n  "headers": {\n    "accept": "*/*",\n    "content-type": "image/png",\n    "cookie": "sid=s3cr3t-of-a-session"\n  },\n  "body": "x",\n  "method": "PUT"\n});`,
  "a call of fetch in a program": `await fetch("${url}", { method: 'PUT', headers: { Accept: '*/*', 'Content-Type': "image/png", cookie: 'sid=s3cr3t-of-a-session' }, body: file })`,
  "Copy as PowerShell": `$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n$session.Cookies.Add((New-Object System.Net.Cookie("sid", "s3cr3t-of-a-session", "/", "${host}")))\nInvoke-WebRequest -UseBasicParsing -Uri "${url}" \`\n-Method "PUT" \`\n-WebSession $session \`\n-Headers @{\n"authority"="${host}"\n  "method"="PUT"\n  "accept"="*/*"\n} \`\n-ContentType "image/png" \`\n-Body "x"`,
  "an entry of a HAR file": JSON.stringify({
    request: { method: "PUT", url, headers: headers.map(([name, value]) => ({ name, value })) },
    response: { status: 403, content: { text: "" } },
  }),
  "the lines of curl -v": `> PUT ${path} HTTP/2\n> Host: ${host}\n${headers.map(([name, value]) => `> ${name}: ${value}`).join("\n")}\n> \n< HTTP/2 403 \n< content-type: application/xml\n`,
  "Copy request headers": `PUT ${path} HTTP/1.1\nHost: ${host}\nAccept: */*\nContent-Type: image/png\nCookie: sid=s3cr3t-of-a-session\n`,
};

describe("the request in what somebody pastes", () => {
  test.each(Object.entries(COPIED))("%s tells its method and its headers", async (_, text) => {
    const { method, headers = {}, ...found } = await pastedUrl(text);
    expect([found.url, method]).toEqual([url, "PUT"]);
    const { host: _host, ...rest } = headers;
    expect(rest).toEqual(SENT);
  });

  test.each(Object.entries(COPIED))("%s is held against what was signed, and no cookie is shown", async (_, text) => {
    const options = ["--at", "2026-01-02T03:05:00Z", "--reveal"];
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    const { stdout, stderr } = await daypass(["explain", "-", ...options], { input: text, env });
    expect(stdout).toMatch(/^The header content-type was signed as "image\/jpeg" and sent as "image\/png"\./);
    expect(stderr).toMatch(/^Found in the text: PUT https:.*, sent with .*cookie/);
    expect(stdout + stderr).not.toContain("s3cr3t");
  });
});

describe("a command of curl", () => {
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
  ])("%s", async (command, method, sent) => {
    expect(await pastedUrl(command.replace("URL", url))).toMatchObject({ method, headers: sent });
    expect((await pastedUrl(command.replace("URL", url))).headers).toEqual(sent);
  });

  test("with a login is told of it, and the login is not shown", async () => {
    const text = `curl -H 'Authorization: Bearer s3cr3t-of-an-app' -H 'Content-Type: image/jpeg' -T a.jpg '${url}'`;
    const { stdout, stderr } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z"]);
    expect(stdout).toMatch(/^The request is refused before its signature is checked: .*Authorization/i);
    expect(stdout + stderr).not.toContain("s3cr3t");
  });
});

test("options come before what was pasted", async () => {
  const text = `curl -X PUT -H 'content-type: image/png' '${url}'`;
  const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
  const args = ["explain", text, "--at", "2026-01-02T03:05:00Z", "--header", "Content-Type: image/jpeg", "--json"];
  expect(JSON.parse((await daypass(args, { env })).stdout).cause).toBeUndefined();
});

test("of an archive the entry that was refused is taken, with its answer, and not its preflight", async () => {
  const xml = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
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

test("what is a variable in a program is not known", async () => {
  const call = `fetch("${url}", { method: "PUT", headers: { "Content-Type": file.type }, body: file })`;
  expect(await pastedUrl(call)).toMatchObject({ method: "PUT", headers: undefined });
  expect(await pastedUrl(`fetch("${url}")`)).toMatchObject({ method: "GET", headers: {} });
  const shell = `Invoke-RestMethod -Method Put -Uri "${url}" -Headers $headers -InFile a.png`;
  expect(await pastedUrl(shell)).toMatchObject({ method: "PUT", headers: undefined });
});

describe("a request to another URL tells nothing:", () => {
  const api = "https://api.example.com/uploads";
  const login = "Authorization: Bearer s3cr3t-of-an-app";
  test.each([
    [
      "a command that asks for the URL",
      `$ curl -X POST ${api} -H '${login}' -d name=a\n{"url":"${url}"}`,
      undefined,
      undefined,
    ],
    [
      "a command in front of the one for it",
      `curl -X POST ${api} -H '${login}' -d name=a\ncurl -T a.png -H 'Content-Type: image/jpeg' '${url}'`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "a command behind it in the same line",
      `curl -T a.png -H 'Content-Type: image/jpeg' '${url}' && curl -X POST ${api} -H '${login}'`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "what the same command does next",
      `curl -T a.png -H 'Content-Type: image/jpeg' '${url}' --next -X POST ${api} -H '${login}'`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "a command that sends the URL on",
      `curl -X POST ${api} -H '${login}' -d '{"url":"${url}"}'`,
      undefined,
      undefined,
    ],
    ["a command in a sentence", `I used curl to PUT ${url}`, "PUT", undefined],
    [
      "the variable of a script",
      `TOKEN=x\nURL="${url}"\ncurl -X POST ${api} -H '${login}'\ncurl -T a.png -H 'Content-Type: image/jpeg' "$URL"`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "a call of fetch that asks for it",
      `const { url } = await (await fetch("/sign", { method: "POST", headers: { ${login.replace(" ", ' "')}" } })).json(); // ${url}`,
      ...[undefined, undefined],
    ],
    [
      "a call of fetch in front of the one for it",
      `await fetch("${api}", { method: "POST", headers: { a: "b" } });\nawait fetch("${url}", { body: '{"method":"DELETE"}', method: "PUT", headers: { "content-type": "image/jpeg" } });\nawait fetch("${api}", { method: "DELETE" });`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "a call of PowerShell in front of the one for it",
      `Invoke-RestMethod -Method Post -Uri "${api}" -Headers @{ a = "b" }\r\n$url = "${url}"\r\nInvoke-WebRequest -Method Put \`\r\n  -Uri $url -ContentType "image/jpeg" -InFile a.png`,
      ...["PUT", { "content-type": "image/jpeg" }],
    ],
    [
      "the request that was redirected to it",
      `> GET /dl/1 HTTP/1.1\r\n> Host: api.example.com\r\n> ${login}\r\n> \r\n< HTTP/1.1 302 Found\r\n< Location: ${url}\r\n< \r\n> PUT ${path} HTTP/1.1\r\n> Host: ${host}\r\n> content-type:image/jpeg\r\n> \r\n< HTTP/1.1 403 Forbidden\r\n`,
      ...["PUT", { host, "content-type": "image/jpeg" }],
    ],
  ] as const)("%s", async (_, text, method, headers) => {
    const found = await pastedUrl(text);
    expect([found.url, found.method, found.headers]).toEqual([url, method, headers]);
    if (text.includes("403")) expect(found.status).toBe(403);
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    const { stdout, stderr } = await daypass(["explain", "-", "--at", "2026-01-02T03:05:00Z", "--json"], {
      input: text,
      env,
    });
    expect(stdout + stderr).not.toContain("s3cr3t");
    const { cause } = JSON.parse(stdout);
    expect(cause?.code).toBe(text.includes("403") ? "SERVER" : undefined);
  });
});

describe("what nobody has told is not known:", () => {
  test.each([
    [`curl -X "$METHOD" -H 'Content-Type: image/jpeg' '${url}'`, undefined, { "content-type": "image/jpeg" }],
    [`curl -T a -H "Content-Type: $TYPE" '${url}'`, "PUT", undefined],
    [`curl -T a -H "Content-Type: $(file -b --mime-type a)" '${url}'`, "PUT", undefined],
    [`curl -T a -H "Authorization: Bearer $TOKEN" '${url}'`, "PUT", { authorization: "Bearer -" }],
    [`curl -T a -H @headers.txt '${url}'`, "PUT", undefined],
    [
      `fetch("${url}", { method, headers: { "Content-Type": "image/jpeg" } })`,
      undefined,
      { "content-type": "image/jpeg" },
    ],
    [`fetch("${url}", { ...options, headers: { "Content-Type": "image/jpeg" } })`, undefined, undefined],
    [`fetch("${url}", options)`, undefined, undefined],
    [`iwr -Method $method -Uri "${url}"`, undefined, {}],
    [`iwr -Method Put -Uri "${url}" -ContentType $type -InFile a`, "PUT", undefined],
    [`iwr -Method Put -Uri "${url}" -Headers @{ "Content-Type" = $type; a = "b" }`, "PUT", undefined],
    [
      `iwr -Method Post -Uri "${url}" -Headers @{ "Content-Type" = "image/png" }`,
      "POST",
      { "content-type": "image/png" },
    ],
  ])("%s", async (text, method, headers) => {
    const found = await pastedUrl(text);
    expect([found.method, found.headers]).toEqual([method, headers]);
  });
});

test("no login is shown of a command that stands beside an answer", async () => {
  const text = `AccessDenied curl -u user:s3cr3t -x http://user:s3cr3t@proxy:3128 -U user:s3cr3t --cert c.pem:s3cr3t -H 'Authorization: s3cr3t' '${url}'`;
  for (const args of [[], ["--json"], ["--reveal"]]) {
    const { stdout, stderr } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z", ...args]);
    expect(stdout + stderr).not.toContain("s3cr3t");
  }
});

test("what went well is blamed for nothing else that a text tells", async () => {
  const text = `redis: Connection refused\nPUT ${url} 200 (OK)\nGET https://other.example.com/ 403 (Forbidden)`;
  expect(await pastedUrl(text)).toEqual({ url, isPart: true, method: "PUT", headers: undefined });
});

test.each([
  ["line ends", `${"\n".repeat(200_000)}GET ${path} HTTP/1.1\nHost: ${host}\n`],
  ["a body", `curl -T a '${url}' --data-raw "${'a\\"'.repeat(2_000_000)}"`],
  ["calls in calls", `${"fetch(".repeat(100_000)} "${url}"`],
  ["headers that nothing closes", `${"iwr -Headers @{ ".repeat(50_000)} "${url}"`],
  ["commands", `${"curl -o a ".repeat(100_000)} '${url}'`],
])("a text takes no longer than its length: %s", async (_, text) => {
  let found: string | undefined;
  const ms = await cpuMilliseconds(async () => {
    found = (await pastedUrl(text)).url;
  });
  expect(found).toBe(url);
  expect(ms).toBeLessThan(4000);
});
