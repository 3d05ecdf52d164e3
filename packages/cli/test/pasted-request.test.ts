import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { pastedUrl } from "../src/explain/pasted-url.ts";
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
    expect(stdout).toMatch(/^The request is refused before its signature is looked at: .*Authorization/i);
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
