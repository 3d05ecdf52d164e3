import { createHmac } from "node:crypto";
import { azureAccountSigner, azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY } from "../azure/fixture.ts";

export const now = new Date("2026-01-02T03:30:00Z");
export const at = { clock: () => AT };
export const key = { accountKey: CREDENTIALS.accountKey };
export const delegatedKey = { userDelegationKey: DELEGATION_KEY };
export const azure = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, ...at });
export const account = azureAccountSigner({ account: ACCOUNT, credentials: CREDENTIALS, ...at });
export const delegation = azureUserDelegationSigner({ account: ACCOUNT, credentials: delegatedKey, ...at });
export const wish = { container: "media", blob: "talks/a b.txt", permissions: "r", expiresIn: 3600 };

/** An answer in the form of the Blob service. */
export function azureXml(code: string, detail = ""): string {
  const text = detail.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const element = detail === "" ? "" : `<AuthenticationErrorDetail>${text}</AuthenticationErrorDetail>`;
  return `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:1\nTime:2026-01-02T03:30:00.0Z</Message>${element}</Error>`;
}

/** The lines of a service SAS, as Azure documents them. */
export const LINES = [
  "sp",
  "st",
  "se",
  "resource",
  "si",
  "sip",
  "spr",
  "sv",
  "sr",
  "time",
  "ses",
  "rscc",
  "rscd",
  "rsce",
  "rscl",
  "rsct",
];
export const FIELDS = { sv: "2022-11-02", se: "2026-01-02T04:04:05Z", sr: "b", sp: "r" };

export interface Wrong {
  readonly fields?: Readonly<Record<string, string>>;
  /** Signed values that differ from the URL. */
  readonly signed?: Readonly<Record<string, string>>;
  readonly lines?: readonly string[];
  readonly end?: string;
  readonly key?: Buffer | string;
  readonly path?: string;
  readonly spell?: (signature: string) => string;
}

export function wrongUrl({
  fields = {},
  signed = {},
  lines = LINES,
  end = "",
  path = "/media/talks/a%20b.txt",
  ...more
}: Wrong): string {
  const all: Readonly<Record<string, string>> = { ...FIELDS, ...fields };
  const values: Readonly<Record<string, string>> = {
    ...all,
    resource: `/blob/${ACCOUNT}/media/talks/a b.txt`,
    ...signed,
  };
  const text = lines.map((name) => values[name] ?? "").join("\n") + end;
  const hmac = createHmac("sha256", more.key ?? Buffer.from(CREDENTIALS.accountKey, "base64"));
  const signature = hmac.update(text).digest("base64");
  const tokens = Object.entries(all).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `https://${ACCOUNT}.blob.core.windows.net${path}?${tokens.join("&")}&sig=${(more.spell ?? encodeURIComponent)(signature)}`;
}

/** A URL whose signature has a plus. */
export const withPlus = (spell: (signature: string) => string): string => {
  for (let second = 0; second < 60; second++) {
    const fields = { se: `2026-01-02T04:04:${String(second).padStart(2, "0")}Z` };
    if (wrongUrl({ fields }).includes("%2B")) return wrongUrl({ fields, spell });
  }
  throw new Error("no signature has a plus");
};
