import type { CorsRule } from "../../http/cors.ts";
import type { XmlElements } from "../../http/xml.ts";
import { childrenOf, optionalText, type ReadElement, textOf } from "../../http/xml-reader.ts";
import { boundedMap } from "../contract/bounded-map.ts";
import type { Buckets } from "../contract/buckets.ts";
import { isStorageError, StorageError } from "../contract/storage.ts";
import { faultError } from "./fault.ts";
import { type BucketNames, bucketExists } from "./names.ts";
import type { S3Options } from "./options.ts";
import { documentBody, type Upstream } from "./upstream.ts";

/** Every request of a web page needs the rules, including requests of unauthenticated clients. */
const RULES_MS = 10_000;
/** Pause after a failure, so that unauthenticated clients cannot flood an upstream in trouble. */
const FAILED_MS = 1000;
const MAX_RULES = 1000;
const CORS = { cors: "" };

export function upstreamBuckets(upstream: Upstream, names: BucketNames, options: S3Options): Buckets {
  const { clock = () => new Date() } = options;
  const known = boundedMap<{ until: number; readonly rules: Promise<readonly CorsRule[]> }>(MAX_RULES);

  async function readRules(name: string): Promise<readonly CorsRule[]> {
    const bucket = await names.peek(name);
    if (bucket === undefined) return [];
    const doing = "read the cross-origin rules";
    const { document: found, fault } = await upstream.readOrFault({ doing, bucket, query: CORS }, "CORSConfiguration");
    // Some servers do not implement CORS rules.
    if (fault?.status === 404 || fault?.status === 501) return [];
    if (found === undefined) throw faultError(fault, doing);
    return childrenOf(found, "CORSRule").map(ruleOf);
  }

  return {
    async buckets() {
      const all = await names.all();
      return [...all].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    },
    async hasBucket(name) {
      const bucket = await names.of(name).catch((error: unknown) => {
        if (isStorageError(error) && error.code === "NO_SUCH_BUCKET") return undefined;
        throw error;
      });
      return bucket !== undefined && (await bucketExists(upstream, bucket));
    },
    async createBucket(name) {
      const bucket = names.toCreate(name);
      // us-east-1 answers 200 for a bucket that the account already owns.
      const ours = await names.all();
      if (ours.some((info) => info.name === name))
        throw new StorageError("BUCKET_EXISTS", "there is a bucket of this name");
      await upstream.send({ doing: "make the bucket", method: "PUT", bucket, ...location(options) });
      names.forget();
      known.delete(name);
    },
    async deleteBucket(name) {
      const bucket = await names.of(name);
      await upstream.send({ doing: "remove the bucket", method: "DELETE", bucket });
      names.forget();
      known.delete(name);
    },
    corsRules(name) {
      const now = clock().getTime();
      const found = known.get(name);
      if (found !== undefined && now < found.until) return found.rules;
      const rules = readRules(name);
      const read = { until: now + RULES_MS, rules };
      known.set(name, read);
      rules.catch(() => {
        read.until = clock().getTime() + FAILED_MS;
      });
      return rules;
    },
    async setCorsRules(name, rules) {
      const bucket = await names.of(name);
      known.delete(name);
      const content = { CORSRule: rules.map(elementsOf) };
      const change =
        rules.length === 0 ? { method: "DELETE" } : { method: "PUT", ...documentBody("CORSConfiguration", content) };
      await upstream.send({ doing: "set the cross-origin rules", bucket, query: CORS, ...change });
      known.delete(name);
    },
  };
}

/** Amazon creates a bucket in us-east-1 by default. Other servers do not know the element. */
function location({ endpoint, region }: S3Options): Partial<ReturnType<typeof documentBody>> {
  if (endpoint !== undefined || region === "us-east-1") return {};
  return documentBody("CreateBucketConfiguration", { LocationConstraint: region });
}

/** Methods and header names are sent back unchanged. A line break in one would make every answer to a web page fail. */
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

function elementsOf({ id, origins, methods, headers, exposeHeaders, maxAge }: CorsRule): XmlElements {
  return {
    ID: id,
    AllowedOrigin: origins,
    AllowedMethod: methods,
    AllowedHeader: headers,
    ExposeHeader: exposeHeaders,
    MaxAgeSeconds: maxAge,
  };
}
