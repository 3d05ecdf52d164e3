/** The buckets of an upstream: which there are, and that a client reaches no other. */
import { expect, it } from "vitest";
import { listBucketsUrl } from "../../src/storage/s3/account-call.ts";
import { chunks, codeOf, contents } from "../../src/testing/contract-tools.ts";
import { s3Code } from "../e2e/clients.ts";
import { over, upstreamGateway } from "./gateway-upstream.ts";
import { buckets, opened, scripted } from "./scripted-upstream.ts";

it("refuses every bucket of the upstream outside the map", async () => {
  const upstream = await upstreamGateway({ files: { "shown/a": "a", "hidden/a": "secret" } });
  const storage = over(upstream, { bucket: { media: "shown" } });
  expect(await contents(storage, "media", "a")).toBe("a");
  expect((await storage.buckets()).map(({ name }) => name)).toEqual(["media"]);
  const here = { bucket: "media", key: "a" };
  const { etag: sourceEtag } = (await storage.head(here)) ?? { etag: "" };
  for (const bucket of ["hidden", "shown", "media/../hidden", "../hidden", "constructor", "__proto__", ""]) {
    const ref = { bucket, key: "a" };
    for (const call of [
      storage.get(ref),
      storage.head(ref),
      storage.put(ref, chunks("x")),
      storage.delete(ref),
      storage.setTags(ref, { a: "1" }),
      storage.copy(ref, here, { sourceEtag }),
      storage.copy(here, ref, { sourceEtag }),
      storage.list(bucket, { prefix: "", limit: 1 }),
      storage.listUploads(bucket, { prefix: "", limit: 1 }),
      storage.createUpload(ref),
      storage.getUpload({ ...ref, uploadId: "x" }),
      storage.deleteBucket(bucket),
      storage.setCorsRules(bucket, []),
    ]) {
      expect([bucket, await codeOf(call)]).toEqual([bucket, "NO_SUCH_BUCKET"]);
    }
    expect([bucket, await codeOf(storage.createBucket(bucket))]).toEqual([bucket, "BUCKET_NAME_TAKEN"]);
    expect([bucket, await storage.hasBucket(bucket), await storage.corsRules(bucket)]).toEqual([bucket, false, []]);
  }
  // Nor by a key, which is no path.
  expect(await contents(storage, "media", "../hidden/a")).toBe(undefined);
  expect(await contents(storage, "media", "%2e%2e/hidden/a")).toBe(undefined);
});

it("asks only for buckets that the account owns, never for buckets of other accounts", async () => {
  const asked: string[] = [];
  const options = await scripted((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    response.end(buckets("ours"));
  });
  const storage = opened({ ...options, bucket: undefined });
  expect(await codeOf(storage.get({ bucket: "theirs", key: "a" }))).toBe("NO_SUCH_BUCKET");
  expect(await storage.corsRules("theirs")).toEqual([]);
  expect(asked).toEqual(["GET /"]);
});

it("reaches no bucket for long that the account has no more, as its name may be a stranger's", async () => {
  let name = "ours";
  let now = Date.now();
  const options = await scripted((request, response) => {
    const isList = request.url?.startsWith("/?") === true;
    if (!isList) response.statusCode = 404;
    response.end(buckets(name));
  });
  const storage = opened({ ...options, bucket: undefined, clock: () => new Date(now) });
  const rules = () => storage.setCorsRules("ours", []);
  expect(await codeOf(rules())).toBe("UNAVAILABLE");
  name = "another";
  expect(await codeOf(rules())).toBe("UNAVAILABLE");
  now += 10_000;
  expect(await codeOf(rules())).toBe("NO_SUCH_BUCKET");
});

it("refuses to create an existing bucket, even if the upstream would answer 200 like us-east-1", async () => {
  const made: (string | undefined)[] = [];
  const options = await scripted((request, response) => {
    if (request.method === "PUT") made.push(request.url);
    response.end(buckets("ours"));
  });
  const storage = opened({ ...options, bucket: undefined });
  expect(await codeOf(storage.createBucket("ours"))).toBe("BUCKET_EXISTS");
  expect(made).toEqual([]);
});

it("lists the buckets of an endpoint however it is spelled, with its own path, too", async () => {
  const asked: string[] = [];
  const options = await scripted((request, response) => {
    asked.push(`${request.headers.host} ${request.url?.split("?")[0]}`);
    response.end("<ListAllMyBucketsResult/>");
  });
  const { host, port } = new URL(options.endpoint);
  for (const endpoint of [`http://127.0.0.1:${port}/`, `http://LOCALHOST:${port}/base/a@b`]) {
    expect(await opened({ ...options, bucket: undefined, endpoint }).buckets()).toEqual([]);
  }
  expect(asked).toEqual([`${host} /`, `localhost:${port} /base/a%40b/`]);
});

/** An account whose buckets are given two at a time. */
async function paged(names: readonly string[], answer: (token: string | undefined) => readonly [number, string]) {
  const asked: (string | null)[] = [];
  const options = await scripted((request, response) => {
    const token = new URL(request.url ?? "", "http://a").searchParams.get("continuation-token");
    asked.push(token);
    const [from, next] = answer(token ?? undefined);
    const more = next === "" ? "" : `<ContinuationToken>${next}</ContinuationToken>`;
    response.end(buckets(...names.slice(from, from + 2)).replace("</Buckets>", `</Buckets>${more}`));
  });
  const storage = opened({ ...options, bucket: undefined });
  return { asked, found: (await storage.buckets()).map(({ name }) => name) };
}

it("reads every page of the list of buckets", async () => {
  const names = ["aa1", "bb2", "cc3", "dd4", "ee5"];
  const next: Readonly<Record<string, readonly [number, string]>> = {
    "": [0, "b+/= !'()*"],
    "b+/= !'()*": [2, "d"],
    d: [4, ""],
  };
  const { asked, found } = await paged(names, (token = "") => next[token] ?? [9, ""]);
  expect([asked, found]).toEqual([[null, "b+/= !'()*", "d"], names]);
});

it.each([
  ["begins anew", (): [number, string] => [0, "again"]],
  ["repeats what it was asked", (token = ""): [number, string] => (token === "" ? [0, "b"] : [2, token])],
])("does not turn in circles for an upstream that %s", async (_, answer) => {
  const { asked, found } = await paged(["aa1", "bb2", "cc3"], answer);
  expect(asked.length).toBeLessThan(4);
  expect(found).toEqual(["aa1", "bb2", "cc3"].slice(0, found.length));
});

it("asks Amazon for pages, signed like everything else", async () => {
  const upstream = await upstreamGateway({ files: { "aaa/a": "a", "bbb/b": "b", "ccc/c": "c" } });
  const call = { ...upstream.clients.daypass, now: new Date() };
  // Whether the token means something is another question.
  const answer = await fetch(listBucketsUrl({ ...call, token: "b+/= !'()*" }));
  expect([answer.status, s3Code(await answer.text())]).toEqual([400, "InvalidArgument"]);
  const { searchParams } = new URL(listBucketsUrl({ ...call, endpoint: "https://s3.eu-west-1.amazonaws.com" }));
  expect([...searchParams.keys()].slice(-2)).toEqual(["max-buckets", "X-Amz-Signature"]);
});
