import type { CorsRule } from "../../http/cors.ts";
import { type XmlElement, xmlDocument } from "../../http/xml.ts";
import { childrenOf, optionalText, type ReadElement, textOf } from "../../http/xml-reader.ts";
import type { Buckets } from "../contract/buckets.ts";
import { StorageError } from "../contract/storage.ts";
import { document } from "./document.ts";
import { faultError } from "./fault.ts";
import { bucketExists, type Names } from "./names.ts";
import type { S3Options } from "./options.ts";
import type { Upstream } from "./upstream.ts";

/** Every request of a page asks for the rules, strangers' too. */
const RULES_MS = 10_000;
/** For which a failure is not tried again: as many calls as strangers like would reach an upstream that is in trouble. */
const FAILED_MS = 1000;
const MAX_RULES = 1000;
const CORS = { cors: "" };

export function upstreamBuckets(upstream: Upstream, names: Names, options: S3Options): Buckets {
  const { clock = () => new Date() } = options;
  const known = new Map<string, { until: number; readonly rules: Promise<readonly CorsRule[]> }>();

  async function readRules(name: string): Promise<readonly CorsRule[]> {
    const bucket = await names.peek(name);
    if (bucket === undefined) return [];
    const doing = "read the cross-origin rules";
    const { document: found, fault } = await upstream.readOrFault({ doing, bucket, query: CORS }, "CORSConfiguration");
    // Some servers have no such rules at all.
    if (fault?.status === 404 || fault?.status === 501) return [];
    if (found === undefined) throw faultError(fault, doing);
    return childrenOf(found, "CORSRule").map(ruleOf);
  }

  function forget(name: string): void {
    known.delete(name);
  }

  return {
    async buckets() {
      const all = await names.all();
      return [...all].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    },
    async hasBucket(name) {
      const bucket = await names.of(name).catch((error: unknown) => {
        if (error instanceof StorageError && error.code === "NO_SUCH_BUCKET") return undefined;
        throw error;
      });
      return bucket !== undefined && (await bucketExists(upstream, bucket));
    },
    async createBucket(name) {
      const bucket = names.toMake(name);
      // Amazon's oldest region says yes to a bucket that is one's own already.
      const ours = await names.all();
      if (ours.some((info) => info.name === name))
        throw new StorageError("BUCKET_EXISTS", "there is a bucket of this name");
      await upstream.tell({ doing: "make the bucket", method: "PUT", bucket, ...location(options) });
      names.forget();
      forget(name);
    },
    async deleteBucket(name) {
      const bucket = await names.of(name);
      await upstream.tell({ doing: "remove the bucket", method: "DELETE", bucket });
      names.forget();
      forget(name);
    },
    corsRules(name) {
      const now = clock().getTime();
      const found = known.get(name);
      if (found !== undefined && now < found.until) return found.rules;
      const rules = readRules(name);
      const read = { until: now + RULES_MS, rules };
      known.delete(name);
      known.set(name, read);
      rules.catch(() => {
        read.until = clock().getTime() + FAILED_MS;
      });
      const [oldest] = known.keys();
      if (known.size > MAX_RULES && oldest !== undefined) known.delete(oldest);
      return rules;
    },
    async setCorsRules(name, rules) {
      const bucket = await names.of(name);
      forget(name);
      const set = xmlDocument("CORSConfiguration", rules.map(elementOf));
      const change = rules.length === 0 ? { method: "DELETE" } : { method: "PUT", ...document(set) };
      await upstream.tell({ doing: "set the cross-origin rules", bucket, query: CORS, ...change });
      forget(name);
    },
  };
}

/** Amazon makes a bucket in the oldest region unless told; others have no such word. */
function location({ endpoint, region }: S3Options): Partial<ReturnType<typeof document>> {
  if (endpoint !== undefined || region === "us-east-1") return {};
  return document(xmlDocument("CreateBucketConfiguration", [["LocationConstraint", region]]));
}

/** Methods and names of headers are sent back as they are: one with a line break would make an error of each answer to a page. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function ruleOf(rule: ReadElement): CorsRule {
  const texts = (name: string): readonly string[] => childrenOf(rule, name).map((element) => textOf(element).trim());
  const tokens = (name: string): readonly string[] => texts(name).filter((text) => TOKEN.test(text));
  const [id, maxAge] = [optionalText(rule, "ID"), optionalText(rule, "MaxAgeSeconds")];
  return {
    ...(id === undefined ? {} : { id }),
    origins: texts("AllowedOrigin"),
    methods: tokens("AllowedMethod"),
    headers: texts("AllowedHeader"),
    exposeHeaders: tokens("ExposeHeader"),
    ...(maxAge === undefined || !/^\d{1,15}$/.test(maxAge.trim()) ? {} : { maxAge: Number(maxAge) }),
  };
}

function elementOf({ id, origins, methods, headers, exposeHeaders, maxAge }: CorsRule): XmlElement {
  const each = (name: string, texts: readonly string[]): XmlElement[] => texts.map((text) => [name, text]);
  return [
    "CORSRule",
    [
      ["ID", id],
      ...each("AllowedOrigin", origins),
      ...each("AllowedMethod", methods),
      ...each("AllowedHeader", headers),
      ...each("ExposeHeader", exposeHeaders),
      ["MaxAgeSeconds", maxAge],
    ],
  ];
}
