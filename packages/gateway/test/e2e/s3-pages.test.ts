import { expect, it } from "vitest";
import { s3For, useGateway } from "./clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello" } });
const sign = (key: string, method: "GET" | "PUT" = "GET") =>
  s3For(gateway).sign({ method, bucket: "media", key, expiresIn: 60 }).url;
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

it.each([
  [
    "a browser that opens a tampered link",
    BROWSER,
    () => gateway.tamper(sign("hello.txt")),
    403,
    "SignatureDoesNotMatch",
  ],
  ["a browser that opens a link to a missing file", BROWSER, () => sign("none"), 404, "NoSuchKey"],
  ["a browser without a link", BROWSER, () => `${gateway.url}/media/hello.txt`, 403, "NO_SIGNATURE"],
])("answers %s with a page that shows the code for developers", async (_, accept, url, status, code) => {
  const reply = await fetch(url(), { headers: { accept, "user-agent": "Mozilla/5.0" } });
  const text = await reply.text();
  expect([reply.status, reply.headers.get("content-type")]).toEqual([status, "text/html; charset=utf-8"]);
  expect(text).toContain(`${status} ${code}</pre>`);
  expect(text).not.toMatch(/X-Amz|StringToSign|AKIDEXAMPLE/);
});

it("greets a browser at the root, which lists nothing, in its language", async () => {
  const reply = await fetch(`${gateway.url}/`, {
    headers: { accept: BROWSER, "user-agent": "Mozilla/5.0", "accept-language": "fr-CH, en;q=0.5" },
  });
  const text = await reply.text();
  expect([reply.status, /<html lang="(\w+)"/.exec(text)?.[1]]).toEqual([403, "fr"]);
  expect(text).toContain("<h1>Ici se trouvent des fichiers privés</h1>");
  expect(text).not.toContain("hello.txt");
});

it.each([
  ["Java's HttpURLConnection", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "GET", "Java/17.0.9"],
  ["an SDK", "*/*", "GET"],
  ["a client that names no type", undefined, "GET"],
  ["an XML reader", "application/xml", "GET"],
  ["an upload of a browser", BROWSER, "PUT"],
] as const)("answers %s in XML", async (_, accept, method, agent: string = "Mozilla/5.0") => {
  const headers = { "user-agent": agent, ...(accept === undefined ? {} : { accept }) };
  const reply = await fetch(gateway.tamper(sign("hello.txt", method)), { method, headers });
  expect([reply.status, reply.headers.get("content-type")]).toEqual([403, "application/xml"]);
  expect(await reply.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
});
