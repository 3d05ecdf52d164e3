import { s3FormSigner } from "daypass/s3/form";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3Code, sendS3 } from "../e2e/clients.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
});
afterAll(() => gateway.close());

type Fields = Readonly<Record<string, string>>;

/** Posts the fields of a form that leaves the values of `open` to its sender, byte for byte. */
async function post(key: string, open: Fields): Promise<string> {
  const form = s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey }).sign({
    bucket: "media",
    key,
    expiresIn: 60,
    conditions: Object.keys(open).map((name) => ["starts-with", `$${name}`, ""]),
  });
  const part = (disposition: string, value: string): string =>
    `--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
  const fields = Object.entries({ ...form.fields, ...open }).map(([name, value]) => part(`name="${name}"`, value));
  const reply = await fetch(form.url, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=B" },
    body: `${fields.join("")}${part('name="file"; filename="a"', "content")}--B--\r\n`,
  });
  return `${reply.status} ${s3Code(await reply.text())}`.trim();
}

describe("the sender of a form", () => {
  it.each(["text/plain\r\nX-Evil: 1", "text/html\n", "a\0b", "t€xt/html", "\x7f"])(
    "cannot plant an object that nobody can download by the type %j",
    async (type) => {
      for (const name of ["Content-Type", "Cache-Control", "Content-Disposition"]) {
        expect([name, await post("planted", { [name]: type })]).toEqual([name, "400 InvalidArgument"]);
      }
      expect((await sendS3(gateway, { key: "planted" })).status).toBe(404);
    },
  );
});
