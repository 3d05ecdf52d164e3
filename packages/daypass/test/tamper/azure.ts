import type { WireRequest } from "../../src/core/contracts.ts";
import {
  type AzureSignRequest,
  type AzureUserDelegationSignRequest,
  azureAccountSigner,
  azureSigner,
  azureUserDelegationSigner,
} from "../../src/schemes/azure/index.ts";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY } from "../azure/fixture.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

export const AZURE_ORIGINS: readonly string[] = ["https://*.blob.example.com", "https://azurite.example.com"];
const ENDPOINTS = [`https://${ACCOUNT}.blob.example.com`, `https://azurite.example.com/${ACCOUNT}`] as const;
const clock = () => NOW;
const NAMES = [
  "a.txt",
  "talks/keynote.mp4",
  "a b+c.txt",
  "100%.txt",
  "a%20b",
  "q?x=1#y&z",
  "'()!*",
  "x//y",
  "/lead",
  "é/🚀",
];

const wishes: readonly AzureSignRequest[] = [
  ...NAMES.flatMap((blob) => [
    { container: "media", blob, permissions: "r", expiresIn: 900 },
    { container: "media", blob, permissions: "cw", expiresIn: 900, notBefore: NOW },
  ]),
  { container: "media", permissions: "r", expiresIn: 900 },
  { container: "media", prefix: "talks/2026", permissions: "r", expiresIn: 900 },
  { container: "media", blob: "a.txt", permissions: "d", expiresIn: 900, protocol: "https" },
  { container: "media", blob: "a.txt", permissions: "r", expiresIn: 900, bind: { ip: "203.0.113.0/24" } },
  { container: "media", blob: "a.txt", permissions: "r", expiresIn: 900, snapshot: "2026-01-01T00:00:00.1234567Z" },
  { container: "media", blob: "a.txt", permissions: "r", expiresIn: 900, versionId: "2026-01-01T00:00:00.1234567Z" },
  { container: "media", blob: "a.txt", identifier: "weekly" },
  { container: "media", blob: "a.txt", permissions: "cw", expiresIn: 900, encryptionScope: "scope" },
  {
    ...{ container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 },
    response: {
      contentType: "text/plain",
      contentDisposition: 'attachment; filename="a b+c.txt"',
      cacheControl: "no-store",
    },
  },
];

/** A container's and a directory's URL as a holder uses it: with a name in it, or for a listing. */
function uses(request: WireRequest): readonly WireRequest[] {
  const [path, query] = halves(request.target);
  if (/&sr=c&/.test(query))
    return ["/a.txt", "/talks/x"].map((name) => ({ ...request, target: `${path}${name}?${query}` }));
  return /&sr=d&/.test(query) ? [{ ...request, target: `${path}/a.txt?${query}` }] : [request];
}

export function azureBases(): readonly WireRequest[] {
  return ENDPOINTS.flatMap((endpoint) =>
    (["2015-04-05", "2019-12-12", undefined] as const).flatMap((version) => {
      const signer = azureSigner({ account: ACCOUNT, endpoint, credentials: CREDENTIALS, version, clock });
      return [...signer.signMany(wishes)].flatMap((link) => ("error" in link ? [] : uses(wireRequest(link))));
    }),
  );
}

export function azureAccountBases(): readonly WireRequest[] {
  return ENDPOINTS.flatMap((endpoint) => {
    const signer = azureAccountSigner({ account: ACCOUNT, endpoint, credentials: CREDENTIALS, clock });
    return NAMES.map((blob) =>
      wireRequest(signer.sign({ container: "media", blob, resourceTypes: "o", permissions: "r", expiresIn: 900 })),
    );
  });
}

const delegated: readonly AzureUserDelegationSignRequest[] = [
  { container: "media", blob: "a b.txt", permissions: "r", expiresIn: 900 },
  {
    container: "media",
    blob: "a.txt",
    permissions: "r",
    expiresIn: 900,
    preauthorizedAgentObjectId: "a",
    correlationId: "c",
  },
  { container: "media", blob: "a.txt", permissions: "r", expiresIn: 900, delegatedUserObjectId: "cus_42" },
  {
    ...{ container: "media", blob: "a.txt", permissions: "cw", expiresIn: 900 },
    bind: {
      contentType: "image/png",
      headers: { "x-ms-Tenant": "a, b" },
      query: { lang: "de", tenant: "a b&c" },
    },
  },
];

export function azureDelegationBases(): readonly WireRequest[] {
  return ENDPOINTS.flatMap((endpoint) => {
    const credentials = { userDelegationKey: DELEGATION_KEY };
    const signer = azureUserDelegationSigner({ account: ACCOUNT, endpoint, credentials, clock });
    return [...delegated, ...wishes.filter(({ identifier }) => identifier === undefined)].flatMap((wish) =>
      uses(wireRequest(signer.sign({ ...wish, permissions: wish.permissions ?? "" }))),
    );
  });
}

const isSas = (name: string): boolean => /^(?:s[a-z]{1,6}|rs[a-z]{2})$/.test(name);
/** Snapshot or version of a blob: the holder's choice where all of the container or directory is. */
export const isTime = (name: string): boolean => name === "snapshot" || name === "versionid";
/** Whether a SAS is for a container or a directory. */
export const isForMany = (target: string): boolean =>
  pairs(halves(target)[1]).some(([name, value]) => name === "sr" && /^[cd]$/.test(value));

/** What every operation may have, and an upload: nobody signs it, and it may be left out. */
const HARMLESS = ["x-ms-version", "x-ms-date", "x-ms-client-request-id", "x-ms-blob-type"];

/**
 * A SAS signs its own parameters, account and container, and as much of the name as `sr` says: all of it (`b`, `bs`, `bv`), a
 * directory (`d`), nothing (`c`, and an account SAS, which does not even sign the container); snapshot or version; and what
 * `srh` and `srq` name. Open are the host where it does not name the account, and the method within the permissions, of which
 * each URL here has those of one method. Every other `x-ms-*` header and parameter nobody signs, so none may be added.
 */
export const judgeAzure: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const value = (name: string): string => list.find(([other]) => other === name)?.[1] ?? "";
  const others = list.filter(([name]) => !isSas(name) && !(isTime(name) && isForMany(request.target)));
  const authority = host(request.authority, "443");
  const ofHost = /^([a-z0-9]+?)(?:-secondary)?\.blob\.example\.com$/.exec(authority)?.[1];
  const [, ...segments] = path.split("/");
  const account = decodeBytes(ofHost ?? segments.shift() ?? "").replace(/-secondary$/, "");
  const container = decodeBytes(segments.shift() ?? "");
  const name = decodeBytes(segments.join("/"));
  const place = {
    "": [],
    c: [container, name !== ""],
    d: [
      container,
      name
        .split("/")
        .slice(0, Number(value("sdd")))
        .join("/"),
    ],
  }[value("sr")] ?? [container, name];
  const bound = value("srh")
    .split(",")
    .map((header) => values(request, header.toLowerCase()).map((text) => text.trim()));
  const ms = request.headers.map(([field]) => field.toLowerCase()).filter((field) => field.startsWith("x-ms-"));
  return JSON.stringify([
    request.method === "HEAD" ? "GET" : request.method,
    ofHost === undefined ? authority : "",
    ...[account, place, sorted(list.filter(([name]) => isSas(name))), sorted(others)],
    ...[bound, ms.filter((field) => !HARMLESS.includes(field)).sort(), values(request, "authorization").length],
  ]);
};
