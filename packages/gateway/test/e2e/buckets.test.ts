import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type BucketCall, callBucket, contentMd5, parts, text, texts } from "./bucket-client.ts";
import { s3Code, s3Field, useGateway } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

const gateway = useGateway({
  files: { "media/hello.txt": "hello", "Old Folder/a.txt": "a" },
  gateway: () => ({ region: "eu-central-1", regions: ["eu-central-1", "us-east-1"] }),
});

const call = (options: BucketCall) => callBucket(gateway, options);
const make = (bucket: string, body?: string) =>
  call({ method: "PUT", bucket, ...(body === undefined ? {} : { body }) });

async function refusal(options: BucketCall): Promise<[number, string | undefined]> {
  const reply = await call(options);
  return [reply.status, s3Code(reply.body)];
}

describe("a bucket", () => {
  it("creates, finds and removes a bucket", async () => {
    const made = await make("made-here");
    expect([made.status, made.headers["location"]]).toEqual([200, "/made-here"]);
    expect(existsSync(join(gateway.root, "made-here"))).toBe(true);
    const found = await call({ method: "HEAD", bucket: "made-here" });
    expect([found.status, found.headers["x-amz-bucket-region"], found.body.length]).toEqual([200, "eu-central-1", 0]);
    expect(await refusal({ method: "PUT", bucket: "made-here" })).toEqual([409, "BucketAlreadyOwnedByYou"]);
    const removed = await call({ method: "DELETE", bucket: "made-here" });
    expect([removed.status, removed.body.length]).toEqual([204, 0]);
    expect(existsSync(join(gateway.root, "made-here"))).toBe(false);
    const missing = await call({ method: "HEAD", bucket: "made-here" });
    expect([missing.status, missing.headers["x-amz-bucket-region"], missing.body.length]).toEqual([
      404,
      "eu-central-1",
      0,
    ]);
    expect(await refusal({ method: "DELETE", bucket: "made-here" })).toEqual([404, "NoSuchBucket"]);
  });

  it("refuses to remove a bucket that is not empty", async () => {
    expect(await refusal({ method: "DELETE", bucket: "media" })).toEqual([409, "BucketNotEmpty"]);
    expect(existsSync(join(gateway.root, "media/hello.txt"))).toBe(true);
  });

  it("refuses to create a bucket with the name of a file", async () => {
    writeFileSync(join(gateway.root, "taken"), "");
    expect(await refusal({ method: "PUT", bucket: "taken" })).toEqual([409, "BucketAlreadyExists"]);
  });

  const names =
    "ab Upper under_score -dash dash- .dot dot. two..dots 192.168.5.4 xn--bucket sthree-bucket amzn-s3-demo-bucket bucket-s3alias bucket--ol-s3 bucket.mrap bucket--x-s3 bucket--table-s3 .daypass - caf\u00e9";
  it.each([...names.split(" "), "a b", "a".repeat(64)])(
    "refuses to create a bucket with the name %j",
    async (bucket) => {
      const reply = await make(bucket);
      expect([reply.status, s3Code(reply.body)]).toEqual([400, "InvalidBucketName"]);
      expect(s3Field(reply.body, "BucketName")).toBe(bucket);
    },
  );

  it("creates buckets with valid names, and serves existing folders with any name", async () => {
    for (const bucket of ["abc", "a".repeat(63), "1.2.3", "a-b.c-d", "2026"]) {
      expect([bucket, (await make(bucket)).status]).toEqual([bucket, 200]);
      expect([bucket, (await call({ method: "DELETE", bucket })).status]).toEqual([bucket, 204]);
    }
    const listing = await call({ bucket: "Old Folder" });
    expect(texts(listing, "Key")).toEqual(["a.txt"]);
  });

  it("creates a bucket only in its own region, or without a region", async () => {
    const located = (location: string) =>
      `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`;
    expect((await make("located", located("eu-central-1"))).status).toBe(200);
    const other = await make("elsewhere", located("eu-west-1"));
    expect([other.status, s3Code(other.body)]).toEqual([400, "IllegalLocationConstraintException"]);
    expect(s3Field(other.body, "Message")).toContain("The eu-west-1 location constraint is incompatible");
    for (const body of ["<CreateBucketConfiguration>", "<Other/>", located("<x/>")]) {
      expect(s3Code((await make("elsewhere", body)).body)).toBe("MalformedXML");
    }
    expect(existsSync(join(gateway.root, "elsewhere"))).toBe(false);
    const location = await call({ bucket: "located", query: { location: "" } });
    expect(text(location, 'LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')).toBe(undefined);
    expect(location.body.toString()).toContain(">eu-central-1</LocationConstraint>");
    await call({ method: "DELETE", bucket: "located" });
  });

  it("refuses locks, other owners and access control lists on creation", async () => {
    const headers = (name: string, value: string) =>
      headerSignature({
        method: "PUT",
        path: "/locked",
        host: `127.0.0.1:${gateway.port}`,
        key: gateway.accessKey,
        headers: { [name]: value },
      });
    for (const [name, value] of [
      ["x-amz-bucket-object-lock-enabled", "true"],
      ["x-amz-object-ownership", "ObjectWriter"],
      ["x-amz-acl", "public-read"],
      ["x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/global/AllUsers"],
    ] as const) {
      const reply = await fetch(`${gateway.url}/locked`, { method: "PUT", headers: headers(name, value) });
      expect([name, reply.status < 500 || reply.status === 501, reply.ok]).toEqual([name, true, false]);
      expect(existsSync(join(gateway.root, "locked"))).toBe(false);
      if (!/acl|grant/.test(name)) continue;
      expect([reply.status, s3Code(await reply.text())]).toEqual([400, "InvalidBucketAclWithObjectOwnership"]);
    }
  });

  it("accepts its own access control list of a bucket, and refuses every other", async () => {
    const put = (body: string) => call({ method: "PUT", query: { acl: "" }, body });
    const own = (await call({ query: { acl: "" } })).body.toString();
    expect((await put(own)).status).toBe(200);
    for (const reply of [await put(own.replace("FULL_CONTROL", "READ")), await put("")])
      expect([reply.status, s3Code(reply.body)]).toEqual([400, "AccessControlListNotSupported"]);
    for (const acl of ["private", "public-read"]) {
      const host = `127.0.0.1:${gateway.port}`;
      const signed = { method: "PUT", path: "/media", query: { acl: "" }, host, key: gateway.accessKey };
      const headers = headerSignature({ ...signed, headers: { "x-amz-acl": acl } });
      const reply = await fetch(`${gateway.url}/media?acl=`, { method: "PUT", headers });
      expect([reply.status, s3Code(await reply.text())]).toEqual([400, "AccessControlListNotSupported"]);
    }
  });
});

describe("what tools ask of a bucket", () => {
  it.each([
    ["versioning", "VersioningConfiguration"],
    ["acl", "AccessControlPolicy"],
    ["publicAccessBlock", "PublicAccessBlockConfiguration"],
    ["ownershipControls", "OwnershipControls"],
    ["requestPayment", "RequestPaymentConfiguration"],
    ["notification", "NotificationConfiguration"],
    ["logging", "BucketLoggingStatus"],
    ["accelerate", "AccelerateConfiguration"],
    ["analytics", "ListBucketAnalyticsConfigurationResult"],
    ["inventory", "ListInventoryConfigurationsResult"],
    ["uploads", "ListMultipartUploadsResult"],
  ])("answers ?%s with a document", async (name, root) => {
    const reply = await call({ query: { [name]: "" } });
    expect([reply.status, reply.body.toString().includes(`<${root} xmlns=`)]).toEqual([200, true]);
    expect(await refusal({ bucket: "no-such-bucket", query: { [name]: "" } })).toEqual([404, "NoSuchBucket"]);
  });

  it.each([
    ["policy", "NoSuchBucketPolicy"],
    ["policyStatus", "NoSuchBucketPolicy"],
    ["lifecycle", "NoSuchLifecycleConfiguration"],
    ["cors", "NoSuchCORSConfiguration"],
    ["tagging", "NoSuchTagSet"],
    ["encryption", "ServerSideEncryptionConfigurationNotFoundError"],
    ["object-lock", "ObjectLockConfigurationNotFoundError"],
    ["replication", "ReplicationConfigurationNotFoundError"],
    ["website", "NoSuchWebsiteConfiguration"],
  ])("answers ?%s with %s", async (name, code) => {
    expect(await refusal({ query: { [name]: "" } })).toEqual([404, code]);
    expect(await refusal({ bucket: "no-such-bucket", query: { [name]: "" } })).toEqual([404, "NoSuchBucket"]);
  });

  it("answers NoSuchConfiguration to a single configuration of a list", async () => {
    expect(await refusal({ query: { inventory: "", id: "all" } })).toEqual([404, "NoSuchConfiguration"]);
  });

  it("answers ?acl with one owner and full control", async () => {
    const reply = await call({ query: { acl: "" } });
    expect([text(reply, "Permission"), texts(reply, "DisplayName")]).toEqual(["FULL_CONTROL", ["daypass", "daypass"]]);
  });
});

describe("the list of buckets", () => {
  it("lists all buckets for their own region, and none for another region", async () => {
    const host = `127.0.0.1:${gateway.port}`;
    const names = async (region: string): Promise<readonly (string | undefined)[]> => {
      const query = { "bucket-region": region };
      const headers = headerSignature({ method: "GET", path: "/", query, host, key: gateway.accessKey });
      const reply = await fetch(`${gateway.url}/?bucket-region=${region}`, { headers });
      return Array.from((await reply.text()).matchAll(/<Name>([^<]*)</g), ([, name]) => name);
    };
    expect(await names("eu-central-1")).toContain("media");
    expect(await names("us-east-1")).toEqual([]);
  });

  it("lists all buckets for a request on the root", async () => {
    const host = `127.0.0.1:${gateway.port}`;
    const headers = headerSignature({ method: "GET", path: "/", host, key: gateway.accessKey });
    const reply = await fetch(`${gateway.url}/`, { headers });
    const body = await reply.text();
    expect(reply.status).toBe(200);
    expect(body).toContain("<ListAllMyBucketsResult");
    expect(Array.from(body.matchAll(/<Name>([^<]*)</g), ([, name]) => name)).toEqual(["Old Folder", "files", "media"]);
    for (const [, date] of body.matchAll(/<CreationDate>([^<]*)</g)) {
      expect(Math.abs(Date.parse(date ?? "") - Date.now())).toBeLessThan(60_000);
    }
  });
});

describe("the deletion of many objects", () => {
  const remove = (body: string, headers = contentMd5(body)) =>
    call({ method: "POST", query: { delete: "" }, body, headers });
  const request = (...objects: string[]) =>
    `<Delete>${objects.map((object) => `<Object>${object}</Object>`).join("")}</Delete>`;
  const put = (...keys: string[]) => {
    for (const key of keys) {
      mkdirSync(join(gateway.root, "media", key, ".."), { recursive: true });
      writeFileSync(join(gateway.root, "media", key), key);
    }
  };

  it("deletes each object, and counts missing ones as deleted", async () => {
    put("d/1", "d/2", "d/&<3>");
    const reply = await remove(
      request("<Key>d/1</Key>", "<Key>d/&amp;&lt;3&gt;</Key>", "<Key>d/none</Key><VersionId>null</VersionId>"),
    );
    expect(reply.status).toBe(200);
    expect(texts(reply, "Key")).toEqual(["d/1", "d/&<3>", "d/none"]);
    expect(parts(reply, "Deleted")[2]).toBe("<Key>d/none</Key><VersionId>null</VersionId>");
    expect(parts(reply, "Error")).toEqual([]);
    expect(existsSync(join(gateway.root, "media/d/1"))).toBe(false);
    expect(existsSync(join(gateway.root, "media/d/2"))).toBe(true);
  });

  it("reports only errors of DeleteObjects with Quiet", async () => {
    put("d/1");
    const body = `<Delete><Quiet>true</Quiet><Object><Key>d/1</Key></Object><Object><Key>d/2</Key><VersionId>other</VersionId></Object></Delete>`;
    const reply = await remove(body);
    expect(parts(reply, "Deleted")).toEqual([]);
    expect(parts(reply, "Error").length).toBe(1);
    expect(existsSync(join(gateway.root, "media/d/1"))).toBe(false);
  });

  it("reports for each object why it was not deleted", async () => {
    put("d/1", "d/2");
    const reply = await remove(
      request(
        "<Key>d/1</Key><ETag>&quot;00000000000000000000000000000000&quot;</ETag>",
        "<Key>d/2</Key><VersionId>3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH</VersionId>",
        "<Key>d/2</Key><VersionId>1</VersionId>",
        `<Key>${"k".repeat(1025)}</Key>`,
        "<Key>d/2</Key><Size>3</Size>",
        "<Key>d/none</Key><ETag>*</ETag>",
      ),
    );
    expect(texts(reply, "Code")).toEqual([
      "PreconditionFailed",
      "NoSuchVersion",
      "NoSuchVersion",
      "KeyTooLongError",
      "NotImplemented",
      "PreconditionFailed",
    ]);
    expect(parts(reply, "Error")[1]).toContain("<VersionId>3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH</VersionId>");
    expect([existsSync(join(gateway.root, "media/d/1")), existsSync(join(gateway.root, "media/d/2"))]).toEqual([
      true,
      true,
    ]);
    const etag = (await gateway.storage.head({ bucket: "media", key: "d/1" }))?.etag ?? "";
    await remove(request(`<Key>d/1</Key><ETag>${etag}</ETag>`));
    expect(existsSync(join(gateway.root, "media/d/1"))).toBe(false);
  });

  it("logs each key of DeleteObjects with its code, and shortens long keys", async () => {
    put("d/1", "d/2");
    const count = gateway.events.length;
    await remove(
      request(
        "<Key>d/1</Key>",
        "<Key>d/2</Key><ETag>0</ETag>",
        "<Key>d/none</Key>",
        `<Key>${"k".repeat(5000)}</Key>`,
        "<Key>d/x&amp;X-Amz-Signature=0123</Key>",
      ),
    );
    await expect.poll(() => gateway.events.length).toBe(count + 1);
    const event = gateway.events[count];
    expect(event?.deletions).toEqual([
      { bucket: "media", key: "d/1", code: undefined },
      { bucket: "media", key: "d/2", code: "PRECONDITION_FAILED" },
      { bucket: "media", key: "d/none", code: undefined },
      { bucket: "media", key: `${"k".repeat(1024)}~`, code: "KEY_TOO_LONG" },
      { bucket: "media", key: "d/x&X-Amz-~", code: undefined },
    ]);
    expect(JSON.parse(JSON.stringify(event)).deletions).toHaveLength(5);
  });

  it("accepts 1000 keys in DeleteObjects, and refuses 1001", async () => {
    const keys = (count: number) => request(...Array.from({ length: count }, (_, i) => `<Key>many/${i}</Key>`));
    expect(texts(await remove(keys(1000)), "Key").length).toBe(1000);
    expect(s3Code((await remove(keys(1001))).body)).toBe("MalformedXML");
    const long = request(...Array.from({ length: 1000 }, (_, i) => `<Key>${"&#x20ac;".repeat(300)}${i}</Key>`));
    expect(texts(await remove(long), "Key").length).toBe(1000);
  });

  it.each([
    ["no object", "<Delete></Delete>"],
    ["an empty key", "<Delete><Object><Key></Key></Object></Delete>"],
    ["no key", "<Delete><Object></Object></Delete>"],
    ["two keys in one", "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>"],
    ["something unknown", "<Delete><Object><Key>a</Key><Prefix>b</Prefix></Object></Delete>"],
    ["another root", "<Remove><Object><Key>a</Key></Object></Remove>"],
    ["a DTD", '<!DOCTYPE Delete [<!ENTITY k "a">]><Delete><Object><Key>&k;</Key></Object></Delete>'],
    ["nothing", ""],
  ])("refuses a DeleteObjects document with %s", async (_, body) => {
    const reply = await remove(body);
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedXML"]);
  });

  it("requires a matching digest of the DeleteObjects document", async () => {
    put("d/1");
    const body = request("<Key>d/1</Key>");
    expect(s3Code((await remove(body, {})).body)).toBe("InvalidRequest");
    expect(s3Code((await remove(body, contentMd5("another"))).body)).toBe("BadDigest");
    expect(s3Code((await remove(body, { "content-md5": "no digest" })).body)).toBe("InvalidDigest");
    expect(existsSync(join(gateway.root, "media/d/1"))).toBe(true);
  });

  it("refuses a DeleteObjects document over the size limit", async () => {
    const body = request(`<Key>a</Key>${" ".repeat(4 * 1024 * 1024)}`);
    const reply = await remove(body);
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MaxMessageLengthExceeded"]);
  });

  it("answers NoSuchBucket to DeleteObjects on a missing bucket", async () => {
    const body = request("<Key>a</Key>");
    const options = { method: "POST", bucket: "no-such-bucket", query: { delete: "" }, body } as const;
    expect(await refusal({ ...options, headers: contentMd5(body) })).toEqual([404, "NoSuchBucket"]);
  });
});
