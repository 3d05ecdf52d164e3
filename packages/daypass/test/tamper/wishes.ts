import { EXAMPLE_ORIGINS, EXAMPLE_TIME } from "../../src/core/example.ts";
import type { SchemeExample } from "../../src/core/scheme.ts";
import { isDaypassError, type Verifier, type WireRequest } from "../../src/index.ts";
import type { Subject } from "../registry.ts";

const NAMES = [
  ...["a.txt", "talks/keynote.mp4", "a b+c.txt", "100%.txt", "a%20b", "q?x=1#y&z", "'()!*", "x//y", "/lead", "dir/"],
  ...["é/日本/🚀", "..", "a/../b", "./x", "tab\tline\n", "uploads/2026/01/02/report-final-v2.pdf"],
];
// Azure refuses dot segments, and its signer does not.
const DOTS = /":"(?:[^"]*\/)?\.{1,2}["/]/;
const SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MD5 = "1B2M2Y8AsgTpgAmY7PhCfg==";

/** Requests for an object of a store: hostile names, parameters, headers and bindings. */
function objectWishes(name: string, { probe }: SchemeExample): readonly object[] {
  const meta = (probe?.header ?? "x-amz-meta-trace").replace(/-[^-]*$/, "");
  const attachment = 'attachment; filename="a b+c.txt"';
  return [
    ...NAMES.flatMap((text) => [{ [name]: text }, { [name]: text, method: "PUT" }]),
    ...[
      { [name]: undefined },
      { [name]: undefined, query: { uploads: "" } },
      { [name]: undefined, query: { acl: "" } },
    ],
    { query: { versionId: "3/L4kqtJ+l" } },
    { method: "DELETE", query: { versionId: "a&versionId=b" } },
    { method: "HEAD" },
    { method: "PUT", query: { partNumber: "1", uploadId: "u+1/2" } },
    { response: { contentType: "text/plain", contentDisposition: attachment } },
    { response: { cacheControl: "max-age=60, private", contentLanguage: "de" } },
    { method: "PUT", bind: { contentType: "image/png", contentLength: 9 } },
    { method: "PUT", bind: { sha256: SHA256 } },
    { method: "PUT", headers: { "content-md5": MD5, [`${meta}-note`]: "a,  b" } },
    { method: "PUT", headers: { [`${meta}-a`]: "1", [`${meta}-b`]: "2" } },
    { method: "PUT", headers: { "x-amz-acl": "private", "x-amz-meta-a": "1" } },
    { notBefore: EXAMPLE_TIME },
  ].map((wish) => ({ ...wish, dotSegments: "sign" }));
}

const PATHS = ["/a.txt", "/talks/2026/keynote.mp4", "/a%20b/%C3%A9.txt", "/x-y_z~1/q.ts", "/q%3Fx;v=1/"];
const QUERIES = ["", "?w=400&h=300", "?name=a%20b&flag=1&x=2", "?lang=de&x=1&x=2&flag"];

function urlWishes(): readonly object[] {
  return PATHS.flatMap((path) => QUERIES.map((query) => ({ url: EXAMPLE_ORIGINS[0] + path + query })));
}

/** A wish in the scheme's own words. */
function worded({ probe }: SchemeExample, wish: { readonly method?: string }): object {
  const { method: _, ...rest } = wish;
  return probe?.request === undefined ? wish : { ...probe.request(wish), ...rest };
}

/** The parts that are added to the request of an example: generic parts, and the variants of the scheme. */
function wishesOf({ example }: Subject): readonly object[] {
  const { request, variants = [], anyPathBelow } = example;
  const name = ["key", "object", "blob"].find((one) => one in request);
  const generic =
    name !== undefined ? objectWishes(name, example) : "url" in request && !anyPathBelow ? urlWishes() : [];
  return [{}, ...generic.map((wish) => worded(example, wish)), ...variants];
}

/** Valid requests of an example. Wishes that the signer refuses are left out, and those whose query no signature covers. */
export async function basesOf(
  subject: Subject,
  verifier: Verifier,
  sent: (request: WireRequest) => readonly WireRequest[] = (request) => [request],
): Promise<readonly WireRequest[]> {
  const bases: WireRequest[] = [];
  for (const wish of wishesOf(subject)) {
    const requests = await subject.request(wish).then(sent, (error: unknown) => {
      if (isDaypassError(error)) return [];
      throw error;
    });
    for (const request of requests) {
      const code = await verifier.verify(request, { subject: "cus_42" }).then(
        () => undefined,
        (error: { readonly code?: string }) => error.code,
      );
      if (code === undefined) bases.push(request);
      else if (code !== "UNSIGNED_PARAMETER" && !(code === "MALFORMED" && DOTS.test(JSON.stringify(wish))))
        throw new Error(`${subject.name}: ${code} for ${JSON.stringify(wish)}`);
    }
  }
  return bases;
}
