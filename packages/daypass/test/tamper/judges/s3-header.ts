import { collapsed, decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

/** SigV4 in a header: what it covers in a URL, and the header, whose fields may have spaces between them. */
export const judgeS3Header: Judge = (request) => {
  const [path, query] = halves(request.target);
  const fields = values(request, "authorization").map((value) => value.split(/,[ \t]*/).map(collapsed));
  const names = /SignedHeaders=([^,]+)/.exec(values(request, "authorization")[0] ?? "")?.[1]?.split(";") ?? [];
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    decodeBytes(path),
    sorted(pairs(query)),
    names.filter((name) => name !== "host").map((name) => [name, values(request, name).map(collapsed)]),
    request.headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith("x-amz-")),
    fields.map((list) => list.sort()),
  ]);
};

// "Target resources" of https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
const SUB_RESOURCE =
  /^(?:acl|cors|delete|lifecycle|location|logging|notification|partNumber|policy|requestPayment|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website|response-.*)$/;

/** SigV2 in a header: method, un-decoded path, sub-resources, four headers and `x-amz-*`. Other parameters are open. */
export const judgeS3V2Header: Judge = (request) => {
  const [path, query] = halves(request.target);
  const lines = request.headers
    .map(([name, value]) => `${name.toLowerCase()}:${collapsed(value)}`)
    .filter((line) => /^(?:content-md5|content-type|date|authorization|x-amz-(?!cf-id:).*):/.test(line));
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    path,
    sorted(pairs(query).filter(([name]) => SUB_RESOURCE.test(name))),
    lines.sort(),
  ]);
};
