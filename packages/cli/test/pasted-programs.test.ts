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
const TYPE = { "content-type": "image/png" };

/** Each sends a PUT with the content type image/png. */
const TOLD: Readonly<Record<string, string>> = {
  wget: `wget --method=PUT --header="Content-Type: image/png" --body-file=a.png -O - "${url}"`,
  "wget with a variable for the URL": `URL='${url}'\nwget --method PUT --header 'Content-Type: image/png' --body-file a.png "$URL"`,
  HTTPie: `http PUT '${url}' Content-Type:image/png @a.png`,
  "HTTPie that is fed": `$ https --verify=no PUT "${url}" 'Content-Type:image/png' < a.png`,
  requests: `import requests\nwith open("a.png", "rb") as f:\n    r = requests.put("${url}", data=f, headers={"Content-Type": "image/png"})\nprint(r.text)`,
  "requests with variables": `url = "${url}"\nheaders = {'Content-Type': 'image/png'}\nresponse = requests.put(url, headers=headers, data=open('a.png', 'rb'))`,
  urllib: `req = urllib.request.Request(url="${url}", data=body, headers={"Content-Type": "image/png"}, method="PUT")`,
  "axios.put": `const res = await axios.put("${url}", file, { headers: { 'Content-Type': 'image/png' } });`,
  "axios.put with variables": `const url = "${url}";\nconst config = { headers };\nconst headers = { "Content-Type": "image/png" };\nawait axios.put(url, file, { headers: headers });`,
  "axios({…})": `axios({ method: 'put', url: '${url}', data: file, headers: { 'Content-Type': 'image/png' } })`,
  got: `await got.put('${url}', { body: stream, headers: { 'content-type': 'image/png' } });`,
  Go: `req, err := http.NewRequest("PUT", "${url}", file)\nif err != nil { panic(err) }\nreq.Header.Set("Content-Type", "image/png")\nresp, err := client.Do(req)`,
  "Go with a constant": `url := "${url}"\nreq, _ := http.NewRequest(http.MethodPut, url, file)\nreq.Header.Add("Content-Type", "image/png")`,
  "Go with a context": `req, err := http.NewRequestWithContext(ctx, http.MethodPut, "${url}", file)\nreq.Header.Set("Content-Type", "image/png")`,
  "PHP's curl functions": `$ch = curl_init("${url}");\ncurl_setopt($ch, CURLOPT_CUSTOMREQUEST, "PUT");\ncurl_setopt($ch, CURLOPT_HTTPHEADER, ["Content-Type: image/png"]);\ncurl_setopt($ch, CURLOPT_POSTFIELDS, $data);\n$result = curl_exec($ch);`,
  "PHP's curl functions with an array": `<?php\n$curl = curl_init();\ncurl_setopt_array($curl, array(\n  CURLOPT_URL => '${url}',\n  CURLOPT_RETURNTRANSFER => true,\n  CURLOPT_CUSTOMREQUEST => 'PUT',\n  CURLOPT_HTTPHEADER => array(\n    'Content-Type: image/png'\n  ),\n));`,
  "PHP's curl functions with variables": `$url = '${url}';\n$headers = array('Content-Type: image/png');\n$ch = curl_init();\ncurl_setopt($ch, CURLOPT_URL, $url);\ncurl_setopt($ch, CURLOPT_PUT, true);\ncurl_setopt($ch, CURLOPT_HTTPHEADER, $headers);`,
  "PHP's curl functions with a variable for the array": `$options = [CURLOPT_URL => "${url}", CURLOPT_CUSTOMREQUEST => "PUT", CURLOPT_HTTPHEADER => ["Content-Type: image/png"]];\n$ch = curl_init();\ncurl_setopt_array($ch, $options);`,
  Guzzle: `$client = new GuzzleHttp\\Client();\n$client->request('PUT', '${url}', [\n  'headers' => ['Content-Type' => 'image/png'],\n  'body' => fopen('a.png', 'r'),\n]);`,
  "Guzzle by the method": `$response = $client->put("${url}", ['body' => $file, 'headers' => ['Content-Type' => 'image/png']]);`,
  "Guzzle's Request": `$headers = ['Content-Type' => 'image/png'];\n$request = new Request('PUT', '${url}', $headers, $body);\n$res = $client->sendAsync($request)->wait();`,
  OkHttp: `Request request = new Request.Builder()\n  .url("${url}")\n  .put(RequestBody.create(MediaType.parse("image/png"), new File("a.png")))\n  .build();`,
  "OkHttp in Kotlin": `val body = file.asRequestBody("image/png".toMediaType())\nval request = Request.Builder().url("${url}").put(body).build()`,
  "OkHttp whose body has no type": `val request = Request.Builder()\n  .url("${url}")\n  .addHeader("Content-Type", "image/png")\n  .method("PUT", file.asRequestBody())\n  .build()`,
  "Java's own client": `var request = HttpRequest.newBuilder()\n  .uri(URI.create("${url}"))\n  .header("Content-Type", "image/png")\n  .PUT(BodyPublishers.ofFile(path))\n  .build();`,
  "Java's own client with a variable": `String url = "${url}";\nHttpRequest request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "image/png").PUT(BodyPublishers.ofFile(path)).build();`,
  "axios.request": `await axios.request({ url: '${url}', method: 'PUT', headers: { 'Content-Type': 'image/png' }, data: file });`,
  "new Request": `const request = new Request("${url}", { method: "PUT", headers: { "Content-Type": "image/png" }, body: file });`,
  "fetch of a new Request": `await fetch(new Request("${url}", { method: "PUT", headers: { "Content-Type": "image/png" }, body: file }));`,
  "a shell commands, some of them commented out": `URL="${url}"\n# curl -X DELETE "$URL"\n  # wget --method=DELETE "$URL"\ncurl -H 'Content-Type: image/png' -T a.png "$URL"`,
  "lines of Python, some of them commented out": `url = "${url}"\n# requests.get(url)\nrequests.put(url, data=open("a.png", "rb"), headers={"Content-Type": "image/png"})`,
  "lines of JavaScript, some of them commented out": `const url = "${url}";\n// await fetch(url);\nawait axios.put(url, file, { headers: { "Content-Type": "image/png" } });`,
  "a line of Go that is commented out": `req, _ := http.NewRequest("PUT", "${url}", file)\n// req.Header.Set("Content-Type", "image/jpeg")\nreq.Header.Set("Content-Type", "image/png")`,
  "PowerShell's splatting, the second time": `$params = @{\n  Uri = 'https://example.com/'\n}\nInvoke-RestMethod @params\n$other = @{\n  Uri = '${url}'\n  Method = 'Put'\n  Headers = @{ 'Content-Type' = 'image/png' }\n}\nInvoke-RestMethod @other`,
  "a file of REST Client": `### upload\nPUT ${url}\nContent-Type: image/png\n\n< ./a.png\n`,
  Postman: JSON.stringify({
    info: { name: "x" },
    item: [
      {
        name: "folder",
        item: [
          {
            request: {
              method: "PUT",
              header: [
                { key: "Content-Type", value: "image/png" },
                { key: "x-old", value: "1", disabled: true },
              ],
              body: { mode: "file" },
              url: { raw: url, protocol: "https" },
            },
          },
        ],
      },
    ],
  }),
  Insomnia: JSON.stringify({
    _type: "export",
    resources: [
      { _type: "workspace" },
      { _type: "request", method: "PUT", url, headers: [{ name: "Content-Type", value: "image/png" }], body: {} },
    ],
  }),
  "PowerShell with a table of headers": `$headers = @{\n  "Content-Type" = "image/png"\n}\nInvoke-RestMethod -Uri "${url}" -Method Put -Headers $headers -InFile a.png`,
  "PowerShell's splatting": `$params = @{\n  Uri = '${url}'\n  Method = 'Put'\n  Headers = @{ 'Content-Type' = 'image/png' }\n  InFile = 'a.png'\n}\nInvoke-RestMethod @params`,
};

/** Of these something is not told: the method is read, and no header is made up. */
const OPEN: Readonly<Record<string, string>> = {
  "a variable that is changed later": `headers = {'Content-Type': 'image/png'}\nheaders["x"] = y\nrequests.put("${url}", headers=headers)`,
  "headers that a function makes": `requests.put("${url}", headers=make())`,
  "data that nobody knows": `requests.put("${url}", data=payload)`,
  "arguments that are spread": `requests.put("${url}", **options)`,
  "a body of axios without a type": `axios.put("${url}", file)`,
  "a value of a variable in Go": `req, _ := http.NewRequest("PUT", "${url}", f)\nreq.Header.Set("Content-Type", contentType)`,
  "a header of PHP that a variable tells": `$ch = curl_init("${url}");\ncurl_setopt($ch, CURLOPT_CUSTOMREQUEST, "PUT");\ncurl_setopt($ch, CURLOPT_HTTPHEADER, ["Content-Type: $type"]);`,
  "fields of PHP that nobody knows": `$ch = curl_init("${url}");\ncurl_setopt($ch, CURLOPT_CUSTOMREQUEST, "PUT");\ncurl_setopt($ch, CURLOPT_POSTFIELDS, $data);`,
  "headers of PHP that are pushed": `$h = ["Accept: */*"];\narray_push($h, "Content-Type: image/png");\n$ch = curl_init("${url}");\ncurl_setopt($ch, CURLOPT_PUT, true);\ncurl_setopt($ch, CURLOPT_HTTPHEADER, $h);`,
  "a file that Guzzle calls by its name": `$client->put('${url}', ['body' => fopen('a.png', 'r')]);`,
  "a body of Guzzle's Request without a type": `$request = new Request('PUT', '${url}', [], fopen('a.png', 'r')); $x->send($request);`,
  "a client of Guzzle with headers of its own": `$client = new Client(['headers' => ['Content-Type' => 'image/jpeg']]);\n$client->put('${url}', ['body' => $file]);`,
  "a body of OkHttp that nobody knows": `Request.Builder().url("${url}").header("Content-Type", "image/png").put(body).build()`,
  "a form of PowerShell": `Invoke-RestMethod -Uri "${url}" -Method Put -Form $form`,
  "a table of PowerShell that is changed": `$h = @{}\n$h["Content-Type"] = "image/png"\nInvoke-RestMethod -Uri "${url}" -Method Put -Headers $h`,
  "a body of HTTPie without a type": `http PUT '${url}' name=value`,
  "a body of HTTPie alone": `http PUT '${url}' @a.png`,
  "a body that HTTPie is fed by another command": `cat a.png | http PUT '${url}'`,
  "data by its place": `requests.put("${url}", payload)`,
  "a login of requests": `requests.put("${url}", auth=AWS4Auth("k", "s"))`,
  "a session with headers": `session.headers.update({"x-amz-acl": "private"})\nsession.put("${url}", data=open("a.png", "rb"))`,
  "a session of aiohttp, which calls a body something": `async with session.put("${url}", data=open("a.png", "rb")) as response:`,
  "calls behind a call": `superagent.put("${url}").set("Content-Type", "image/png").send(file)`,
  "a map of Go's": `req, _ := http.NewRequest("PUT", "${url}", f)\nreq.Header = http.Header{"Content-Type": {"image/png"}}`,
  "a login in Go": `req, _ := http.NewRequest("PUT", "${url}", f)\nreq.SetBasicAuth("u", "p")`,
  "a configuration of curl's": `curl -K upload.cfg -T a.png "${url}"`,
  "a variable of curl's": `curl --variable %TYPE --expand-header "Content-Type: {{TYPE}}" -T a.png "${url}"`,
  "a variable in a file of REST Client": `PUT ${url} HTTP/1.1\nContent-Type: {{type}}\n\n< a.png\n`,
  "a login of Postman's": JSON.stringify({
    request: { method: "PUT", url, header: [], auth: { type: "bearer", bearer: [] } },
  }),
  "a login of Insomnia's": JSON.stringify({
    resources: [{ method: "PUT", url, headers: [], authentication: { type: "basic", username: "u" } }],
  }),
  "a variable of Postman's": JSON.stringify({
    request: { method: "PUT", url, header: [{ key: "Content-Type", value: "{{type}}" }] },
  }),
};

describe("the request in a program or a file", () => {
  test.each(Object.entries(TOLD))("%s tells its method and its headers", async (_, text) => {
    expect(await pastedUrl(text)).toMatchObject({ url, method: "PUT", headers: TYPE });
  });

  test.each(Object.entries(OPEN))("%s tells the method alone", async (_, text) => {
    const { headers, ...found } = await pastedUrl(text);
    expect([found.url, found.method, headers]).toEqual([url, "PUT", undefined]);
  });

  test.each([
    ["--body-file", "PUT"],
    ["--body-data", "PUT"],
    ["--post-file", "POST"],
  ])("wget calls what it is given by %s a form's", async (option, method) => {
    const text = `wget ${method === "PUT" ? "--method=PUT " : ""}${option}=a.png "${url}"`;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect(await pastedUrl(text)).toMatchObject({ method, headers });
  });

  test("HTTPie's login is read as one, and not shown", async () => {
    expect((await pastedUrl(`http -a me:s3cr3t GET "${url}"`)).headers).toEqual({ authorization: "Basic -" });
    expect((await pastedUrl(`http -A bearer --auth=s3cr3t GET "${url}"`)).headers).toEqual({
      authorization: "Bearer -",
    });
  });

  test("what requests puts behind the URL's query is part of what was sent", async () => {
    for (const given of [`params={"page": 2, "q": "a b"}`, `params=more`]) {
      const text = `more = {'page': '2', 'q': 'a b'}\nrequests.put("${url}", ${given}, data=open("a.png", "rb"))`;
      expect(await pastedUrl(text)).toMatchObject({ url: `${url}&page=2&q=a+b`, method: "PUT" });
    }
    expect((await pastedUrl(`requests.put("${url}", params=make())`)).url).toBe(url);
  });

  test("a text that PHP or OkHttp sends has a type that nobody has named", async () => {
    const php = `$ch = curl_init("${url}");\ncurl_setopt($ch, CURLOPT_CUSTOMREQUEST, "PUT");\ncurl_setopt($ch, CURLOPT_POSTFIELDS, file_get_contents("a.png"));`;
    expect((await pastedUrl(php)).headers).toEqual({ "content-type": "application/x-www-form-urlencoded" });
    const okHttp = `MediaType mediaType = MediaType.parse("text/plain");\nRequestBody body = RequestBody.create(mediaType, "hello");\nRequest request = new Request.Builder()\n  .url("${url}")\n  .method("PUT", body)\n  .addHeader("Content-Type", "text/plain")\n  .build();`;
    expect((await pastedUrl(okHttp)).headers).toEqual({ "content-type": "text/plain; charset=utf-8" });
  });

  test("a call of PHP's in a comment is none", async () => {
    const text = `$ch = curl_init("${url}");\n// curl_setopt($ch, CURLOPT_POST, true);\n  # curl_setopt($ch, CURLOPT_NOBODY, true);\ncurl_exec($ch);`;
    expect(await pastedUrl(text)).toMatchObject({ url, method: "GET", headers: {} });
  });

  test("curl leaves out a header without a value, and calls a POST without fields a form", async () => {
    const php = (...options: readonly string[]) =>
      `$ch = curl_init("${url}");\n${options.map((option) => `curl_setopt($ch, ${option});`).join("\n")}`;
    const body = `CURLOPT_POSTFIELDS, "abc"`;
    expect((await pastedUrl(php(`CURLOPT_HTTPHEADER, ["Content-Type:"]`, body))).headers).toEqual({});
    expect((await pastedUrl(php("CURLOPT_POST, true"))).headers).toEqual({
      "content-type": "application/x-www-form-urlencoded",
    });
  });

  test.each([
    ["options of PHP in a variable that nobody knows", `$ch = curl_init("${url}");\ncurl_setopt_array($ch, $options);`],
    ["options of PHP with more", `$ch = curl_init("${url}");\ncurl_setopt_array($ch, [CURLOPT_PUT => true] + $more);`],
    [
      "options of PHP with a comment between",
      `$ch = curl_init();\ncurl_setopt_array($ch, [\n  CURLOPT_URL => "${url}", // where it's put\n  CURLOPT_CUSTOMREQUEST => "PUT",\n]);`,
    ],
    ["a builder that is kept", `val b = Request.Builder().url("${url}")\nb.put(file.asRequestBody())`],
    [
      "a builder of Java's that is kept",
      `var b = HttpRequest.newBuilder(URI.create("${url}"));\nb.PUT(BodyPublishers.ofFile(path));`,
    ],
    [
      "a builder with a block between its calls",
      `Request.Builder().url("${url}").apply { header("Content-Type", "image/png") }.put(file.asRequestBody(null)).build()`,
    ],
  ])("of %s neither method nor headers are told", async (_, text) => {
    const { url: found, method, headers } = await pastedUrl(text);
    expect([found, method, headers]).toEqual([url, undefined, undefined]);
  });

  test("an escape in a text is what it stands for", async () => {
    expect((await pastedUrl(`requests.get("${url}", params={"q": "a\\n"})`)).url).toBe(`${url}&q=a%0A`);
  });

  test("of another handle of PHP's, and of another builder, nothing is told", async () => {
    const php = `$a = curl_init("https://example.com/");\ncurl_setopt($a, CURLOPT_POST, true);\n$b = curl_init("${url}");\ncurl_exec($b);`;
    const okHttp = `Request.Builder().url("https://example.com/").post(form).build()\nRequest.Builder().url("${url}").build()`;
    for (const text of [php, okHttp]) {
      expect(await pastedUrl(text), text).toMatchObject({ url, method: "GET", headers: {} });
    }
  });

  test("what urllib is given by place says nothing of the method", async () => {
    const { method, headers } = await pastedUrl(`urlopen(Request("${url}", data, {"Content-Type": "image/png"}))`);
    expect([method, headers]).toEqual([undefined, undefined]);
  });

  test("a command that stands in a comment as a whole is read, and one behind the prompt of root", async () => {
    expect(await pastedUrl(`# curl -X PUT -H 'Content-Type: image/png' "${url}"`)).toMatchObject({
      method: "PUT",
      headers: TYPE,
    });
  });

  test("of a request to another URL nothing is told", async () => {
    const text = `link = requests.post("https://api.example.com/sign", headers={"Authorization": "Bearer s3cr3t"}).json()\nrequests.get("${url}", headers={})`;
    const { method, headers, ...found } = await pastedUrl(text);
    expect([found.url, method, headers]).toEqual([url, "GET", {}]);
  });

  test("a header that differs from the signed one is found, and no login is shown", async () => {
    const text = `requests.put("${url}", data=open("a"), headers={"Content-Type": "image/png", "Cookie": "sid=s3cr3t", "X-Api-Key": "s3cr3t"})`;
    const keys = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    const { stdout, stderr } = await daypass(["explain", text, "--at", "2026-01-02T03:05:00Z"], { env: keys });
    expect(stdout).toMatch(/content-type.*image\/jpeg/i);
    expect(stdout + stderr).not.toContain("s3cr3t");
  });
});

test("a text of nothing but beginnings takes no longer than its length", async () => {
  for (const piece of [
    "requests.put(",
    "axios(",
    "wget --x ",
    "http -x ",
    "http.NewRequest(",
    "curl -G -d a ",
    "Invoke-RestMethod @h ",
    "curl_setopt($a, ",
    "$a = curl_init(",
    "$a->put(",
    "$a",
    "Request.Builder().url(",
    "HttpRequest.newBuilder(",
    "curl_setopt_array($a, $b);",
  ]) {
    const text = `${url} x\n${piece.repeat(60_000 / piece.length)}`;
    expect(await cpuMilliseconds(() => pastedUrl(text)), piece).toBeLessThan(2500);
  }
});

test("a body of OkHttp's takes no longer than its length", async () => {
  const text = `Request.Builder().url("${url}").put(body).build()\nbody = ${"RequestBody.create(,".repeat(25_000)}`;
  expect(await cpuMilliseconds(() => pastedUrl(text))).toBeLessThan(2500);
});

test("an export of many members is no fault", async () => {
  const others = Array.from({ length: 200_000 }, (_, i) => `"${i}":{}`).join(",");
  const text = `{"item":[{"request":{"method":"PUT","header":[],"url":${JSON.stringify(url)}}}],"others":{${others}}}`;
  expect((await pastedUrl(text)).url).toBe(url);
});

test("calls of PowerShell that splat are read once", async () => {
  const text = `"${url}"\n${"iwr @a\n".repeat(80_000)}`;
  const spent = await cpuMilliseconds(() => pastedUrl(text));
  const table = `$a = @{\n Uri = "${url}"\n}\n$a.Method = "Put"\n${"iwr @a\n".repeat(80_000)}`;
  expect([spent < 3000, (await cpuMilliseconds(() => pastedUrl(table))) < 3000]).toEqual([true, true]);
});

describe("a URL that curl puts together", () => {
  const { origin, pathname, searchParams } = new URL(url);
  const whole = [...searchParams];
  const urlencoded = whole.map(([name, value]) => `--data-urlencode '${name}=${value}'`).join(" \\\n  ");
  const encoded = whole.map(([name, value]) => `-d '${name}=${encodeURIComponent(value)}'`).join(" ");
  const own = whole.map(([name, value]) => `--url-query '${name}=${value}'`).join(" ");

  test.each([
    ["-G and --data-urlencode", `curl -G '${origin}${pathname}' \\\n  ${urlencoded}`, "GET"],
    ["--get and -d", `curl --get ${encoded} '${origin}${pathname}'`, "GET"],
    ["--url-query", `curl -X PUT '${origin}${pathname}' ${own} -H 'Content-Type: image/png' -T a.png`, "PUT"],
  ])("%s", async (_, text, method) => {
    const found = await pastedUrl(text);
    expect([found.url, found.method]).toEqual([
      `${origin}${pathname}?${whole.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`,
      method,
    ]);
  });

  test("has the request of its own command", async () => {
    const text = `curl -X DELETE -H 'x-a: b' https://example.com/\ncurl -G '${origin}${pathname}' ${encoded}`;
    const { method, headers } = await pastedUrl(text);
    expect([method, headers]).toEqual(["GET", {}]);
  });

  test("is none where a part of it is told by a variable", async () => {
    const text = `curl -G '${origin}${pathname}' ${urlencoded} -d "X-Amz-Signature=$SIG"`;
    await expect(pastedUrl(text)).rejects.toThrow(/found none/);
  });
});
