import { explain } from "daypass/explain";
import { nginxSigner } from "daypass/nginx";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { send } from "../send.ts";
import { type Nginx, startNginx } from "../servers/nginx.ts";

const missing = needs("nginx");
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI" };

/** Requests, and what explain says of nginx' own pages for them. */
const REFUSED: readonly (readonly [
  what: string,
  target: string,
  init: { method?: string; body?: string },
  says: RegExp,
])[] = [
  ["a rule", "/denied/a", {}, /nginx refused the request before the store saw it/],
  ["a place that it does not know", "/missing/a", {}, /nginx has nothing at this path/],
  ["a body that is too long", "/a", { method: "PUT", body: "xx" }, /^nginx does not accept a body of this size/],
  ["a URL that is too long", `/a?${"x".repeat(3000)}`, {}, /^nginx does not accept a URL or headers of this length/],
  ["a method of its own files", "/a", { method: "PUT" }, /^nginx does not allow this method/],
  ["a server behind it that is not there", "/behind/a", {}, /^nginx got no response from the server behind it/],
  ["a redirect", "/moved/a", {}, /^nginx answered with a redirect/],
];

describe.skipIf(missing)(`pages of nginx in the place of a store's answer${missing ?? ""}`, () => {
  let nginx: Nginx;
  beforeAll(async () => {
    nginx = await startNginx(`
      client_max_body_size 1; large_client_header_buffers 2 1k;
      location /denied/ { deny all; }
      location /behind/ { proxy_pass http://127.0.0.1:9; }
      location /missing/ { return 404; }
      location /moved/ { return 301 https://example.com/; }`);
  });
  afterAll(() => nginx?.stop());

  test.each(REFUSED)("are told as nginx': %s", async (_, target, { method = "GET", body }, says) => {
    const answer = await send({ method, url: `${nginx.origin}${target}`, ...(body === undefined ? {} : { body }) });
    const { url } = s3Signer({ region: "eu-west-1", credentials }).sign({ bucket: "b", key: "k", expiresIn: 900 });
    const errorBody = String(answer.body);
    expect((await explain(url, { errorBody })).cause).toMatchObject({
      code: "PROXY",
      sentence: expect.stringMatching(says),
    });
    // Of a link for nginx itself a refusal is its own word.
    const link = nginxSigner({ secret: "s" }).sign({ url: `${nginx.origin}/a`, expiresIn: 900 }).url;
    const isRefusal = /^\/(?:denied|missing)/.test(target);
    expect((await explain(link, { errorBody })).cause?.code).toBe(isRefusal ? undefined : "PROXY");
  });
});
