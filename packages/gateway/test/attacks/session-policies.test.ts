import { createHash } from "node:crypto";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { Refusal } from "../../src/pipeline/refusal.ts";
import { s3Rows } from "../../src/protocols/s3/table.ts";
import { scopeOfPolicy } from "../../src/protocols/sts/policy.ts";
import { s3Code, useGateway } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { ASSUME, callSts, credentialsIn, type SessionCredentials } from "../e2e/sts-call.ts";

const gateway = useGateway({
  files: {
    "media/in/a.txt": "a",
    "media/in/b.txt": "b",
    "media/out.txt": "out",
    "other/c.txt": "c",
    "My Photos/a.txt": "a",
  },
  gateway: () => ({ sessionSecret: Buffer.alloc(32, 7) }),
});

type Statement = readonly [actions: readonly string[], resources: readonly string[]];

const policyOf = (statements: readonly Statement[]): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(([actions, resources]) => ({
      Effect: "Allow",
      Action: actions.map((action) => (action.includes(":") ? action : `s3:${action}`)),
      Resource: resources.map((resource) => `arn:aws:s3:::${resource}`),
    })),
  });

async function session(...statements: readonly Statement[]): Promise<SessionCredentials> {
  const reply = await callSts(gateway, { ...ASSUME, Policy: policyOf(statements) }, { key: gateway.accessKey });
  expect(reply.status).toBe(200);
  return credentialsIn(reply);
}

interface Ask {
  readonly method?: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(
  credentials: SessionCredentials,
  asked: Ask,
): Promise<{ status: number; code: string; text: string }> {
  const { method = "GET", bucket = "media", key, query = {}, headers = {}, body } = asked;
  const signer = s3Signer({ region: "us-east-1", endpoint: gateway.url, addressing: "path", credentials });
  const named = key === undefined ? ({ bucket, resource: "bucket" } as const) : { bucket, key };
  // No presigned URL names no bucket.
  const url =
    bucket === "" ? `${gateway.url}/` : signer.sign({ method, ...named, expiresIn: 60, bind: { query, headers } }).url;
  const sent = bucket === "" ? headersFor(credentials) : headers;
  const reply = await fetch(url, { method, headers: sent, ...(body === undefined ? {} : { body }) });
  const text = await reply.text();
  // An answer to HEAD has no body to tell it in.
  const code = method === "HEAD" && reply.status === 403 ? "AccessDenied" : (s3Code(text) ?? "");
  return { status: reply.status, code, text };
}

function headersFor(key: SessionCredentials): Record<string, string> {
  const { host: _, ...headers } = headerSignature({
    method: "GET",
    path: "/",
    host: `127.0.0.1:${gateway.port}`,
    key,
    headers: { "x-amz-security-token": key.sessionToken },
  });
  return headers;
}

const DELETE_A = "<Delete><Object><Key>in/a.txt</Key></Object></Delete>";
const md5 = (text: string): string => createHash("md5").update(text).digest("base64");

/** A request that a row is chosen for. What it lacks for an answer it is refused for later than for what it may. */
function requestFor(row: (typeof s3Rows)[number]): Ask {
  const { name, method, on, selectors = [], header } = row;
  const values: Readonly<Record<string, string>> = { "list-type": "2", partNumber: "1", uploadId: "none" };
  const query = Object.fromEntries(selectors.map((selector) => [selector, values[selector] ?? ""]));
  const target = { bucket: on === "service" ? "" : "media", key: on === "object" ? "in/a.txt" : undefined };
  if (name === "DeleteObjects") {
    return { ...target, method, query, headers: { "content-md5": md5(DELETE_A) }, body: DELETE_A };
  }
  const headers = header === undefined ? {} : { [header]: "/media/in/b.txt" };
  return { ...target, method, query, headers, ...(method === "PUT" ? { body: "" } : {}) };
}

const ACTIONS = [...new Set(s3Rows.map(({ action }) => action))];
/** Further actions that a row needs. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  GetObjectAttributes: ["s3:GetObject"],
  CopyObject: ["s3:GetObject"],
  UploadPartCopy: ["s3:GetObject"],
};

describe("a session policy", () => {
  it.each(s3Rows.map((row) => [row.name, row] as const))(
    "allows %s by its own action and by no other",
    async (name, row) => {
      const denied = (code: string, text: string): boolean =>
        code === "AccessDenied" || text.includes("<Code>AccessDenied");
      const needed = [row.action, ...(FURTHER[name] ?? [])];
      for (const missing of needed) {
        const without = await session([ACTIONS.filter((action) => action !== missing), ["*"]]);
        const { code, text } = await ask(without, requestFor(row));
        expect([missing, denied(code, text)]).toEqual([missing, true]);
      }
      // A policy for keys grants nothing on the bucket, and a policy for the bucket nothing on keys.
      const elsewhere = await session([needed, row.on === "object" ? ["media", "other/*"] : ["other", "other/*"]]);
      const outside = await ask(elsewhere, requestFor(row));
      expect(denied(outside.code, outside.text)).toBe(true);
      const only = await session([needed, ["*"]]);
      const { code, text } = await ask(only, requestFor(row));
      expect([code, denied(code, text)]).toEqual([code, false]);
    },
  );

  it("names a folder of whatever name, and with a sign for any text in its place no bucket", async () => {
    const credentials = await session([["GetObject"], ["My Photos/*"]]);
    expect((await ask(credentials, { bucket: "My Photos", key: "a.txt" })).status).toBe(200);
    expect((await ask(credentials, { bucket: "other", key: "c.txt" })).code).toBe("AccessDenied");
    for (const resource of ["My*/a.txt", "m?dia/*", "$USER/*", "/a.txt", "My Photos/a?.txt", "My Photos/*.txt"]) {
      const reply = await callSts(
        gateway,
        { ...ASSUME, Policy: policyOf([[["GetObject"], [resource]]]) },
        { key: gateway.accessKey },
      );
      expect([resource, reply.status]).toEqual([resource, 400]);
    }
  });

  it("that allows deletions below a prefix judges each key of a list by itself", async () => {
    const credentials = await session([["DeleteObject"], ["media/in/*"]]);
    const body = `<Delete>${["in/b.txt", "out.txt", "in/../out.txt"].map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
    const headers = { "content-md5": md5(body) };
    const { status, text } = await ask(credentials, { method: "POST", query: { delete: "" }, headers, body });
    expect([status, text.match(/<Deleted>.*?<\/Deleted>/g)]).toEqual([200, ["<Deleted><Key>in/b.txt</Key></Deleted>"]]);
    expect(text.match(/<Code>AccessDenied<\/Code>/g)).toHaveLength(2);
    for (const query of [{ tagging: "" }, { uploadId: "0" }]) {
      const { code } = await ask(credentials, { method: "DELETE", key: "in/a.txt", query });
      expect([query, code]).toEqual([query, "AccessDenied"]);
    }
    expect((await ask(credentials, { method: "DELETE", key: "out.txt" })).code).toBe("AccessDenied");
    expect((await ask(credentials, { method: "DELETE", key: "in/none.txt" })).status).toBe(204);
  });

  it("that allows reads allows neither lists nor what else a GET can ask for", async () => {
    const credentials = await session([["GetObject"], ["media", "media/*"]]);
    expect((await ask(credentials, { key: "out.txt" })).text).toBe("out");
    expect((await ask(credentials, { method: "HEAD", key: "out.txt" })).status).toBe(200);
    for (const query of ["", "list-type", "uploads", "versions", "location", "acl", "cors", "policy", "tagging"]) {
      const asked = query === "" ? {} : { [query]: query === "list-type" ? "2" : "" };
      expect([query, (await ask(credentials, { query: asked })).code]).toEqual([query, "AccessDenied"]);
    }
    for (const query of ["acl", "tagging", "attributes"]) {
      const reply = await ask(credentials, { key: "out.txt", query: { [query]: "" } });
      expect([query, reply.code]).toEqual([query, "AccessDenied"]);
    }
  });

  it("that allows uploads allows them in parts and by a form, and no tags", async () => {
    const credentials = await session([["PutObject"], ["media/up/*"]]);
    expect((await ask(credentials, { method: "PUT", key: "up/1", body: "1" })).status).toBe(200);
    const begun = await ask(credentials, { method: "POST", key: "up/2", query: { uploads: "" } });
    const uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1] ?? "";
    const part = await ask(credentials, {
      method: "PUT",
      key: "up/2",
      query: { partNumber: "1", uploadId },
      body: "2",
    });
    expect(part.status).toBe(200);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${createHash("md5").update("2").digest("hex")}</ETag></Part></CompleteMultipartUpload>`;
    expect((await ask(credentials, { method: "POST", key: "up/2", query: { uploadId }, body })).status).toBe(200);
    const headers = { "x-amz-tagging": "a=1" };
    expect((await ask(credentials, { method: "PUT", key: "up/3", headers, body: "3" })).code).toBe("AccessDenied");
    const tagged = await ask(credentials, { method: "POST", key: "up/3", query: { uploads: "" }, headers });
    expect(tagged.code).toBe("AccessDenied");
    const form = async (fields: Record<string, string>): Promise<number> => {
      const signer = s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials });
      const signed = signer.sign({ bucket: "media", key: "up/form", expiresIn: 60, fields });
      const data = new FormData();
      for (const [name, value] of Object.entries(signed.fields)) data.append(name, value);
      data.append("file", new Blob(["x"]), "x.txt");
      return (await fetch(signed.url, { method: "POST", body: data })).status;
    };
    const tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    expect([await form({}), await form({ tagging })]).toEqual([204, 403]);
    const both = await session([["PutObject", "PutObjectTagging"], ["media/up/*"]]);
    expect((await ask(both, { method: "PUT", key: "up/3", headers, body: "3" })).status).toBe(200);
  });

  it("says of each statement's actions only where that statement says so", async () => {
    const credentials = await session([["Get*"], ["media/*"]], [["s3:putobject"], ["other/new*"]]);
    expect((await ask(credentials, { key: "out.txt" })).status).toBe(200);
    expect((await ask(credentials, { method: "PUT", bucket: "other", key: "new.txt", body: "n" })).status).toBe(200);
    expect((await ask(credentials, { method: "PUT", key: "new.txt", body: "n" })).code).toBe("AccessDenied");
    expect((await ask(credentials, { method: "PUT", bucket: "other", key: "old.txt", body: "n" })).code).toBe(
      "AccessDenied",
    );
    expect((await ask(credentials, { bucket: "other", key: "c.txt" })).code).toBe("AccessDenied");
    const headers = { "x-amz-copy-source": "/other/c.txt" };
    const copy = await ask(credentials, { method: "PUT", bucket: "other", key: "new2.txt", headers });
    expect(copy.code).toBe("AccessDenied");
  });

  it("lists the bucket that it names, or what begins with the prefix that it names", async () => {
    const bucket = await session([["ListBucket"], ["media"]]);
    const query = { "list-type": "2" };
    expect((await ask(bucket, { query })).status).toBe(200);
    expect((await ask(bucket, { bucket: "other", query })).code).toBe("AccessDenied");
    // What is named without a star is one object, and no beginning of others.
    const one = await session([["ListBucket"], ["media/in"]]);
    expect((await ask(one, { query: { "list-type": "2", prefix: "in" } })).code).toBe("AccessDenied");
    const prefix = await session([["ListBucket"], ["media/in/*"]]);
    expect((await ask(prefix, { query: { ...query, prefix: "in/" } })).status).toBe(200);
    for (const wider of ["", "in", "i", "out", "in/../"]) {
      expect([wider, (await ask(prefix, { query: { ...query, prefix: wider } })).code]).toEqual([
        wider,
        "AccessDenied",
      ]);
    }
  });

  it.each<[string, string]>([
    ["a statement that denies", policyOf([[["*"], ["*"]]]).replace("Allow", "Deny")],
    ["a condition", policyOf([[["*"], ["*"]]]).replace('"Resource"', '"Condition":{},"Resource"')],
    ["all but some actions", policyOf([[["*"], ["*"]]]).replace('"Action"', '"NotAction"')],
    ["all but some resources", policyOf([[["*"], ["*"]]]).replace('"Resource"', '"NotResource"')],
    ["actions of another service", policyOf([[["ec2:*"], ["*"]]])],
    ["a star within an action", policyOf([[["Get*Tagging"], ["*"]]])],
    ["a star within a resource", policyOf([[["GetObject"], ["media/*/a"]]])],
    ["a star in the name of a bucket", policyOf([[["GetObject"], ["med*"]]])],
    ["one character that is left open", policyOf([[["GetObject"], ["media/?"]]])],
    ["a variable", policyOf([[["GetObject"], ["media/$" + "{aws:userid}/*"]]])],
    ["no statement", policyOf([])],
    ["no action", policyOf([[[], ["*"]]])],
    ["an action that is no text", policyOf([[["GetObject"], ["*"]]]).replace('["s3:GetObject"]', '["s3:GetObject",1]')],
    ["one action that is no text", policyOf([[["GetObject"], ["*"]]]).replace('["s3:GetObject"]', "{}")],
    ["one action and one of another service", policyOf([[["GetObject", "ec2:*"], ["*"]]])],
    ["one resource and one that is none", policyOf([[["GetObject"], ["media/*", "m?dia/*"]]])],
    ["a statement that is none", policyOf([]).replace("[]", "[null]")],
    ["a text for a statement", policyOf([]).replace("[]", '"Allow"')],
    ["a list in its place", `[${policyOf([[["GetObject"], ["*"]]])}]`],
    ["a member that nothing acts on", policyOf([[["GetObject"], ["*"]]]).replace('"Version"', '"Id":"a","Version"')],
    ["another version", policyOf([[["GetObject"], ["*"]]]).replace("2012-10-17", "2012-10-18")],
    ["no version", policyOf([[["GetObject"], ["*"]]]).replace('"Version":"2012-10-17",', "")],
    ["a member twice", policyOf([[["GetObject"], ["*"]]]).replace('"Action"', '"Action":"s3:*","Action"')],
    [
      "a member twice, once escaped",
      policyOf([[["GetObject"], ["*"]]]).replace('"Action"', '"\\u0041ction":"s3:*","Action"'),
    ],
    [
      "two lists of statements",
      policyOf([[["GetObject"], ["*"]]]).replace('"Statement"', '"Statement":[],"Statement"'),
    ],
    ["more bytes than go into a token", policyOf([[["GetObject"], [`media/${"é".repeat(1000)}*`]]])],
  ])("with %s is refused, over the wire as well", async (_, text) => {
    const read = (): unknown => scopeOfPolicy(text);
    expect(read).toThrow(Refusal);
    const reply = await callSts(gateway, { ...ASSUME, Policy: text }, { key: gateway.accessKey });
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedPolicyDocument"]);
  });
});
